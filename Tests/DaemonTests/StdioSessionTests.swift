import EngineAPI
import JSON
import Testing
import Transport

@Suite struct StdioSessionTests {
    private func attach(_ served: Served, _ target: String, _ body: String? = nil) async throws -> (
        HTTPFields, HijackedConnection
    ) {
        var call = HTTPCall("POST", target)
        if let body { call.body = .bytes(Array(body.utf8)) }
        switch try await served.client.hijack(call) {
        case .hijacked(let fields, let connection): return (fields, connection)
        case .refused(let response):
            let text = String(decoding: try await response.body.collect(limitBytes: 1000), as: UTF8.self)
            throw EngineError(.internal, "refused: \(response.status) \(text)")
        }
    }

    private func readAll(_ connection: HijackedConnection) async throws -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = try await connection.read() { all += bytes }
        return all
    }

    @Test("What is attached before the start misses nothing, in frames")
    func beforeStart() async throws {
        let served = try await Served()
        _ = try await served.run("both", name: "a", start: false)
        let (fields, connection) = try await attach(served, "/v1.51/containers/a/attach?stream=1&stdout=1&stderr=1")
        #expect(fields["Content-Type"] == "application/vnd.docker.multiplexed-stream")
        _ = try await served.call("POST", "/containers/a/start")
        let bytes = try await readAll(connection)
        #expect(
            bytes == [1, 0, 0, 0, 0, 0, 0, 4] + Array("out\n".utf8) + [2, 0, 0, 0, 0, 0, 0, 4] + Array("err\n".utf8))
        await served.stop()
    }

    @Test("The end of the client's input ends the process's, where that is what it stands for")
    func halfClose() async throws {
        let served = try await Served()
        _ = try await served.run("cat", name: "c", #","OpenStdin":true,"StdinOnce":true"#)
        let (_, connection) = try await attach(served, "/containers/c/attach?stream=1&stdin=1&stdout=1")
        try await connection.write(Array("hi".utf8))
        await connection.closeOutput()
        #expect(try await readAll(connection) == [1, 0, 0, 0, 0, 0, 0, 2, 104, 105])
        #expect(try await served.call("POST", "/containers/c/wait").json == ["StatusCode": 0])
        await served.stop()
    }

    @Test("A container that keeps its input open goes on when a client leaves, however it leaves")
    func leaving() async throws {
        let served = try await Served()
        let id = try await served.run("cat", name: "k", #","OpenStdin":true,"Tty":true"#)
        let target = "/containers/k/attach?stream=1&stdin=1&stdout=1"
        let (fields, keys) = try await attach(served, target)
        #expect(fields["Content-Type"] == "application/vnd.docker.raw-stream")
        try await keys.write([97, 16])
        #expect(try await keys.read() == [97])
        try await keys.write([17])
        #expect(try await readAll(keys) == [])
        let (_, ended) = try await attach(served, target)
        await ended.closeOutput()
        #expect(try await readAll(ended) == [])
        let (_, dropped) = try await attach(served, target)
        try await dropped.write([98])
        #expect(try await dropped.read() == [98])
        await dropped.close()
        let process = try await served.engine.process(id)
        while await served.engine.closedAttachments < 3 { await Task.yield() }
        #expect(await process.inputBytes == [97, 98])
        #expect(await process.exitCode == nil)
        await served.stop()
    }

    @Test("A client that is gone without a word has ended the process's input, after all that it has sent")
    func goneWithInput() async throws {
        let served = try await Served()
        let id = try await served.run("cat", name: "g", #","OpenStdin":true,"StdinOnce":true"#)
        let (_, connection) = try await attach(served, "/containers/g/attach?stream=1&stdin=1")
        let bytes = [UInt8](repeating: 7, count: 300_000)
        try await connection.write(bytes)
        await connection.close()
        #expect(try await served.call("POST", "/containers/g/wait").json == ["StatusCode": 0])
        let taken = try await served.engine.process(id).inputBytes
        #expect(taken == bytes)
        _ = try await served.run("sleep", name: "x")
        let created = try await served.call(
            "POST", "/containers/x/exec", #"{"AttachStdin":true,"AttachStdout":true,"Cmd":["cat"]}"#)
        let exec = try created.json["Id"]?.string ?? ""
        let (_, second) = try await attach(served, "/exec/\(exec)/start", #"{"Detach":false,"Tty":false}"#)
        await second.close()
        while try await served.call("GET", "/exec/\(exec)/json").json["Running"] == true { await Task.yield() }
        await served.stop()
    }

    @Test("Detach keys of the client's own choice are looked for")
    func ownKeys() async throws {
        let served = try await Served()
        _ = try await served.run("cat", name: "o", #","OpenStdin":true,"Tty":true"#)
        let (_, connection) = try await attach(
            served, "/containers/o/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-a%2Cd")
        try await connection.write([16, 17])
        #expect(try await connection.read() == [16, 17])
        try await connection.write([1, 100])
        #expect(try await readAll(connection) == [])
        await served.stop()
    }

    @Test("An exec runs with its own stdio, and tells its exit code afterwards")
    func exec() async throws {
        let served = try await Served()
        _ = try await served.run("sleep", name: "x")
        let created = try await served.call(
            "POST", "/containers/x/exec", #"{"AttachStdin":true,"AttachStdout":true,"Cmd":["cat"]}"#)
        let id = try created.json["Id"]?.string ?? ""
        let (_, connection) = try await attach(served, "/exec/\(id)/start", #"{"Detach":false,"Tty":false}"#)
        try await connection.write([65])
        // Docker's clients are answered before the process runs: it does where it has answered itself.
        #expect(try await connection.read() == [1, 0, 0, 0, 0, 0, 0, 1, 65])
        #expect(try await served.call("GET", "/exec/\(id)/json").json["Running"] == true)
        await connection.closeOutput()
        #expect(try await readAll(connection) == [])
        #expect(try await served.call("GET", "/exec/\(id)/json").json["ExitCode"] == 0)
        // Refused as an answer, before the connection is given up.
        let again = try await served.call("POST", "/exec/\(id)/start", #"{"Detach":false,"Tty":false}"#)
        #expect(again.status == 409)
        await served.stop()
    }

    @Test("An exec's output is framed as its start asks for it, whatever its terminal", arguments: [true, false])
    func execFraming(isTerminal: Bool) async throws {
        let served = try await Served()
        _ = try await served.run("sleep", name: "f")
        for asksForTerminal in [true, false] {
            let created = try await served.call(
                "POST", "/containers/f/exec", #"{"AttachStdout":true,"Tty":\#(isTerminal),"Cmd":["echo","hi"]}"#)
            let id = try created.json["Id"]?.string ?? ""
            let (fields, connection) = try await attach(
                served, "/v1.51/exec/\(id)/start", #"{"Detach":false,"Tty":\#(asksForTerminal)}"#)
            let kind = asksForTerminal ? "raw" : "multiplexed"
            #expect(fields["Content-Type"] == "application/vnd.docker.\(kind)-stream")
            let bytes = try await readAll(connection)
            #expect((bytes.first == 1) == !asksForTerminal)
            #expect(
                String(decoding: asksForTerminal ? bytes : Array(bytes.dropFirst(8)), as: UTF8.self).hasPrefix("hi"))
        }
        await served.stop()
    }

    @Test("A command that is not there is told of in the stream, and by the exit code")
    func missingCommand() async throws {
        let served = try await Served()
        _ = try await served.run("sleep", name: "m")
        let created = try await served.call("POST", "/containers/m/exec", #"{"AttachStdout":true,"Cmd":["missing"]}"#)
        let id = try created.json["Id"]?.string ?? ""
        let (_, connection) = try await attach(served, "/exec/\(id)/start", "{}")
        let bytes = try await readAll(connection)
        #expect(bytes.first == 1, "as docker, among what the command would have written")
        #expect(String(decoding: bytes.dropFirst(8), as: UTF8.self).contains("executable file not found in $PATH"))
        #expect(try await served.call("GET", "/exec/\(id)/json").json["ExitCode"] == 127)
        await served.stop()
    }

    @Test("A client that only looks on is heard of when it goes, and sees all where it only ends its input")
    func onlooker() async throws {
        let served = try await Served()
        _ = try await served.run("cat", name: "l", #","OpenStdin":true,"StdinOnce":true"#)
        let target = "/containers/l/attach?stream=1&stdout=1"
        let (_, gone) = try await attach(served, target)
        try await gone.write([120])
        await gone.close()
        while await served.engine.closedAttachments < 1 { await Task.yield() }
        let (_, ended) = try await attach(served, target)
        await ended.closeOutput()
        let (_, unread) = try await attach(served, target)
        try await unread.write([121])
        let (_, writer) = try await attach(served, target + "&stdin=1")
        try await writer.write(Array("hi".utf8))
        await writer.closeOutput()
        for connection in [writer, ended, unread] {
            #expect(try await readAll(connection) == [1, 0, 0, 0, 0, 0, 0, 2, 104, 105])
        }
        await served.stop()
    }

    @Test(
        "A frame of a log is a line, but for who copies frames to its output, whatever they hold",
        arguments: [
            (nil, "", [4, 4]), ("docker-sdk-python/7.1.0", "", [4, 4]), ("Docker-Client/28.2.2 (linux)", "", [8]),
            ("Docker-Client/28.2.2 (linux)", "&timestamps=1", [70]), ("Gantry/0.1", "", [8]),
            ("Gantry/0.1", "&timestamps=1", [35, 35]),
        ] as [(String?, String, [UInt8])])
    func logFrames(agent: String?, query: String, lengths: [UInt8]) async throws {
        let served = try await Served()
        _ = try await served.run("cat", name: "w", #","OpenStdin":true,"StdinOnce":true"#)
        let (_, writer) = try await attach(served, "/containers/w/attach?stream=1&stdin=1&stdout=1")
        for text in ["one\n", "two\n"] {
            try await writer.write(Array(text.utf8))
            _ = try await writer.read()
        }
        await writer.closeOutput()
        _ = try await readAll(writer)
        let bytes = try await served.call("GET", "/containers/w/logs?stdout=1" + query, agent: agent).bytes
        var found: [UInt8] = []
        var rest = bytes[...]
        while rest.count >= 8, rest.first == 1 {
            let length = rest[rest.startIndex + 7]
            found.append(length)
            rest = rest.dropFirst(8 + Int(length))
        }
        #expect(found == lengths && rest.isEmpty)
        await served.stop()
    }

    @Test("A flood of input arrives whole and in order")
    func inputFlood() async throws {
        let served = try await Served()
        _ = try await served.run("cat", name: "c", #","OpenStdin":true,"StdinOnce":true"#)
        let (_, connection) = try await attach(served, "/containers/c/attach?stream=1&stdin=1&stdout=1")
        let piece = (0..<100_003).map { UInt8($0 % 251) }
        let rounds = 60
        async let echo = readAll(connection)
        for _ in 0..<rounds { try await connection.send(piece) }
        await connection.closeOutput()
        let all = Self.unframed(try await echo)
        #expect(all.count == rounds * piece.count)
        #expect(all.elementsEqual((0..<rounds).lazy.flatMap { _ in piece }))
        await served.stop()
    }

    /// What is in docker's frames, all of them of standard output.
    private static func unframed(_ bytes: [UInt8]) -> [UInt8] {
        var (rest, content) = (bytes[...], [UInt8]())
        while rest.count >= 8 {
            #expect(rest.first == 1)
            let size = rest.dropFirst(4).prefix(4).reduce(0) { $0 << 8 | Int($1) }
            content += rest.dropFirst(8).prefix(size)
            rest = rest.dropFirst(8 + size)
        }
        #expect(rest.isEmpty)
        return content
    }

    @Test("A flood of output arrives whole, however slowly it is read")
    func flood() async throws {
        let served = try await Served()
        _ = try await served.run("flood 8388608", name: "f", #","Tty":true"#, start: false)
        let (_, connection) = try await attach(served, "/containers/f/attach?stream=1&stdout=1")
        _ = try await served.call("POST", "/containers/f/start")
        #expect(try await readAll(connection).count == 8_388_608)
        await served.stop()
    }
}
