import JSON
import Linux
import OCI

/// The limits that an `update` asks for: a document's, or those of its options.
enum UpdateOptions {
    static let known: CommandArguments.Options = """
        resources|r= blkio-weight= cpu-period= cpu-quota= cpu-burst= cpu-share= cpu-rt-period= cpu-rt-runtime= cpu-idle= \
        cpuset-cpus= cpuset-mems= memory= memory-reservation= memory-swap= pids-limit= kernel-memory= \
        kernel-memory-tcp= l3-cache-schema= mem-bw-schema=
        """

    /// The new shares of a container's group of resctrl, in the order in which they are written.
    ///
    /// - Parameter root: where the file system is mounted.
    static func schemata(_ arguments: CommandArguments, root: String?) throws(RuntimeError) -> [String] {
        let lines = ["l3-cache-schema", "mem-bw-schema"].map { arguments[$0] ?? "" }
        if root == nil {
            guard lines[0].isEmpty else { throw RuntimeError("Intel RDT/CAT: l3 cache schema is not enabled") }
            guard lines[1].isEmpty else { throw RuntimeError("Intel RDT/MBA: memory bandwidth schema is not enabled") }
        }
        for line in lines where line.utf8.contains(10) { throw RuntimeError("invalid schema \"\(line)\"") }
        return lines.filter { !$0.isEmpty }
    }

    /// With a document, all other options count for nothing, as in runc.
    static func resources(_ arguments: CommandArguments) throws(RuntimeError) -> LinuxResources {
        if let path = arguments["resources"], !path.isEmpty { return try read(path) }
        var resources = LinuxResources()
        resources.memory = try memory(arguments)
        resources.cpu = try cpu(arguments)
        resources.pids = LinuxPids(limit: try number(arguments, "pids-limit"))
        if let weight: UInt16 = try number(arguments, "blkio-weight", takesSign: true), weight != 0 {
            var io = LinuxBlockIO()
            io.weight = weight
            resources.blockIO = io
        }
        return resources
    }

    private static func read(_ path: String) throws(RuntimeError) -> LinuxResources {
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

    private static func memory(_ arguments: CommandArguments) throws(RuntimeError) -> LinuxMemory {
        var memory = LinuxMemory(limitBytes: try bytes(arguments, "memory"))
        memory.reservationBytes = try bytes(arguments, "memory-reservation")
        memory.swapBytes = try bytes(arguments, "memory-swap")
        memory.kernelBytes = try bytes(arguments, "kernel-memory")
        memory.kernelTCPBytes = try bytes(arguments, "kernel-memory-tcp")
        return memory
    }

    private static func cpu(_ arguments: CommandArguments) throws(RuntimeError) -> LinuxCPU {
        var cpu = LinuxCPU()
        cpu.periodMicroseconds = try number(arguments, "cpu-period")
        cpu.quotaMicroseconds = try number(arguments, "cpu-quota")
        cpu.burstMicroseconds = try number(arguments, "cpu-burst")
        cpu.shares = try number(arguments, "cpu-share")
        cpu.realtimePeriodMicroseconds = try number(arguments, "cpu-rt-period")
        cpu.realtimeRuntimeMicroseconds = try number(arguments, "cpu-rt-runtime")
        cpu.idle = try number(arguments, "cpu-idle")
        cpu.cpus = arguments["cpuset-cpus"]
        cpu.mems = arguments["cpuset-mems"]
        return cpu
    }

    /// - Parameter takesSign: whether `+9` is a number, which it is for runc where a negative one could be given.
    private static func number<Number: FixedWidthInteger>(
        _ arguments: CommandArguments, _ name: String, takesSign: Bool = Number.isSigned
    ) throws(RuntimeError) -> Number? {
        guard let text = arguments[name], !text.isEmpty else { return nil }
        guard let value = takesSign ? Number(text) : Number(unsigned: text) else {
            throw RuntimeError("invalid value for \(name): parsing \"\(text)\": invalid syntax")
        }
        return value
    }

    /// -1 is no limit.
    private static func bytes(_ arguments: CommandArguments, _ name: String) throws(RuntimeError) -> Int64? {
        guard let text = arguments[name], !text.isEmpty else { return nil }
        if text == "-1" { return -1 }
        guard let value = ByteSize.bytes(text) else {
            throw RuntimeError("invalid value for \(name): invalid size: '\(text)'")
        }
        return value
    }
}
