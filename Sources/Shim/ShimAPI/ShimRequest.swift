/// What a client asks of a shim.
package enum ShimRequest: Hashable, Sendable {
    case hello(version: UInt16)
    /// Mounts the root and has the runtime create the container that `task.json` describes: `process`.
    case create
    case start
    /// To the init process, or to an exec's.
    case kill(execID: String?, signal: Int32)
    case pause
    case resume
    /// Starts a further process: `process`.
    case exec(ShimExec)
    /// Has the runtime begin with what does not depend on the process, since an exec of that id is likely to be asked for
    /// soon; what comes of it is told by that alone. Shims speak it from version 3 on.
    case prepareExec(id: String, terminal: Bool, input: ShimInput)
    /// Has a runtime that has begun so go on up to the last step of this process, as which the exec is likely to be asked for.
    /// Shims speak it from version 4 on.
    case prepareProcess(id: String, process: [UInt8])
    case resize(execID: String?, columns: UInt16, rows: UInt16)
    case attach(ShimAttach)
    /// What the shim knows now: `facts`.
    case survey
    /// `facts`, then a `report` for all that happens from there on. The ends of execs of the last five minutes are reported
    /// first, whether somebody was told of them or not.
    case subscribe
    /// Answers names at 127.0.0.11 of the container from here on, if it does not already.
    case serveNames
    /// Removes the container and ends the shim: `done` is the last frame. Refused while processes run.
    case delete
}

/// A further process, as `ShimRequest.exec` carries it.
package struct ShimExec: Hashable, Sendable {
    package var id: String
    /// The OCI `process` object as JSON text.
    package var process: [UInt8]
    package var terminal: Bool
    package var columns: UInt16
    package var rows: UInt16
    package var input: ShimInput

    package init(id: String, process: [UInt8], terminal: Bool, columns: UInt16, rows: UInt16, input: ShimInput) {
        self.id = id
        self.process = process
        self.terminal = terminal
        self.columns = columns
        self.rows = rows
        self.input = input
    }

    /// Whether it is no longer than a frame may be: beside the id and the process there are some numbers in it.
    package var fits: Bool { id.utf8.count + process.count + 32 <= ShimFrame.bodyLimit }
}

/// Whose standard input a process has.
package enum ShimInput: String, Hashable, Sendable {
    /// `/dev/null`, or a terminal nobody types at.
    case none
    /// Open until a client closes it.
    case open
    /// The same to the shim: the first client that gave input ends it itself when it goes.
    case once

    fileprivate static let order: [ShimInput] = [.none, .open, .once]
}

/// What of a process's stdio a client wants.
package struct ShimAttach: Hashable, Sendable {
    /// Nil: the init process. An exec may be attached to before it is started, so that no byte is missed.
    package var execID: String?
    package var stdin: Bool
    package var stdout: Bool
    package var stderr: Bool
    /// Send what a terminal showed last, or what an exec wrote before anybody attached, first.
    package var replay: Bool
    /// The process waits where this client is slow, instead of the client losing output.
    package var holdsBack = false

    package init(execID: String? = nil, stdin: Bool, stdout: Bool, stderr: Bool, replay: Bool) {
        self.execID = execID
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.replay = replay
    }
}

extension ShimRequest {
    /// The request as a frame whose answers bear `tag`.
    package func frame(tag: UInt32) -> ShimFrame {
        var writer = WireWriter()
        let kind: UInt8
        switch self {
        case .hello(let version):
            kind = 1
            writer.put(version)
        case .create: kind = 2
        case .start: kind = 3
        case .kill(let execID, let signal):
            kind = 4
            writer.put(execID) { $0.put($1) }
            writer.put(signal)
        case .pause: kind = 5
        case .resume: kind = 6
        case .exec(let exec):
            kind = 7
            exec.write(to: &writer)
        case .resize(let execID, let columns, let rows):
            kind = 8
            writer.put(execID) { $0.put($1) }
            writer.put(columns)
            writer.put(rows)
        case .attach(let attach):
            kind = 10
            attach.write(to: &writer)
        case .survey: kind = 11
        case .subscribe: kind = 12
        case .delete: kind = 13
        case .serveNames: kind = 14
        case .prepareExec(let id, let terminal, let input):
            kind = 15
            writer.put(id)
            writer.put(terminal)
            writer.put(input)
        case .prepareProcess(let id, let process):
            kind = 16
            writer.put(id)
            writer.put(process)
        }
        return ShimFrame(kind: kind, tag: tag, body: writer.bytes)
    }

    package init(_ frame: ShimFrame) throws(ShimFrameError) {
        var reader = WireReader(frame.body)
        switch frame.kind {
        case 1: self = .hello(version: try reader.takeUInt16())
        case 2: self = .create
        case 3: self = .start
        case 4: self = .kill(execID: try reader.takeOptionalString(), signal: try reader.takeInt32())
        case 5: self = .pause
        case 6: self = .resume
        case 7: self = .exec(try ShimExec(from: &reader))
        case 8:
            self = .resize(
                execID: try reader.takeOptionalString(), columns: try reader.takeUInt16(), rows: try reader.takeUInt16()
            )
        case 10: self = .attach(try ShimAttach(from: &reader))
        case 11: self = .survey
        case 12: self = .subscribe
        case 13: self = .delete
        case 14: self = .serveNames
        case 15:
            self = .prepareExec(
                id: try reader.takeString(), terminal: try reader.takeBool(), input: try reader.takeInput())
        case 16: self = .prepareProcess(id: try reader.takeString(), process: try reader.takeBytes())
        default: throw ShimFrameError("\(frame.kind) is no request")
        }
        try reader.finish()
    }
}

extension WireReader {
    mutating func takeOptionalString() throws(ShimFrameError) -> String? {
        try takeOptional { reader throws(ShimFrameError) in try reader.takeString() }
    }
}

extension WireWriter {
    fileprivate mutating func put(_ input: ShimInput) { put(UInt8(ShimInput.order.firstIndex(of: input) ?? 0)) }
}

extension WireReader {
    fileprivate mutating func takeInput() throws(ShimFrameError) -> ShimInput {
        let number = Int(try takeUInt8())
        guard ShimInput.order.indices.contains(number) else { throw ShimFrameError("\(number) is no way of input") }
        return ShimInput.order[number]
    }
}

extension ShimExec {
    fileprivate func write(to writer: inout WireWriter) {
        writer.put(id)
        writer.put(process)
        writer.put(terminal)
        writer.put(columns)
        writer.put(rows)
        writer.put(input)
    }

    fileprivate init(from reader: inout WireReader) throws(ShimFrameError) {
        id = try reader.takeString()
        process = try reader.takeBytes()
        terminal = try reader.takeBool()
        columns = try reader.takeUInt16()
        rows = try reader.takeUInt16()
        input = try reader.takeInput()
    }
}

extension ShimAttach {
    fileprivate func write(to writer: inout WireWriter) {
        writer.put(execID) { $0.put($1) }
        for wish in [stdin, stdout, stderr, replay, holdsBack] { writer.put(wish) }
    }

    fileprivate init(from reader: inout WireReader) throws(ShimFrameError) {
        execID = try reader.takeOptionalString()
        stdin = try reader.takeBool()
        stdout = try reader.takeBool()
        stderr = try reader.takeBool()
        replay = try reader.takeBool()
        holdsBack = try reader.takeBool()
    }
}
