import Content
import JSON
import OCI
import Testing

@testable import Registry

@Suite struct ClientTests {
    private func session(
        _ transport: ScriptedTransport, _ name: String = "registry.example/app:1",
        clock: RecordingClock = RecordingClock(),
        purpose: RegistrySession.Purpose = .pull, credentials: RegistryCredentials? = nil,
        _ configuration: RegistryConfiguration = RegistryConfiguration()
    ) throws -> RegistrySession {
        let client = RegistryClient(transport: transport, configuration: configuration, clock: clock, chance: { 1 })
        return RegistrySession(client, try Reference(name), purpose: purpose, credentials: credentials)
    }

    private static let manifest = #"{"schemaVersion":2,"mediaType":"\#(ImageMediaType.manifest)"}"#
    private static let type = ("Content-Type", ImageMediaType.manifest)
    private static let bearer = ("WWW-Authenticate", #"Bearer realm="https://auth.example/token",service="s""#)

    @Test("A challenge is answered by a token for the repository, which then serves further requests")
    func token() async throws {
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            if request.address.origin.host == "auth.example" {
                return .init(200, [], #"{"token":"T","expires_in":300}"#)
            }
            return request.field("Authorization") == "Bearer T"
                ? .init(200, [Self.type], Self.manifest) : .init(401, [Self.bearer])
        }
        let session = try session(transport, credentials: RegistryCredentials(user: "u", password: "p"))
        _ = try await session.manifest("1")
        _ = try await session.manifest("2")
        #expect(
            transport.lines == [
                "GET https://registry.example/v2/app/manifests/1",
                "GET https://auth.example/token?service=s&scope=repository%3Aapp%3Apull&account=u",
                "GET https://registry.example/v2/app/manifests/1", "GET https://registry.example/v2/app/manifests/2",
            ])
        #expect(transport.requests[0].field("Authorization") == nil)
        #expect(transport.requests[1].field("Authorization") == "Basic dTpw")
    }

