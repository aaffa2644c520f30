import JSON
import Linux

/// `exit.json` in a shim's directory: how the container's init process ended. On disk before anybody is told.
package struct ExitRecord: Hashable, Sendable {
    package static let fileName = "exit.json"

    package var exit: ShimExit

    package init(_ exit: ShimExit) { self.exit = exit }

    package var json: JSONValue {
        let time = Timestamp(nanosecondsSinceEpoch: exit.nanosecondsSinceEpoch).rfc3339Nano
        return ["code": .integer(Int64(exit.code)), "time": .string(time), "oomKilled": .bool(exit.oomKilled)]
    }

    /// Nil for what is no exit record.
    package init?(json: JSONValue) {
        guard let code = json["code"]?.integer.flatMap(Int32.init(exactly:)),
            let time = json["time"]?.string.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        exit = ShimExit(
            code: code, nanosecondsSinceEpoch: time.nanosecondsSinceEpoch,
            oomKilled: json["oomKilled"]?.bool ?? false)
    }
}

/// `init.json` in a shim's directory: the container's init process and where its cgroups are, written once the runtime
/// has created it.
package struct InitRecord: Hashable, Sendable {
    package static let fileName = "init.json"

    package var process: ShimProcess
    /// The shim's own process, so that a dead shim can be told from a busy one.
    package var shim: ShimProcess
    /// Absolute paths of the directories that are the container's alone.
    package var cgroups: [String]

    package init(process: ShimProcess, shim: ShimProcess, cgroups: [String]) {
        self.process = process
        self.shim = shim
        self.cgroups = cgroups
    }

    package var json: JSONValue {
        [
            "pid": .integer(Int64(process.pid)), "startTicks": .unsigned(process.startTicks),
            "shimPid": .integer(Int64(shim.pid)), "shimStartTicks": .unsigned(shim.startTicks),
            "cgroups": .array(cgroups.map(JSONValue.string)),
        ]
    }

    /// Nil for what is no such record.
    package init?(json: JSONValue) {
        guard let pid = json["pid"]?.integer.flatMap(Int32.init(exactly:)),
            let ticks = json["startTicks"]?.unsigned,
            let shimPID = json["shimPid"]?.integer.flatMap(Int32.init(exactly:)),
            let shimTicks = json["shimStartTicks"]?.unsigned
        else { return nil }
        process = ShimProcess(pid: pid, startTicks: ticks)
        shim = ShimProcess(pid: shimPID, startTicks: shimTicks)
        cgroups = (json["cgroups"]?.array ?? []).compactMap(\.string)
    }
}
