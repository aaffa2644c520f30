import EngineAPI
import JSON
import SeededNumbers
import Testing
import Transport

@testable import Daemon

/// Random requests made of a corpus of true ones: whatever comes, there is an answer in docker's form.
@Suite struct FuzzTests {
    private static let paths = [
        "/_ping", "/version", "/info", "/containers/json", "/containers/a/json", "/containers/create?name=a",
        "/containers/a/start", "/containers/a/stop?t=1", "/containers/a/kill?signal=TERM", "/containers/a/top",
        "/containers/a/logs?stdout=1&tail=5", "/containers/a/resize?h=24&w=80", "/containers/a/exec",
        "/containers/a/archive?path=/etc", "/containers/a/update", "/containers/a/rename?name=b", "/containers/prune",
        "/exec/x/start", "/exec/x/json", "/images/json", "/images/a/json", "/images/create?fromImage=a&tag=1",
        "/images/a/b:1/push", "/images/load", "/images/prune", "/networks", "/networks/create", "/networks/a/connect",
        "/volumes", "/volumes/create", "/auth", "/system/df", "/swarm", "/plugins", "/build", "/metrics", "/debug/vars",
        "/containers/a/attach/ws", "/gantry/stats?ids=a",
    ]
    private static let bodies = [
        #"{"Image":"gantry/scripted","Cmd":["sleep"],"HostConfig":{"NetworkMode":"none","Memory":8000000}}"#,
        #"{"Cmd":["echo","x"],"AttachStdout":true}"#, #"{"Detach":true,"Tty":false}"#,
        #"{"Name":"n","IPAM":{"Config":[{"Subnet":"10.9.0.0/24"}]}}"#, #"{"Container":"a","EndpointConfig":{}}"#,
        #"{"username":"u","password":"p","serveraddress":"r"}"#, #"{"Memory":1,"RestartPolicy":{"Name":"always"}}"#,
        #"{"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"1-2"}]},"Binds":["/a:/b:ro"],"Mounts":[{"Type":"bind"}]}}"#,
        "[]", "null", "", "{\"a\":1e999}", String(repeating: "[", count: 2000),
    ]
    /// What a query or a path is spoiled with: tricks on paths, on encodings and on numbers.
    private static let spoils = [
        "/..", "/%2e%2e/", "//", "%00", "%zz", "%", "?", "&=&", "=", "%F0%28%8C%28", "/v1.51", "/v99.99", "/v1.-1",
        "?filters=%7B%22label%22%3A%7B%22a%22%3A1%7D%7D", "?filters=[", "?limit=-5", "?limit=99999999999999999999",
        "?h=-1&w=70000", "?since=huh", "?tail=-3", "?t=1e9", "?signal=%0a", "?name=%2F..%2F", "?platform=linux/x/y/z",
        "?detachKeys=ctrl-", "?path=%00", "é", ";", "\\", "?condition=x", "?stdin=2&stream=maybe",
    ]

    private static func request(_ numbers: inout SplitMix) -> HTTPCall {
        var path = paths.randomElement(using: &numbers) ?? "/"
        if Bool.random(using: &numbers) { path = "/v1.\(Int.random(in: 20...60, using: &numbers))" + path }
        for _ in 0..<Int.random(in: 0...2, using: &numbers) {
            let spoil = spoils.randomElement(using: &numbers) ?? ""
            let position = path.index(path.startIndex, offsetBy: Int.random(in: 1...path.count, using: &numbers))
            path.insert(contentsOf: spoil, at: position)
        }
        let method = ["GET", "POST", "DELETE", "PUT", "HEAD", "PATCH"].randomElement(using: &numbers) ?? "GET"
        var call = HTTPCall(method, path.filter { $0 != " " })
        var body = Array((bodies.randomElement(using: &numbers) ?? "").utf8)
        for _ in 0..<Int.random(in: 0...4, using: &numbers) where !body.isEmpty {
            let index = Int.random(in: body.indices, using: &numbers)
            body[index] = UInt8.random(in: 0...255, using: &numbers)
        }
        if method != "GET", method != "HEAD" { call.body = .bytes(body) }
        if Bool.random(using: &numbers) { call.fields["Content-Type"] = "application/json" }
        call.fields["X-Registry-Auth"] = ["", "e30=", "!!", "bnVsbA=="].randomElement(using: &numbers)
        return call
    }

    /// Those that go on until somebody has enough.
    private static func isStream(_ call: HTTPCall) -> Bool {
        ["stats", "events", "attach", "wait", "/start", "logs"].contains { call.target.contains($0) }
    }

    @Test("No request is without an answer, and each that fails says why in docker's form", arguments: 0..<8)
    func requests(seed: UInt64) async throws {
        let served = try await Served()
        var numbers = SplitMix(seed: seed)
        for _ in 0..<250 {
            let call = Self.request(&numbers)
            let response: HTTPResponse
            do throws(TransportError) { response = try await served.client.send(call) } catch {
                Issue.record("\(call.method) \(call.target): \(error)")
                continue
            }
            #expect((200..<600).contains(response.status) && response.status != 500, "\(call.method) \(call.target)")
            if response.status < 400, Self.isStream(call) { continue }
            let bytes = try await response.body.collect(limitBytes: 1 << 22)
            guard response.status >= 400, call.method != "HEAD" else { continue }
            // A target that is no HTTP is refused before anybody speaks docker's language.
            let isPlain = response.fields["Content-Type"] == "text/plain"
            let message = isPlain ? "plain" : try JSONValue(parsing: bytes)["message"]?.string ?? ""
            #expect(!message.isEmpty, "\(call.method) \(call.target): \(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(try await served.call("GET", "/_ping").text == "OK")
        await served.stop()
    }
}
