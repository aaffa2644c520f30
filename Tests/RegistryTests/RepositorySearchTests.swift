import OCI
import Testing

@testable import Registry

@Suite struct RepositorySearchTests {
    @Test(
        "A term may begin with the registry that is meant",
        arguments: [
            ("web", "docker.io", "web"), ("library/web", "docker.io", "web"), ("a/b", "docker.io", "a/b"),
            ("docker.io/library/x", "docker.io", "x"), ("index.docker.io/x", "docker.io", "x"),
            ("localhost/x", "localhost", "x"), ("reg.lan/a/b", "reg.lan", "a/b"),
            ("h:5000/library/x", "h:5000", "library/x"),
        ])
    func terms(text: String, registry: String, term: String) throws {
        let search = try RepositorySearch(text)
        #expect(search.registry == registry && search.term == term)
    }

    @Test("An address is no term")
    func scheme() {
        let error = #expect(throws: RegistryError.self) { try RepositorySearch("https://a/b") }
        #expect(error?.kind == .invalid && error?.message.contains("should not have a scheme") == true)
    }

    private static let answer = #"""
        {"num_results": 2, "query": "x", "results": [
          {"name": "web", "description": "a\u0007b", "star_count": 7, "is_official": true, "is_automated": false},
          {"name": "me/web", "is_automated": true}, {"description": "without a name"}]}
        """#

    @Test("Docker Hub is searched at its own host, with name and password where there are some")
    func hub() async throws {
        let transport = ScriptedTransport { _, _ in .init(200, [], Self.answer) }
        let client = RegistryClient(transport: transport)
        let found = try await client.search(
            try RepositorySearch("a b"), limit: 25, RegistryCredentials(user: "u", password: "p"))
        #expect(transport.lines == ["GET https://index.docker.io/v1/search?q=a%20b&n=25"])
        #expect(transport.requests.first?.field("Authorization") == "Basic dTpw")
        #expect(
            found == [
                FoundRepository(name: "web", text: "a b", stars: 7, isOfficial: true, isAutomated: false),
                FoundRepository(name: "me/web", text: "", stars: 0, isOfficial: false, isAutomated: true),
            ])
    }

    @Test("A registry of this machine may be searched in the clear; one that has no search says so")
    func others() async throws {
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            if request.address.origin.scheme == .https { throw .refused("connection refused") }
            return .init(request.address.target.contains("q=none") ? 404 : 200, [], Self.answer)
        }
        let client = RegistryClient(transport: transport)
        #expect(try await client.search(try RepositorySearch("localhost:5/x"), limit: 1, nil).count == 2)
        #expect(transport.lines.last == "GET http://localhost:5/v1/search?q=x&n=1")
        #expect(transport.requests.last?.field("Authorization") == nil)
        let error = await #expect(throws: RegistryError.self) {
            try await client.search(try RepositorySearch("localhost:5/none"), limit: 1, nil)
        }
        #expect(error?.kind == .notFound && error?.message.hasSuffix("Unexpected status code 404") == true)
    }

    @Test("What lies at an address is got over redirects; what is not there is told of with the server's words")
    func fetching() async throws {
        let transport = ScriptedTransport { request, _ in
            switch request.address.target {
            case "/a": .init(302, [("Location", "http://files.lan/b?sign=1")])
            case "/b?sign=1": .init(200, [], "bytes")
            default: .init(404, [], "no \u{1B}[1msuch file")
            }
        }
        let client = RegistryClient(transport: transport)
        let response = try await client.fetch("web.lan/a")
        #expect(try await response.next() == Array("bytes".utf8))
        #expect(transport.lines == ["GET http://web.lan/a", "GET http://files.lan/b?sign=1"])
        let error = await #expect(throws: RegistryError.self) { try await client.fetch("https://web.lan/c?token=x") }
        #expect(error?.kind == .notFound)
        #expect(error?.message == "failed to GET https://web.lan/c with status 404: no  [1msuch file")
        let wrong = await #expect(throws: RegistryError.self) { try await client.fetch("ftp://web.lan/c") }
        #expect(wrong?.message == "`ftp://web.lan/c` is no address of http or https")
    }
}
