import JSON
import OCI
import SeededNumbers
import Testing

@testable import Registry
@testable import Web

@Suite struct AddressTests {
    @Test(
        "An address is read with its origin and target",
        arguments: [
            ("https://Example.ORG", "https://example.org", 443, "/"),
            ("http://127.0.0.1:5000/v2/?n=1#part", "http://127.0.0.1:5000", 5000, "/v2/?n=1"),
            ("https://[::1]:5000/a", "https://[::1]:5000", 5000, "/a"),
            ("HTTPS://host?x=/y", "https://host", 443, "/?x=/y"),
        ])
    func read(text: String, origin: String, port: Int, target: String) throws {
        let address = try #require(WebAddress(text))
        #expect(address.origin.description == origin)
        #expect(address.origin.port == port)
        #expect(address.target == target)
    }

    @Test(
        "What is no address of the web, or could smuggle something, is none",
        arguments: [
            "", "host/path", "ftp://host/", "https://", "https:///path", "https://user:pw@host/", "https://host:0/",
            "https://host:99999/", "https://ho st/", "https://host/a\r\nX: y", "https://host:port/", "https://höst/",
        ])
    func refused(text: String) { #expect(WebAddress(text) == nil) }

    @Test(
        "A location is resolved against where it was found",
        arguments: [
            ("https://other/x", "https://other/x"), ("/v2/x?y=1", "https://host:5000/v2/x?y=1"),
            ("//other/x", "https://other/x"), ("next?z", "https://host:5000/v2/a/next?z"),
            ("?state=1", "https://host:5000/v2/a/b?state=1"),
        ])
    func resolved(location: String, expected: String) throws {
        let base = try #require(WebAddress("https://host:5000/v2/a/b?q=1"))
        #expect(base.resolving(location)?.description == expected)
    }

    @Test("A location that is no address leads nowhere", arguments: ["", "javascript:alert(1)", "file:///etc", "a b"])
    func unresolved(location: String) throws {
        #expect(try #require(WebAddress("https://host/")).resolving(location) == nil)
    }

    @Test("Parameters are encoded and added")
    func adding() throws {
        let address = try #require(WebAddress("https://host/t"))
        #expect(
            address.adding("scope", "repository:a/b:pull,push").adding("x", "ä").target
                == "/t?scope=repository%3Aa%2Fb%3Apull%2Cpush&x=%C3%A4")
    }
}

