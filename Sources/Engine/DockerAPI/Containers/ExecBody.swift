import EngineAPI
import JSON

extension ExecSpec {
    /// Reads the body of `POST /containers/{id}/exec`.
    package init(dockerBody body: BodyReader) throws(EngineError) {
        self.init(command: try body.words("Cmd") ?? [])
        if command.isEmpty { throw EngineError(.invalid, "No exec command specified") }
        environment = try body.texts("Env") ?? []
        workingDirectory = try body.filledText("WorkingDir")
        user = try body.filledText("User")
        tty = try body.flag("Tty")
        attachStdin = try body.flag("AttachStdin")
        attachStdout = try body.flag("AttachStdout")
        attachStderr = try body.flag("AttachStderr")
        privileged = try body.flag("Privileged")
        consoleSize = try body.terminalSize("ConsoleSize")
        detachKeys = try body.filledText("DetachKeys")
        _ = try DetachKeys(parsing: detachKeys)
    }

    package var dockerBody: JSONValue {
        var body = JSONObject([
            ("User", .string(user ?? "")), ("Privileged", .bool(privileged)), ("Tty", .bool(tty)),
            ("AttachStdin", .bool(attachStdin)), ("AttachStdout", .bool(attachStdout)),
            ("AttachStderr", .bool(attachStderr)), ("DetachKeys", .string(detachKeys ?? "")),
            ("Env", .texts(environment)), ("WorkingDir", .string(workingDirectory ?? "")), ("Cmd", .texts(command)),
        ])
        body["ConsoleSize"] = consoleSize?.dockerBody
        return .object(body)
    }
}

extension ExecDetails {
    /// The answer of `GET /exec/{id}/json`.
    package var dockerBody: JSONValue {
        [
            "ID": .string(id), "Running": .bool(running), "ExitCode": exitCode.map { .integer(Int64($0)) } ?? .null,
            "ProcessConfig": [
                "tty": .bool(spec.tty), "entrypoint": .string(spec.command.first ?? ""),
                "arguments": .texts(Array(spec.command.dropFirst())), "privileged": .bool(spec.privileged),
                "user": .string(spec.user ?? ""), "workingDir": .string(spec.workingDirectory ?? ""),
                "env": .texts(spec.environment),
            ],
            "OpenStdin": .bool(spec.attachStdin), "OpenStderr": .bool(spec.attachStderr),
            "OpenStdout": .bool(spec.attachStdout), "CanRemove": .bool(exitCode != nil),
            "ContainerID": .string(containerID), "DetachKeys": .string(spec.detachKeys ?? ""),
            "Pid": .integer(Int64(pid)),
        ]
    }

    package init?(dockerBody body: JSONValue) {
        guard let id = body.filledText("ID") else { return nil }
        let process = body.field("ProcessConfig") ?? .null
        var spec = ExecSpec(command: [process.text("entrypoint")] + process.texts("arguments"))
        spec.tty = process.flag("tty")
        spec.privileged = process.flag("privileged")
        spec.user = process.filledText("user")
        spec.workingDirectory = process.filledText("workingDir")
        spec.environment = process.texts("env")
        spec.detachKeys = body.filledText("DetachKeys")
        spec.attachStdin = body.flag("OpenStdin")
        spec.attachStdout = body.flag("OpenStdout")
        spec.attachStderr = body.flag("OpenStderr")
        let isRunning = body.flag("Running")
        // Podman says 0 of a process that still runs.
        let code = isRunning ? nil : body.whole("ExitCode").map { Int32(clamping: $0) }
        self.init(
            id: id, containerID: body.text("ContainerID"), spec: spec, running: isRunning, exitCode: code,
            pid: Int32(clamping: body.whole("Pid") ?? 0))
    }
}

/// The body of `POST /exec/{id}/start`.
package struct ExecStartRequest: Hashable, Sendable {
    /// A query of our own clients: the process runs, begun at another server, and is connected to here.
    package static let goesOnQuery = "gantry-goes-on"
    /// A query of our own clients, of an attachment too: where this server goes, the client goes on at the next.
    package static let resumesQuery = "gantry-resumes"

    package var detach: Bool
    package var tty: Bool
    package var size: TerminalSize?

    package init(detach: Bool, tty: Bool, size: TerminalSize?) {
        self.detach = detach
        self.tty = tty
        self.size = size
    }

    package init(dockerBody body: BodyReader) throws(EngineError) {
        detach = try body.flag("Detach")
        tty = try body.flag("Tty")
        size = try body.terminalSize("ConsoleSize")
    }

    package var dockerBody: JSONValue {
        var body = JSONObject([("Detach", .bool(detach)), ("Tty", .bool(tty))])
        body["ConsoleSize"] = size?.dockerBody
        return .object(body)
    }
}

extension TerminalSize {
    /// Nil where a side is nothing or does not fit.
    package init?(rows: Int64, columns: Int64) {
        guard rows > 0, columns > 0, let height = UInt16(exactly: rows), let width = UInt16(exactly: columns) else {
            return nil
        }
        self.init(columns: width, rows: height)
    }

    /// As `ConsoleSize` has it.
    var dockerBody: JSONValue { [.integer(Int64(rows)), .integer(Int64(columns))] }

    /// Reads `h` and `w` of the resize routes.
    package init(dockerQuery query: QueryString) throws(EngineError) {
        guard let rows = query["h"].flatMap({ UInt16($0) }), let columns = query["w"].flatMap({ UInt16($0) }) else {
            throw EngineError(.invalid, "invalid resize height or width: h=\(query["h"] ?? "") w=\(query["w"] ?? "")")
        }
        self.init(columns: columns, rows: rows)
    }

    package var dockerQuery: QueryString {
        var query = QueryString()
        query.add("h", String(rows))
        query.add("w", String(columns))
        return query
    }
}
