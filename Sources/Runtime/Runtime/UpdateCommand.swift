import Glibc
import JSON
import Linux
import OCI

/// `update`: other limits for a container that exists.
extension Invocation {
    private static let updateOptions: [CommandArguments.Option] = [
        .value("resources", "r"), .value("memory"), .value("memory-reservation"), .value("memory-swap"),
        .value("cpu-period"), .value("cpu-quota"), .value("cpu-burst"), .value("cpu-share"), .value("cpuset-cpus"),
        .value("cpuset-mems"), .value("pids-limit"), .value("blkio-weight"),
    ]

    func update() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, Self.updateOptions)
        try arguments.expectOperands("update", exactly: 1)
        let record = try store.record(of: arguments.operands[0])
        let layout = try HostFacts.layout()
        guard ContainerStatus.of(record, in: store, layout) != .stopped else {
            throw RuntimeError("container not running")
        }
        let resources = try Self.resources(arguments)
        let plan = try CgroupPlan(path: record.cgroupPath, resources, layout)
        try CgroupPlacement(plan, layout: layout).change(pid: record.pid)
        return 0
    }

    private static func resources(_ arguments: CommandArguments) throws(RuntimeError) -> LinuxResources {
        if let path = arguments["resources"] {
            let bytes = try attempt { () throws(KernelError) in
                path == "-" ? try Descriptor.standardInput.readAll() : try FileContents.read(path)
            }
            let json: JSONValue
            do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch { throw RuntimeError(error) }
            do throws(RuntimeSpecError) {
                return try LinuxResources(RuntimeProperty(json, name: "resources"))
            } catch {
                throw RuntimeError(error)
            }
        }
        return try fromWords(arguments)
    }

    private static func fromWords(_ arguments: CommandArguments) throws(RuntimeError) -> LinuxResources {
        func number(_ name: String) throws(RuntimeError) -> Int64? {
            guard let text = arguments[name] else { return nil }
            guard let value = Int64(text) else { throw RuntimeError("invalid value for \(name): \(text)") }
            return value
        }
        var resources = LinuxResources()
        var memory = LinuxMemory(limitBytes: try number("memory"))
        memory.reservationBytes = try number("memory-reservation")
        memory.swapBytes = try number("memory-swap")
        resources.memory = memory
        var cpu = LinuxCPU()
        cpu.periodMicroseconds = try number("cpu-period").map { UInt64(max(0, $0)) }
        cpu.quotaMicroseconds = try number("cpu-quota")
        cpu.burstMicroseconds = try number("cpu-burst").map { UInt64(max(0, $0)) }
        cpu.shares = try number("cpu-share").map { UInt64(max(0, $0)) }
        cpu.cpus = arguments["cpuset-cpus"]
        cpu.mems = arguments["cpuset-mems"]
        resources.cpu = cpu
        resources.pids = LinuxPids(limit: try number("pids-limit"))
        if let weight = try number("blkio-weight") {
            guard let value = UInt16(exactly: weight) else { throw RuntimeError("invalid value for blkio-weight") }
            var io = LinuxBlockIO()
            io.weight = value
            resources.blockIO = io
        }
        return resources
    }
}