@Suite struct ChallengeTests {
    @Test(
        "Challenges are read as RFC 9110 writes them",
        arguments: [
            (#"Basic realm="x""#, [AuthChallenge(scheme: "basic", parameters: ["realm": "x"])]),
            (
                #"Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push""#,
                [
                    AuthChallenge(
                        scheme: "bearer",
                        parameters: ["realm": "https://a/t", "service": "s", "scope": "repository:a/b:pull,push"])
                ]
            ),
            (
                #"Negotiate, BASIC realm = "a \"b\"" , charset=UTF-8"#,
                [
                    AuthChallenge(scheme: "negotiate"),
                    AuthChallenge(scheme: "basic", parameters: ["realm": #"a "b""#, "charset": "UTF-8"]),
                ]
            ),
            (
                #"bearer realm=https://a/t,realm="https://evil/""#,
                [AuthChallenge(scheme: "bearer", parameters: ["realm": "https://a/t"])]
            ),
            ("", []), (#"Bearer realm="unended"#, [AuthChallenge(scheme: "bearer")]), ("=,=\"", []),
        ])
    func list(field: String, expected: [AuthChallenge]) { #expect(AuthChallenge.list(field) == expected) }

    @Test("No field makes the reader fail or run on", arguments: 0..<2000)
    func random(seed: Int) {
        var generator = SplitMix(seed: UInt64(seed))
        let alphabet = Array("Bearer realm=\"\\,;: \t\u{0}é=,\"basic".unicodeScalars)
        let text = String(
            String.UnicodeScalarView(
                (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator) ?? " "
                }))
        #expect(AuthChallenge.list(text).count <= 16)
        _ = WebAddress(text)
        _ = ContentRange(text)
    }
}

@Suite struct EndpointPlanTests {
    private func plan(
        _ registry: String, forPull: Bool = true, _ change: (inout RegistryConfiguration.Entry) -> Void = { _ in }
    ) -> [String] {
        var entry = RegistryConfiguration.Entry()
        change(&entry)
        return EndpointPlan.endpoints(for: registry, entry, forPull: forPull).map {
            "\($0.address(""))" + ($0.trust.skipsVerification ? " trusting" : "") + ($0.isMirror ? " mirror" : "")
        }
    }

    @Test("Docker's registry answers under its own name, by TLS alone")
    func hub() { #expect(plan("docker.io") == ["https://registry-1.docker.io/v2/"]) }

    @Test("This machine may answer by plain HTTP without a word in a file", arguments: ["localhost", "127.0.0.1"])
    func loopback(host: String) {
        #expect(plan("\(host):5000") == ["https://\(host):5000/v2/ trusting", "http://\(host):5000/v2/"])
    }

    @Test("Who names an authority for this machine gets no plain HTTP")
    func trusted() {
        #expect(plan("localhost:5000") { $0.trust.authorityFiles = ["/ca.pem"] } == ["https://localhost:5000/v2/"])
    }

    @Test("Mirrors come first, for pulls alone")
    func mirrors() {
        let add = { (entry: inout RegistryConfiguration.Entry) in
            entry.mirrors = ["https://m1/cache/", "http://m2:1/v2/"].compactMap { WebAddress($0) }
        }
        #expect(
            plan("docker.io", add) == [
                "https://m1/cache/v2/ mirror", "http://m2:1/v2/ mirror", "https://registry-1.docker.io/v2/",
            ])
        #expect(plan("docker.io", forPull: false, add) == ["https://registry-1.docker.io/v2/"])
    }

    @Test("A registry called plain is never tried by TLS, one called insecure is tried by both")
    func insecure() {
        #expect(plan("10.0.0.1:5000") { $0.isPlain = true } == ["http://10.0.0.1:5000/v2/"])
        #expect(
            plan("10.0.0.1:5000") { $0.isInsecure = true } == [
                "https://10.0.0.1:5000/v2/ trusting", "http://10.0.0.1:5000/v2/",
            ])
    }
}

@Suite struct RetryPlanTests {
    @Test("Delays double, are spread, and end")
    func delays() {
        let plan = RetryPlan(attempts: 4)
        #expect(plan.delay(afterFailures: 1, retryAfter: nil, chance: 1) == .milliseconds(250))
        #expect(plan.delay(afterFailures: 1, retryAfter: nil, chance: 0) == .milliseconds(125))
        #expect(plan.delay(afterFailures: 3, retryAfter: nil, chance: 1) == .seconds(1))
        #expect(plan.delay(afterFailures: 4, retryAfter: nil, chance: 1) == nil)
        #expect(RetryPlan(attempts: 100).delay(afterFailures: 99, retryAfter: nil, chance: 1) == .seconds(30))
    }

    @Test("A server's wish is met up to a limit")
    func wish() {
        let plan = RetryPlan(attempts: 4)
        #expect(plan.delay(afterFailures: 1, retryAfter: .seconds(7), chance: 0) == .seconds(7))
        #expect(plan.delay(afterFailures: 1, retryAfter: .seconds(3600), chance: 0) == nil)
        #expect(RetryPlan.retryAfter("12") == .seconds(12))
        #expect(RetryPlan.retryAfter("-1") == nil)
        #expect(RetryPlan.retryAfter("Wed, 21 Oct 2015 07:28:00 GMT") == nil)
    }

    @Test("A transfer that gets on may break for ever, one that does not gives up")
    func resume() {
        var steady = ResumePlan(RetryPlan(attempts: 3))
        for step in 1...50 { #expect(steady.broke(at: Int64(step) << 20, chance: 0) != nil) }
        var stuck = ResumePlan(RetryPlan(attempts: 3))
        #expect((1...3).map { stuck.broke(at: Int64($0), chance: 0) != nil } == [true, true, false])
    }
}

@Suite struct ProxyTests {
    private let proxies = WebProxies(environment: [
        "HTTP_PROXY": "http://plain:3128", "https_proxy": "user:pw@secure:8080/",
        "NO_PROXY":
            "direct.example, .sub.example,10.0.0.0/8,port.example:5000,fd00::1:2,fd01::/16,[fd02::1]:5000,[fd03::1]",
    ])

    @Test(
        "The environment decides which proxy an address is asked through",
        arguments: [
            ("http://a.example", "plain"), ("https://a.example", "secure"), ("https://direct.example", ""),
            ("https://x.direct.example", ""), ("https://indirect.example", "secure"), ("https://a.sub.example", ""),
            ("http://10.1.2.3:5000", ""), ("http://11.1.2.3", "plain"), ("https://port.example:5000", ""),
            ("https://port.example", "secure"), ("http://localhost:5000", ""), ("http://127.0.0.1", ""),
            ("https://[fd00::1:2]", ""), ("https://[fd00::1]:2", "secure"), ("https://[fd00:0::1:2]:5000", ""),
            ("https://[fd01:2::3]", ""), ("https://[fd04::3]", "secure"), ("https://[fd02::1]:5000", ""),
            ("https://[fd02::1]", "secure"), ("https://[fd03::1]", ""), ("https://10.0.0.0.example", "secure"),
        ])
    func choice(text: String, expected: String) throws {
        let address = try #require(WebAddress(text))
        #expect((try proxies.proxy(for: address.origin)?.host ?? "") == expected)
    }

    @Test("A proxy's password is sent to it")
    func password() throws {
        let proxy = try proxies.proxy(for: try #require(WebAddress("https://a")).origin)
        #expect(proxy?.authorization == "Basic dXNlcjpwdw==")
        #expect(proxy?.port == 8080)
    }

    @Test(
        "What a proxy's address writes by its hexadecimal digits is sent as what it stands for",
        arguments: [
            ("us%40er:p%40ss", "us@er:p@ss"), ("u:50%25", "u:50%"), ("u:a%2", "u:a%2"), ("u:%zz%2fb", "u:%zz/b"),
            ("u%3Av:p@q", "u:v:p@q"),
        ])
    func writtenPassword(written: String, sent: String) throws {
        let proxies = WebProxies(environment: ["HTTPS_PROXY": "http://\(written)@proxy:1"])
        let proxy = try proxies.proxy(for: try #require(WebAddress("https://a")).origin)
        #expect(proxy?.authorization == "Basic \(Base64Text.encoded(Array(sent.utf8)))" && proxy?.host == "proxy")
    }

    @Test(
        "A proxy that cannot be spoken to is refused, and not passed by",
        arguments: [
            ("socks5://u:secret@proxy:1080", "HTTPS_PROXY names a proxy by `socks5://`"),
            ("https://proxy", "HTTPS_PROXY names a proxy by `https://`"), ("proxy:many", "HTTPS_PROXY names no proxy"),
        ])
    func unknownProxy(text: String, reason: String) throws {
        let proxies = WebProxies(environment: ["HTTPS_PROXY": text, "NO_PROXY": "near.example"])
        let far = try #require(WebAddress("https://a")).origin
        let failure = #expect(throws: WebFailure.self) { try proxies.proxy(for: far) }
        #expect(failure?.description.hasPrefix(reason) == true)
        #expect(failure?.description.contains("secret") == false)
        #expect(try proxies.proxy(for: try #require(WebAddress("https://near.example")).origin) == nil)
    }
}
