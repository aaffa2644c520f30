import Glibc
import Linux
import OCI

/// The effects of a `SystemdScope`: the unit begun with a container's first process, changed and ended, by calls to the
/// manager over D-Bus.
struct SystemdUnit {
    let scope: SystemdScope

    private static let manager = "org.freedesktop.systemd1"
    private static let path = "/org/freedesktop/systemd1"

    /// Begins the unit with that process in it; returns once its cgroup is there.
    func start(pid: Int32, description: String, _ properties: SystemdProperties) throws(RuntimeError) {
        var values: [(String, BusValue)] = [
            ("Description", .string(description)), ("DefaultDependencies", .bool(false)),
            ("MemoryAccounting", .bool(true)), ("CPUAccounting", .bool(true)), ("TasksAccounting", .bool(true)),
            ("IOAccounting", .bool(true)),
        ]
        if scope.isSlice {
            values.append(("Wants", .strings([scope.slice])))
        } else {
            // Delegated: the runtime, and the container, may divide the cgroup further.
            values += [
                ("Slice", .string(scope.slice)), ("Delegate", .bool(true)),
                ("PIDs", .array(of: "u", [.uint32(UInt32(pid))])),
            ]
        }
        values += properties.values.map { ($0.name, $0.value) }
        try step("unable to start unit \"\(scope.unit)\"") { () throws(RuntimeError) in
            try Self.talk { (bus) throws(BusError) in
                let body: [BusValue] = [
                    .string(scope.unit), .string("replace"), Self.list(values), .array(of: "(sa(sv))", []),
                ]
                do throws(BusError) {
                    try Self.finish(try Self.call(bus, "StartTransientUnit", body), bus)
                } catch {
                    // A unit that failed earlier keeps its name until somebody resets it; one that runs is not ours.
                    guard case .answer(let name, _) = error, name.hasSuffix(".UnitExists") else { throw error }
                    _ = try Self.call(bus, "ResetFailedUnit", [.string(scope.unit)])
                    try Self.finish(try Self.call(bus, "StartTransientUnit", body), bus)
                }
            }
        }
    }

    /// Changes limits until the unit ends.
    func change(_ properties: SystemdProperties) throws(RuntimeError) {
        guard !properties.values.isEmpty else { return }
        let list = Self.list(properties.values.map { ($0.name, $0.value) })
        try step("unable to set properties of unit \"\(scope.unit)\"") { () throws(RuntimeError) in
            try Self.talk { (bus) throws(BusError) in
                _ = try Self.call(bus, "SetUnitProperties", [.string(scope.unit), .bool(true), list])
            }
        }
    }

    /// Ends the unit with whatever is in it. One that is gone, as a scope goes with its last process, is well.
    func stop() throws(RuntimeError) {
        try step("unable to stop unit \"\(scope.unit)\"") { () throws(RuntimeError) in
            try Self.talk { (bus) throws(BusError) in
                try Self.passingOverMissing { () throws(BusError) in
                    try Self.finish(try Self.call(bus, "StopUnit", [.string(scope.unit), .string("replace")]), bus)
                }
                // One that failed, as by the OOM killer, would stay listed.
                try Self.passingOverMissing { () throws(BusError) in
                    _ = try Self.call(bus, "ResetFailedUnit", [.string(scope.unit)])
                }
            }
        }
    }

    private static func passingOverMissing(_ body: () throws(BusError) -> Void) throws(BusError) {
        do throws(BusError) {
            try body()
        } catch {
            guard case .answer(let name, _) = error, name.hasSuffix(".NoSuchUnit") else { throw error }
        }
    }

    private static func list(_ properties: [(String, BusValue)]) -> BusValue {
        .array(of: "(sv)", properties.map { .structure([.string($0.0), .variant($0.1)]) })
    }

    private static func call(
        _ bus: BusConnection, _ member: String, _ body: [BusValue]
    ) throws(BusError) -> [BusValue] {
        try bus.call(.call(member, of: "\(manager).Manager", at: path, on: manager, body))
    }

    /// Waits for the end of the job that a call has answered with.
    private static func finish(_ answer: [BusValue], _ bus: BusConnection) throws(BusError) {
        guard case .path? = answer.first else { throw .malformed }
        let ended = try bus.awaitSignal("JobRemoved") { $0.count == 4 && $0[1] == answer[0] }
        guard case .string(let result) = ended[3] else { throw .malformed }
        guard result == "done" || result == "skipped" else {
            throw .answer(name: "JobRemoved", text: "the job's result is `\(result)`")
        }
    }

    /// One connection for what belongs together. The jobs' signals are asked for before a job is begun.
    private static func talk(_ body: (BusConnection) throws(BusError) -> Void) throws(RuntimeError) {
        do throws(BusError) {
            let bus = try BusConnection(path: try busPath(), isBus: true)
            _ = try bus.call(
                .call(
                    "AddMatch", of: "org.freedesktop.DBus", at: "/org/freedesktop/DBus", on: "org.freedesktop.DBus",
                    [.string("type='signal',interface='\(manager).Manager',member='JobRemoved'")]))
            _ = try call(bus, "Subscribe", [])
            try body(bus)
        } catch {
            throw RuntimeError(error.description)
        }
    }

    /// The machine's bus for its root, the user's own for others: where their managers are.
    private static func busPath() throws(BusError) -> String {
        let isRoot = geteuid() == 0
        if let text = getenv(isRoot ? "DBUS_SYSTEM_BUS_ADDRESS" : "DBUS_SESSION_BUS_ADDRESS") {
            let address = String(cString: text)
            let prefix = "unix:path="
            guard address.hasPrefix(prefix) else { throw .refused("`\(address)` is no path of a socket") }
            return String(address.dropFirst(prefix.count).prefix { $0 != "," && $0 != ";" })
        }
        if isRoot { return "/run/dbus/system_bus_socket" }
        if let folder = getenv("XDG_RUNTIME_DIR") { return "\(String(cString: folder))/bus" }
        return "/run/user/\(geteuid())/bus"
    }
}