    @Test("A list of tags that is longer than any is not kept to its end")
    func endlessTags() async throws {
        let tag = String(repeating: "t", count: 3 << 20)
        let transport = ScriptedTransport { _, count throws(WebFailure) in
            .init(
                200, [("Link", #"</v2/app/tags/list?last=\#(count)>; rel="next""#)],
                #"{"name":"app","tags":["\#(tag)"]}"#)
        }
        let error = await #expect(throws: RegistryError.self) { try await session(transport).tags() }
        #expect(error?.message.hasSuffix("the list of tags is longer than 33554432 bytes") == true)
        #expect(transport.requests.count == 11)
    }

    @Test("A token that is not good any more is replaced once; a second refusal is the answer")
    func refresh() async throws {
        let transport = ScriptedTransport { request, count throws(WebFailure) in
            if request.address.origin.host == "auth.example" {
                return .init(200, [], #"{"access_token":"T\#(count)"}"#)
            }
            return request.field("Authorization") == "Bearer T4" || count == 2
                ? .init(200, [Self.type], Self.manifest) : .init(401, [Self.bearer])
        }
        let session = try session(transport)
        _ = try await session.manifest("1")
        _ = try await session.manifest("1")
        #expect(transport.requests.count == 6)
        let refusing = ScriptedTransport { request, _ throws(WebFailure) in
            request.address.origin.host == "auth.example"
                ? .init(200, [], #"{"token":"T"}"#)
                : .init(
                    401, [Self.bearer], #"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
        }
        let failing = try self.session(refusing)
        let error = await #expect(throws: RegistryError.self) { try await failing.manifest("1") }
        #expect(error?.kind == .unauthorized)
        #expect(
            error?.message == "pull access denied for registry.example/app, repository does not exist or may require "
                + "'docker login': unauthorized: authentication required")
        #expect(refusing.requests.count == 3)
    }

    @Test("An identity token is sent in the body of a POST, and nothing else")
    func identityToken() async throws {
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            if request.address.origin.host == "auth.example" { return .init(200, [], #"{"access_token":"A"}"#) }
            return request.field("Authorization") == nil
                ? .init(401, [Self.bearer]) : .init(200, [Self.type], Self.manifest)
        }
        let credentials = RegistryCredentials(user: "", password: "", identityToken: "ID+")
        _ = try await session(transport, credentials: credentials).manifest("1")
        #expect(transport.lines[1] == "POST https://auth.example/token")
        guard case .bytes(let body) = transport.requests[1].body else { throw RegistryError(.invalid, "no body") }
        #expect(String(decoding: body, as: UTF8.self).contains("refresh_token=ID%2B"))
        #expect(transport.requests[1].field("Authorization") == nil)
    }

    @Test("A login asks for a token in the password's place, and gives what the registry gave")
    func login() async throws {
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            if request.address.origin.host == "auth.example" {
                return .init(200, [], #"{"token":"T","refresh_token":"REFRESH"}"#)
            }
            return request.field("Authorization") == "Bearer T" ? .init(200, [], "{}") : .init(401, [Self.bearer])
        }
        let client = RegistryClient(transport: transport, clock: RecordingClock(), chance: { 1 })
        let credentials = RegistryCredentials(user: "u", password: "p")
        for _ in 0..<2 { #expect(try await client.login("registry.example", credentials) == "REFRESH") }
        let request = "GET https://auth.example/token?service=s&account=u&client_id=gantry&offline_token=true"
        #expect(transport.lines.filter { $0 == request }.count == 2)
    }

    @Test("A password is not sent in the clear to where a registry behind TLS wants it")
    func clearRealm() async throws {
        let transport = ScriptedTransport { _, _ throws(WebFailure) in
            .init(401, [("WWW-Authenticate", #"Bearer realm="http://auth.example/token""#)])
        }
        let session = try session(transport, credentials: RegistryCredentials(user: "u", password: "p"))
        let error = await #expect(throws: RegistryError.self) { try await session.manifest("1") }
        #expect(error?.kind == .denied)
        #expect(transport.requests.count == 1)
    }

    @Test("What authenticates at a registry, and its trust, do not follow a redirect to another host")
    func redirectLeaksNothing() async throws {
        let body = "layer"
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            switch request.address.origin.host {
            case "storage.example": return .init(200, [], body)
            default:
                return request.field("Authorization") == nil
                    ? .init(401, [("WWW-Authenticate", #"Basic realm="r""#)])
                    : .init(307, [("Location", "https://storage.example/blob?signature=1")])
            }
        }
        var configuration = RegistryConfiguration()
        configuration.certificatesDirectory = nil
        var entry = RegistryConfiguration.Entry()
        entry.isInsecure = true
        entry.trust.authorityFiles = ["/ca.pem"]
        entry.trust.keyFile = "/key.pem"
        configuration.registries["registry.example"] = entry
        let session = try session(
            transport, credentials: RegistryCredentials(user: "u", password: "p"), configuration)
        let sink = MemorySink()
        try await session.download(descriptor(body), to: sink) { _ in }
        #expect(sink.bytes == Array(body.utf8))
        let last = try #require(transport.requests.last)
        #expect(last.address.description == "https://storage.example/blob?signature=1")
        #expect(last.field("Authorization") == nil)
        #expect(last.trust.keyFile == nil && !last.trust.skipsVerification)
        #expect(last.trust.authorityFiles == ["/ca.pem"])
    }

    @Test("Redirects end after ten, and never lead from TLS to plain HTTP")
    func redirectLimits() async throws {
        let endless = ScriptedTransport { _, count throws(WebFailure) in .init(302, [("Location", "/\(count)")]) }
        let error = await #expect(throws: RegistryError.self) { try await session(endless).manifest("1") }
        #expect(error?.message == "pull registry.example/app:1: stopped after 10 redirects")
        #expect(endless.requests.count == 11)
        let downgrade = ScriptedTransport { _, _ throws(WebFailure) in .init(302, [("Location", "http://a/")]) }
        let refused = await #expect(throws: RegistryError.self) { try await session(downgrade).manifest("1") }
        #expect(refused?.kind == .denied)
        #expect(downgrade.requests.count == 1)
    }

    @Test("A busy server is asked again when it said, a broken connection after growing delays")
    func retries() async throws {
        let clock = RecordingClock()
        let transport = ScriptedTransport { _, count throws(WebFailure) in
            switch count {
            case 0: return .init(429, [("Retry-After", "3")])
            case 1: throw .closed
            case 2: return .init(503)
            default: return .init(200, [Self.type], Self.manifest)
            }
        }
        _ = try await session(transport, clock: clock).manifest("1")
        #expect(clock.waits == [.seconds(3), .milliseconds(500), .seconds(1)])
        let down = ScriptedTransport { _, _ throws(WebFailure) in throw .cannotConnect("Connection refused") }
        let error = await #expect(throws: RegistryError.self) { try await session(down).manifest("1") }
        #expect(error?.kind == .unavailable)
        #expect(down.requests.count == 5)
        let absent = ScriptedTransport { _, _ throws(WebFailure) in throw .refused("connection refused") }
        let refusal = await #expect(throws: RegistryError.self) { try await session(absent).manifest("1") }
        #expect(refusal?.kind == .unavailable && absent.requests.count == 1, "nobody listens: it is not tried again")
    }

    @Test("A token that has ended while a busy server was waited for is replaced")
    func endedToken() async throws {
        let transport = ScriptedTransport { request, count throws(WebFailure) in
            if request.address.origin.host == "auth.example" {
                return .init(200, [], #"{"token":"T\#(count)","expires_in":60}"#)
            }
            switch (request.field("Authorization"), count) {
            case ("Bearer T1", 2): return .init(429, [("Retry-After", "100")])
            case ("Bearer T4", _): return .init(200, [Self.type], Self.manifest)
            default: return .init(401, [Self.bearer])
            }
        }
        _ = try await session(transport).manifest("1")
        #expect(transport.requests.count == 6)
    }

    @Test("A download goes on where it broke, whether the server knows ranges or not", arguments: [true, false])
    func resume(knowsRanges: Bool) async throws {
        let text = String(repeating: "0123456789", count: 100)
        let transport = ScriptedTransport { request, count throws(WebFailure) in
            if count == 0 { return .init(200, [], String(text.prefix(300)), failure: .closed) }
            guard knowsRanges else { return .init(200, [], text) }
            return .init(206, [("Content-Range", "bytes 300-999/1000")], String(text.dropFirst(300)))
        }
        let sink = MemorySink()
        try await session(transport).download(descriptor(text), to: sink) { _ in }
        #expect(sink.bytes == Array(text.utf8))
        #expect(transport.requests[1].field("Range") == "bytes=300-")
    }

    @Test("A server that sends more or less than a layer's size is refused")
    func lyingSizes() async throws {
        let more = ScriptedTransport { _, _ throws(WebFailure) in .init(200, [], "123456") }
        let error = await #expect(throws: RegistryError.self) {
            try await session(more).download(descriptor("12345"), to: MemorySink()) { _ in }
        }
        #expect(error?.kind == .invalid)
        #expect(more.requests.count == 1)
        let less = ScriptedTransport { _, count throws(WebFailure) in .init(200, [], "1234") }
        let short = await #expect(throws: RegistryError.self) {
            try await session(less).download(descriptor("12345"), to: MemorySink()) { _ in }
        }
        #expect(short?.kind == .unavailable)
        #expect(less.requests.count == 5)
    }

    @Test("A mirror that fails is passed by, and gets no credentials of the registry")
    func mirror() async throws {
        var configuration = RegistryConfiguration()
        configuration.certificatesDirectory = nil
        var entry = RegistryConfiguration.Entry()
        entry.mirrors = [try #require(WebAddress("https://mirror.example"))]
        configuration.registries["registry.example"] = entry
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            if request.address.origin.host == "mirror.example" {
                return request.address.target.contains("/1") ? .init(404) : .init(401, [("WWW-Authenticate", "Basic")])
            }
            return .init(200, [Self.type], Self.manifest)
        }
        let session = try session(
            transport, credentials: RegistryCredentials(user: "u", password: "p"), configuration)
        _ = try await session.manifest("1")
        #expect(
            transport.lines == [
                "GET https://mirror.example/v2/app/manifests/1", "GET https://registry.example/v2/app/manifests/1",
            ])
        #expect(transport.requests.allSatisfy { $0.field("Authorization") == nil })
    }

    @Test(
        "A manifest that is not what it is said to be is refused",
        arguments: [
            (ImageMediaType.manifest, #"{"mediaType":"\#(ImageMediaType.index)"}"#, ""),
            ("application/json", #"{"schemaVersion":1,"name":"x"}"#, ""),
            ("text/html", "<html>", ""), (ImageMediaType.manifest, "{", ""),
            (ImageMediaType.manifest, "{}", "sha256:" + String(repeating: "0", count: 64)),
        ])
    func badManifests(type: String, text: String, digest: String) async throws {
        let transport = ScriptedTransport { _, _ throws(WebFailure) in
            .init(200, [("Content-Type", type), ("Docker-Content-Digest", digest)], text)
        }
        let error = await #expect(throws: RegistryError.self) { try await session(transport).manifest("1") }
        #expect(error?.kind == .invalid || error?.kind == .unsupported)
        #expect(error?.message.contains("registry.example/app:1") == true)
    }

    @Test("A manifest larger than four MiB is not read to its end")
    func hugeManifest() async throws {
        let transport = ScriptedTransport { _, _ throws(WebFailure) in
            var answer = ScriptedTransport.Answer(200, [Self.type])
            answer.pieces = Array(repeating: [UInt8](repeating: 32, count: 1 << 20), count: 100)
            return answer
        }
        let error = await #expect(throws: RegistryError.self) { try await session(transport).manifest("1") }
        #expect(error?.message == "pull registry.example/app:1: manifest: the answer is longer than 4194304 bytes")
    }

    @Test("A refusal's words are one bounded line without control bytes")
    func words() async throws {
        let long = String(repeating: "x", count: 5000)
        let transport = ScriptedTransport { _, _ throws(WebFailure) in
            .init(403, [], #"{"errors":[{"code":"DENIED","message":"a\u001b[2J\n\#(long)"}]}"#)
        }
        let error = await #expect(throws: RegistryError.self) { try await session(transport).manifest("1") }
        let message = try #require(error?.message)
        #expect(message.utf8.count < 700)
        #expect(message.unicodeScalars.allSatisfy { $0.value >= 32 })
    }

    @Test(
        "No text of a registry's reaches a terminal with what could drive it",
        arguments: ["\u{1B}]0;t\u{7}", "\u{9B}2J"])
    func drivenTerminal(sequence: String) async throws {
        let text = sequence.unicodeScalars.map { "\\u00" + String($0.value + 0x1000, radix: 16).suffix(2) }.joined()
        let documents = [
            #"{"mediaType":"\#(text)"}"#, #"{"schemaVersion":2,"\#(text)":"#,
            #"{"schemaVersion":2,"mediaType":"\#(ImageMediaType.index)\#(text)"}"#,
        ]
        for document in documents {
            let transport = ScriptedTransport { _, _ throws(WebFailure) in .init(200, [], document) }
            let error = await #expect(throws: RegistryError.self) { try await session(transport).manifest("1") }
            let message = try #require(error?.message)
            #expect(message.unicodeScalars.allSatisfy { $0.value >= 32 && !(127...159).contains($0.value) })
        }
        #expect(
            RegistryError.harmless("a\(sequence)é") == "a"
                + sequence.unicodeScalars.map {
                    $0.value < 32 || (127...159).contains($0.value) ? " " : String($0)
                }.joined() + "é")
    }

    private func descriptor(_ text: String) -> ContentDescriptor {
        ContentDescriptor(
            mediaType: ImageMediaType.layerGzip, digest: .sha256(of: Array(text.utf8)),
            sizeBytes: Int64(text.utf8.count))
    }
}
