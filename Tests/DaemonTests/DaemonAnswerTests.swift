import EngineAPI
import JSON
import RawClients
import Testing
import Transport

@Suite struct DaemonAnswerTests {
    @Test("A ping tells the versions in its fields")
    func ping() async throws {
        let served = try await Served()
        for method in ["GET", "HEAD"] {
            let answer = try await served.call(method, "/_ping")
            #expect(answer.status == 200 && answer.text == (method == "GET" ? "OK" : ""))
            #expect(answer.fields["Api-Version"] == "1.51" && answer.fields["Ostype"] == "linux")
            #expect(answer.fields["Docker-Experimental"] == "false" && answer.fields["Builder-Version"] == "1")
            #expect(answer.fields["Server"]?.hasPrefix("Gantry/") == true)
        }
        await served.stop()
    }

    @Test("That a daemon comes again is told by its pings, and by nothing else")
    func returning() async throws {
        let served = try await Served(returns: true)
        for target in ["/_ping", "/v1.51/_ping"] {
            #expect(try await served.call("GET", target).fields["Gantry-Returns"] == "true")
        }
        #expect(try await served.call("HEAD", "/_ping").fields["Gantry-Returns"] == "true")
        for target in ["/version", "/containers/json", "/containers/x/json"] {
            #expect(try await served.call("GET", target).fields["Gantry-Returns"] == nil)
        }
        await served.stop()
        let other = try await Served()
        #expect(try await other.call("GET", "/_ping").fields["Gantry-Returns"] == nil)
        await other.stop()
    }

    @Test("A container's name may not hold a slash, so what holds one is a link's, which may be removed alone")
    func links() async throws {
        let served = try await Served()
        for target in ["/containers/a/b", "/containers/a/b?link=1", "/containers/%2Fa/b?link=true"] {
            let answer = try await served.call("DELETE", target)
            #expect(try answer.status == 404 && answer.message.hasPrefix("No such container: "), "\(answer.text)")
        }
        await served.stop()
    }

    @Test(
        "Errors have docker's status and words",
        arguments: [
            ("GET", "/v1.51/nowhere", 404, "page not found"),
            ("GET", "/containers/x/json", 404, "No such container: x"),
            ("GET", "/v1.23/info", 400, "client version 1.23 is too old"),
            ("GET", "/v1.99/info", 400, "client version 1.99 is too new. Maximum supported API version is 1.51"),
            ("GET", "/images/x/y:1/json", 404, "No such image: x/y:1"), ("GET", "/swarm", 503, "not a swarm manager"),
            ("POST", "/services/create", 503, "not a swarm manager"),
            ("POST", "/images/create?fromImage=a&tag=1", 501, "pulling images is not supported by this engine"),
            ("GET", "/networks/x", 404, "network x not found"), ("DELETE", "/networks/none", 403, "pre-defined"),
            ("DELETE", "/networks/a%20b/c*", 404, "network a b/c* not found"),
            ("GET", "/volumes/x", 404, "no such volume"), ("GET", "/images/a/history", 501, "not supported"),
            ("POST", "/containers/x/wait?condition=huh", 400, "invalid condition: \"huh\""),
            ("POST", "/containers/x/resize?h=a&w=1", 400, "invalid resize"),
            ("GET", "/exec/x/json", 404, "No such exec"),
            ("GET", "/containers/json?filters=%7B", 400, "invalid filter"),
            ("GET", "/containers/json?limit=foo", 400, "parsing \"foo\": invalid syntax"),
            ("GET", "/containers/x/logs", 400, "you must choose at least one stream"),
            ("POST", "/containers/x/rename", 400, "Neither old nor new names may be empty"),
            ("POST", "/containers/x/attach?detachKeys=huh", 400, "detach keys"),
        ])
    func errors(method: String, target: String, status: Int, words: String) async throws {
        let served = try await Served()
        let answer = try await served.call(method, target)
        #expect(answer.status == status)
        #expect(try answer.message.contains(words), "\(answer.text)")
        #expect(answer.fields["Content-Type"] == "application/json")
        await served.stop()
    }

