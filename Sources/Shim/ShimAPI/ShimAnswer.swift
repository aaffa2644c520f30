/// What a shim tells a client on a control connection.
package enum ShimAnswer: Hashable, Sendable {
    case hello(version: UInt16, shim: ShimProcess)
    case done
    case failed(ShimFailure)
    case process(ShimProcess)
    case facts(ShimFacts)
    case report(ShimReport)
}

/// A process in the host's pid namespace, with field 22 of /proc/PID/stat beside the pid, which is used again.
package struct ShimProcess: Hashable, Sendable {
    package var pid: Int32
    /// 0 where the process had ended before it could be asked.
    package var startTicks: UInt64

    package init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }
}

/// Why a request was not done.
package struct ShimFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: UInt8, Hashable, Sendable {
        case invalid = 1
        case notFound, conflict, commandNotFound, commandNotExecutable, unavailable, unsupported, `internal`
    }

    package var kind: Kind
    /// One line: the runtime's own words, or what the shim attempted, on what, and why it failed.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}

/// How a process ended.
package struct ShimExit: Hashable, Sendable {
    /// The program's code, or 128 + signal.
    package var code: Int32
    package var nanosecondsSinceEpoch: Int64
    package var oomKilled: Bool

    package init(code: Int32, nanosecondsSinceEpoch: Int64, oomKilled: Bool = false) {
        self.code = code
        self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
        self.oomKilled = oomKilled
    }
}

/// What a shim knows of its container.
package struct ShimFacts: Hashable, Sendable {
    package enum Status: UInt8, Hashable, Sendable {
        /// Nothing was created yet.
        case empty = 1
        case created, running, paused, stopped
    }

    package var status: Status
    package var initial: ShimProcess?
    /// Set where `status` is `stopped`.
    package var exit: ShimExit?
    package var execs: [String: ShimProcess]

    package init(
        status: Status, initial: ShimProcess? = nil, exit: ShimExit? = nil, execs: [String: ShimProcess] = [:]
    ) {
        self.status = status
        self.initial = initial
        self.exit = exit
        self.execs = execs
    }
}

package enum ShimReport: Hashable, Sendable {
    /// The exit record was on disk, and all output in the log, before this was sent.
    case exited(ShimExit)
    case execExited(id: String, ShimExit)
    case outOfMemory
}

extension ShimAnswer {
    package func frame(tag: UInt32) -> ShimFrame {
        var writer = WireWriter()
        let kind: UInt8
        switch self {
        case .hello(let version, let shim):
            kind = 64
            writer.put(version)
            writer.put(shim)
        case .done: kind = 65
        case .failed(let failure):
            kind = 66
            writer.put(failure.kind.rawValue)
            writer.put(failure.message)
        case .process(let process):
            kind = 67
            writer.put(process)
        case .facts(let facts):
            kind = 68
            writer.put(facts)
        case .report(.exited(let exit)):
            kind = 69
            writer.put(exit)
        case .report(.execExited(let id, let exit)):
            kind = 70
            writer.put(id)
            writer.put(exit)
        case .report(.outOfMemory): kind = 71
        }
        return ShimFrame(kind: kind, tag: tag, body: writer.bytes)
    }

    package init(_ frame: ShimFrame) throws(ShimFrameError) {
        var reader = WireReader(frame.body)
        switch frame.kind {
        case 64: self = .hello(version: try reader.takeUInt16(), shim: try reader.takeProcess())
        case 65: self = .done
        case 66:
            guard let kind = ShimFailure.Kind(rawValue: try reader.takeUInt8()) else {
                throw ShimFrameError("an unknown kind of failure")
            }
            self = .failed(ShimFailure(kind, try reader.takeString()))
        case 67: self = .process(try reader.takeProcess())
        case 68: self = .facts(try reader.takeFacts())
        case 69: self = .report(.exited(try reader.takeExit()))
        case 70: self = .report(.execExited(id: try reader.takeString(), try reader.takeExit()))
        case 71: self = .report(.outOfMemory)
        default: throw ShimFrameError("\(frame.kind) is no answer")
        }
        try reader.finish()
    }
}

extension WireWriter {
    fileprivate mutating func put(_ process: ShimProcess) {
        put(process.pid)
        put(process.startTicks)
    }

    fileprivate mutating func put(_ exit: ShimExit) {
        put(exit.code)
        put(exit.nanosecondsSinceEpoch)
        put(exit.oomKilled)
    }

    fileprivate mutating func put(_ facts: ShimFacts) {
        put(facts.status.rawValue)
        put(facts.initial) { $0.put($1) }
        put(facts.exit) { $0.put($1) }
        put(UInt32(facts.execs.count))
        for (id, process) in facts.execs.sorted(by: { $0.key < $1.key }) {
            put(id)
            put(process)
        }
    }
}

extension WireReader {
    fileprivate mutating func takeProcess() throws(ShimFrameError) -> ShimProcess {
        ShimProcess(pid: try takeInt32(), startTicks: try takeUInt64())
    }

    fileprivate mutating func takeExit() throws(ShimFrameError) -> ShimExit {
        ShimExit(code: try takeInt32(), nanosecondsSinceEpoch: try takeInt64(), oomKilled: try takeBool())
    }

    fileprivate mutating func takeFacts() throws(ShimFrameError) -> ShimFacts {
        guard let status = ShimFacts.Status(rawValue: try takeUInt8()) else {
            throw ShimFrameError("an unknown status")
        }
        var facts = ShimFacts(status: status)
        facts.initial = try takeOptional { reader throws(ShimFrameError) in try reader.takeProcess() }
        facts.exit = try takeOptional { reader throws(ShimFrameError) in try reader.takeExit() }
        // Each takes bytes of the body, so a false count ends in an error, not in a loop.
        for _ in 0..<(try takeUInt32()) {
            let id = try takeString()
            facts.execs[id] = try takeProcess()
        }
        return facts
    }
}
