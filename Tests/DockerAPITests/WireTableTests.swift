import EngineAPI
import JSON
import Testing

@testable import DockerAPI

@Suite struct WireTableTests {
    private func seconds(_ count: Int64) -> Timestamp { Timestamp(nanosecondsSinceEpoch: count * 1_000_000_000) }

    @Test(
        "Ages are in docker's words",
        arguments: [
            (0, "Less than a second"), (1, "1 second"), (59, "59 seconds"), (60, "About a minute"),
            (119, "About a minute"), (120, "2 minutes"), (3599, "59 minutes"), (3600, "About an hour"),
            (5400, "2 hours"), (86400, "24 hours"), (172_799, "2 days"), (172_800, "2 days"), (1_209_600, "2 weeks"),
            (5_184_000, "2 months"), (63_072_000, "2 years"),
        ])
    func ages(seconds: Int64, text: String) { #expect(StatusText.age(seconds: seconds) == text) }

    @Test("A status tells state and age")
    func statuses() {
        var state = ContainerState(status: .running)
        state.startedAt = seconds(100)
        #expect(StatusText.text(state, now: seconds(105)) == "Up 5 seconds")
        state.status = .paused
        #expect(StatusText.text(state, now: seconds(220)) == "Up 2 minutes (Paused)")
        state.status = .exited
        state.exitCode = 3
        #expect(StatusText.text(state, now: seconds(220)) == "Created")
        state.finishedAt = seconds(217)
        #expect(StatusText.text(state, now: seconds(220)) == "Exited (3) 3 seconds ago")
        state.status = .running
        state.startedAt = Timestamp(nanosecondsSinceEpoch: .min)
        #expect(StatusText.text(state, now: seconds(1_790_000_000)) == "Up 292 years")
        #expect(StatusText.exitCode("Exited (137) 3 seconds ago") == 137)
        #expect(StatusText.text(ContainerState(status: .created), now: seconds(0)) == "Created")
    }

    @Test(
        "A status's text stays until its next change, however old it is",
        arguments: [ContainerStatus.created, .running, .paused, .restarting, .exited, .dead])
    func nextChanges(status: ContainerStatus) throws {
        var state = ContainerState(status: status)
        (state.startedAt, state.finishedAt) = (seconds(1000), seconds(1000))
        var now = Timestamp(nanosecondsSinceEpoch: 999_500_000_000)
        while now < seconds(1000 + 86400 * 1000) {
            let text = StatusText.text(state, now: now)
            guard let change = StatusText.nextChange(state, now: now) else {
                #expect(text == StatusText.text(state, now: seconds(1_790_000_000)))
                return
            }
            try #require(change > now)
            try #require(StatusText.text(state, now: change.before(by: 1)) == text, "\(text) until \(change)")
            now = change
        }
        #expect([.running, .paused, .restarting, .exited].contains(status))
        state.startedAt = Timestamp(nanosecondsSinceEpoch: .min)
        _ = StatusText.nextChange(state, now: seconds(1_790_000_000))
    }

    @Test("Times lose their trailing zeros, and no time is Go's zero time")
    func times() {
        #expect(WireTime.text(nil) == "0001-01-01T00:00:00Z")
        #expect(WireTime.text(seconds(0)) == "1970-01-01T00:00:00Z")
        #expect(WireTime.text(Timestamp(nanosecondsSinceEpoch: 1_500_000_000)) == "1970-01-01T00:00:01.5Z")
        #expect(WireTime.parse("0001-01-01T00:00:00Z") == nil)
        #expect(WireTime.parameter("1.5") == Timestamp(nanosecondsSinceEpoch: 1_500_000_000))
        #expect(WireTime.parameter("1.000000001")?.nanosecondsSinceEpoch == 1_000_000_001)
        #expect(WireTime.parameter("9223372036.9") == nil && WireTime.parameter("-9223372037") == nil)
        #expect(WireTime.parameter("x") == nil && WireTime.parameter("1.x") == nil)
        let time = Timestamp(nanosecondsSinceEpoch: 1_700_000_000_000_000_005)
        #expect(WireTime.parameter(WireTime.parameter(time)) == time)
    }

    @Test("An age before the beginning of time is its beginning, and one after its end its end")
    func farAges() throws {
        let old = try Filters(parsing: #"{"until":["2500000h"]}"#).until(seconds(-9_000_000_000))
        #expect(old?.nanosecondsSinceEpoch == .min)
        let far = try Filters(parsing: #"{"until":["-2500000h"]}"#).until(seconds(9_000_000_000))
        #expect(far?.nanosecondsSinceEpoch == .max)
    }

    @Test(
        "Kinds of errors survive the wire by status and message",
        arguments: [
            (EngineError.Kind.notFound, 404), (.conflict, 409), (.invalid, 400), (.denied, 403), (.unavailable, 503),
            (.unsupported, 501), (.notModified, 304), (.internal, 500),
        ])
    func errors(kind: EngineError.Kind, status: Int) {
        #expect(ErrorStatus.status(kind) == status)
        let body = EngineError(kind, "what happened").dockerBody.compactBytes
        let back = EngineError(status: status, kindField: nil, body: body, object: "web")
        #expect(back == EngineError(kind, "what happened", object: "web", isAnswer: true))
    }

    @Test("Exit codes 126 and 127 are known by docker's words, and by our own field")
    func startFailures() {
        let words = [
            ("exec: \"x\": executable file not found in $PATH", EngineError.Kind.commandNotFound),
            ("exec: \"/x\": permission denied", .commandNotExecutable),
            ("exec: \"/\": is a directory", .commandNotExecutable), ("invalid name", .invalid),
        ]
        for (message, kind) in words {
            let body = EngineError(kind, message).dockerBody.compactBytes
            #expect(EngineError(status: 400, kindField: nil, body: body, object: nil).kind == kind)
        }
        #expect(EngineError(status: 400, kindField: "commandNotFound", body: [], object: nil).kind == .commandNotFound)
        #expect(
            EngineError(status: 502, kindField: nil, body: Array("bad gateway".utf8), object: nil).message
                == "bad gateway")
    }

    @Test(
        "A server without such a route cannot do what was asked: that is no word about its object",
        arguments: [
            (404, "Not Found\n"), (404, #"{"message":"page not found"}"#), (404, "404 page not found"),
            (405, "Method Not Allowed"),
        ])
    func missingRoutes(status: Int, text: String) {
        let error = EngineError(status: status, kindField: nil, body: Array(text.utf8), object: "web")
        #expect(error.kind == .unsupported)
        #expect(error.message.hasPrefix("this engine does not offer that: "))
        let known = EngineError(status: 404, kindField: nil, body: Array("No such container: web".utf8), object: "web")
        #expect(known.kind == .notFound)
    }

    @Test("Filters come in two forms")
    func filters() throws {
        #expect(try Filters(parsing: #"{"status":{"running":true,"exited":false}}"#)["status"] == ["running"])
        #expect(try Filters(parsing: #"{"label":["a","b=c"]}"#)["label"] == ["a", "b=c"])
        #expect(try Filters(parsing: nil) == Filters())
        for text in ["[]", "{", #"{"a":1}"#, #"{"a":[1]}"#] {
            #expect(throws: EngineError.self) { try Filters(parsing: text) }
        }
        var filter = ContainerFilter(all: true)
        (filter.limit, filter.names, filter.statuses, filter.labels) = (3, ["a"], [.running], ["l=m"])
        (filter.exitCodes, filter.before, filter.ancestors) = ([1], "b", ["i"])
        let query = QueryString(parsing: String(filter.dockerQuery.encoded.dropFirst()))
        #expect(try ContainerFilter(dockerQuery: query) == filter)
        var wrong = QueryString()
        wrong.add("filters", #"{"huh":["x"]}"#)
        #expect(throws: EngineError(.invalid, "invalid filter 'huh'")) { try ContainerFilter(dockerQuery: wrong) }
    }

    @Test("Queries are decoded and encoded")
    func queries() {
        let query = QueryString(parsing: "a=1&b=x%20y+z&c&a=2&d=%zz&=")
        #expect(query["b"] == "x y z" && query["c"] == "" && query.all("a") == ["1", "2"] && query["d"] == "%zz")
        #expect(query.flag("a") && !query.flag("c") && !query.flag("x") && query.flag("x", default: true))
        #expect(Percent.encodedPath("a/b:c@d e") == "a/b:c@d%20e")
        #expect(Percent.decoded(Percent.encoded("ü/&=?#\u{0}")) == "ü/&=?#\u{0}")
    }

    @Test(
        "The tag of a pull wins over the name's own, and a digest over both",
        arguments: [
            ("x", "", "x"), ("x:", "", "x"), ("x", "1", "x:1"), ("x:old", "new", "x:new"),
            ("h:5000/x", "1", "h:5000/x:1"),
            ("h:5000/x:old", "new", "h:5000/x:new"), ("x:old", "sha256:ab", "x@sha256:ab"),
            ("x@sha256:ab", "sha256:cd", "x@sha256:cd"), ("x@sha256:ab", "1", "x@sha256:ab"),
        ])
    func pulled(name: String, tag: String, reference: String) {
        #expect(ImageName.pulled(name, tag: tag) == reference)
    }

    @Test("Versions are read, compared and refused in docker's words")
    func versions() throws {
        #expect(APIVersion("1.9")! < APIVersion("1.24")!)
        for text in ["", "1", "1.", "a.b", "1.2.3", "-1.2", "1.99999999"] { #expect(APIVersion(text) == nil) }
        #expect(throws: EngineError.self) { try APIVersion(1, 23).check() }
        let error = #expect(throws: EngineError.self) { try APIVersion(1, 52).check() }
        #expect(error?.message == "client version 1.52 is too new. Maximum supported API version is 1.51")
        try APIVersion(1, 24).check()
        #expect(APIVersion.negotiated(with: APIVersion(1, 41)) == APIVersion(1, 41))
        #expect(APIVersion.negotiated(with: APIVersion(1, 99)) == .current)
        #expect(APIVersion.negotiated(with: nil) == .minimum)
    }

    @Test(
        "Sizes are read in docker's units",
        arguments: [("10", 10), ("1k", 1024), ("1.5m", 1_572_864), ("2GB", 2 << 30), ("3mib", 3 << 20)]
            as [(String, Int64)])
    func sizes(text: String, bytes: Int64) { #expect(ByteCount.parse(text) == bytes) }

    @Test("No other form of a number is a size", arguments: ["", "0x10", "1e3", "inf", "nan", "+1", "1_0", "--1", "m"])
    func noSizes(text: String) { #expect(ByteCount.parse(text) == nil) }
}