    @Test("Docker's clients cannot resize what does not run; ours may, for the start to come")
    func resizeBeforeStart() async throws {
        let served = try await Served()
        let id = try await served.run("sleep 1", name: "one", start: false)
        let answer = try await served.call("POST", "/containers/one/resize?h=10&w=20")
        #expect(answer.status == 409)
        #expect(try answer.message == "container \(id) is not running")
        let call = HTTPCall("POST", "/containers/one/resize?h=10&w=20", fields: ["User-Agent": "Gantry/1"])
        #expect(try await served.client.send(call).status == 200)
        await served.stop()
    }

    @Test("A start that says more than which container is refused, and leaves the container as it is")
    func startWithMore() async throws {
        let served = try await Served()
        _ = try await served.run("sleep 1", name: "one", start: false)
        let bound = try await served.call("POST", "/v1.24/containers/one/start", #"{"Binds":["/tmp:/x"]}"#)
        #expect(try bound.status == 400 && bound.message.contains("non-empty request body was deprecated"))
        let restored = try await served.call("POST", "/containers/one/start?checkpoint=then")
        #expect(try restored.status == 501 && restored.message.contains("checkpoint"))
        let state = try await served.call("GET", "/containers/one/json").json["State"]
        #expect(state?["Status"] == "created")
        #expect(try await served.call("POST", "/containers/one/start?checkpoint=", "{}").status == 204)
        await served.stop()
    }

    @Test("A body that cannot be read is told of")
    func brokenBody() async throws {
        let served = try await Served()
        let client = try RawClient(served.socketPath)
        try await client.send(
            "POST /containers/create HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")
        let answer = try await client.receive()
        #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("the request's body cannot be read"), "\(answer)")
        await served.stop()
    }

    @Test("The head of a request may be as long as docker's may")
    func longHead() async throws {
        let served = try await Served()
        let names = (0..<4000).map { "names=repository/name-\($0):latest" }.joined(separator: "&")
        let answer = try await served.call("GET", "/containers/json?\(names)")
        #expect(answer.status == 200, "\(answer.text)")
        await served.stop()
    }

    @Test("A container lives by docker's routes")
    func life() async throws {
        let served = try await Served()
        let created = try await served.call(
            "POST", "/v1.51/containers/create?name=web", #"{"Image":"gantry/scripted","Cmd":["sleep"]}"#)
        #expect(created.status == 201)
        #expect(try created.json["Warnings"] == [])
        let again = try await served.call("POST", "/containers/create?name=web", #"{"Image":"gantry/scripted"}"#)
        #expect(again.status == 409)
        #expect(try again.message.hasPrefix("Conflict. The container name \"/web\" is already in use"))
        let steps = [
            ("POST", "start", 204), ("POST", "start", 304), ("POST", "pause", 204), ("POST", "pause", 409),
            ("POST", "unpause", 204), ("POST", "restart?t=1", 204), ("POST", "kill?signal=TERM", 204),
            ("POST", "kill", 409), ("POST", "stop", 304), ("POST", "stop?t=x", 400), ("POST", "rename?name=/db", 204),
        ]
        for (method, action, status) in steps {
            #expect(try await served.call(method, "/containers/web/\(action)").status == status, "\(action)")
        }
        #expect(try await served.call("GET", "/containers/json").json == [])
        let list = try await served.call("GET", "/containers/json?all=1").json
        #expect(list.array?.first?["Names"] == ["/db"] && list.array?.first?["State"] == "exited")
        #expect(try await served.call("DELETE", "/containers/db").status == 204)
        await served.stop()
    }

    @Test("A body that is too long, no JSON, or of another type is refused")
    func bodies() async throws {
        let served = try await Served()
        #expect(try await served.call("POST", "/containers/create", "{").status == 400)
        #expect(try await served.call("POST", "/containers/create", "").status == 400)
        let long = try await served.call("POST", "/containers/create", String(repeating: " ", count: 5 << 20))
        #expect(long.status == 400)
        var call = HTTPCall("POST", "/containers/create", body: .bytes([1]))
        call.fields["Content-Type"] = "text/plain"
        #expect(try await served.client.send(call).status == 400)
        await served.stop()
    }

    @Test("A wait answers its head at once, and the exit code when it comes")
    func wait() async throws {
        let served = try await Served()
        _ = try await served.run("exit 7", name: "w", start: false)
        let response = try await served.client.send(HTTPCall("POST", "/containers/w/wait?condition=next-exit"))
        #expect(response.status == 200)
        _ = try await served.call("POST", "/containers/w/start")
        let body = try await response.body.collect(limitBytes: 1000)
        #expect(try JSONValue(parsing: body) == ["StatusCode": 7])
        await served.stop()
    }

    @Test("Logs are framed, and raw for a terminal")
    func logs() async throws {
        let served = try await Served()
        _ = try await served.run("both", name: "l")
        let framed = try await served.call("GET", "/v1.42/containers/l/logs?stdout=1&stderr=1")
        #expect(framed.fields["Content-Type"] == "application/vnd.docker.multiplexed-stream")
        #expect(
            framed.bytes == [1, 0, 0, 0, 0, 0, 0, 4] + Array("out\n".utf8) + [2, 0, 0, 0, 0, 0, 0, 4]
                + Array("err\n".utf8))
        let old = try await served.call("GET", "/v1.41/containers/l/logs?stdout=1")
        #expect(old.fields["Content-Type"] == "application/vnd.docker.raw-stream")
        _ = try await served.run("echo a b", name: "t", #","Tty":true"#)
        let raw = try await served.call("GET", "/containers/t/logs?stdout=1&timestamps=1")
        #expect(raw.text == "2023-11-14T22:13:20.000000000Z a b\r\n")
        await served.stop()
    }

    @Test("Stats come once at once, once after two samples, or as a stream")
    func stats() async throws {
        let served = try await Served()
        _ = try await served.run("sleep", name: "s")
        let once = try await served.call("GET", "/containers/s/stats?stream=0&one-shot=1").json
        #expect(once["precpu_stats"]?["system_cpu_usage"] == nil)
        let twice = try await served.call("GET", "/containers/s/stats?stream=0").json
        #expect(
            twice["precpu_stats"]?["system_cpu_usage"] == 0 && twice["cpu_stats"]?["system_cpu_usage"] == 4_000_000_000)
        let stream = try await served.call("GET", "/containers/s/stats").text
        #expect(stream.split(separator: "\n").count == 3)
        let batch = try await served.call("GET", "/gantry/stats?ids=s&interval=1000").text
        #expect(batch.split(separator: "\n").count == 3 && batch.hasPrefix("[{"))
        _ = try await served.run("exit 0", name: "gone")
        let empty = try await served.call("GET", "/containers/gone/stats?stream=0").json
        #expect(empty["name"] == "/gone" && empty["read"] == "0001-01-01T00:00:00Z")
        await served.stop()
    }

    @Test("A load answers lines; a bad archive's error is the last of them")
    func load() async throws {
        let served = try await Served()
        let good = try await served.call("POST", "/images/load", "archive")
        #expect(good.status == 200)
        #expect(good.text.contains(#""stream":"Loaded image: gantry/scripted:latest\n""#))
        let bad = try await served.call("POST", "/images/load?quiet=1", "bad archive")
        #expect(bad.text.split(separator: "\n").count == 1)
        #expect(bad.text.contains(#""errorDetail":{"message":"archive/tar: invalid tar header""#))
        await served.stop()
    }

    @Test("Events stream as they happen, and end when the client goes")
    func events() async throws {
        let served = try await Served()
        let response = try await served.client.send(HTTPCall("GET", "/events"))
        _ = try await served.run("exit 0", name: "e")
        var text = ""
        while !text.contains("\"die\""), let bytes = try await response.body.next() {
            text += String(decoding: bytes, as: UTF8.self)
        }
        #expect(text.contains(#""status":"create""#) && text.contains(#""Action":"start""#))
        await served.stop()
    }

    @Test("The networks none and host are listed and found")
    func networks() async throws {
        let served = try await Served()
        let list = try await served.call("GET", "/networks").json
        #expect(list.array?.compactMap { $0["Name"]?.string } == ["host", "none"])
        let id = list.array?.last?["Id"]?.string ?? ""
        #expect(try await served.call("GET", "/networks/\(id.prefix(12))").json["Name"] == "none")
        #expect(try await served.call("GET", "/volumes").json["Volumes"] == [])
        #expect(try await served.call("GET", "/info").json["ContainersRunning"] == 0)
        #expect(try await served.call("GET", "/version").json["MinAPIVersion"] == "1.24")
        #expect(try await served.call("GET", "/system/df").json["LayersSize"] == 123)
        await served.stop()
    }
}
