import Testing

@testable import Daemon

@Suite struct RouteTests {
    @Test("A path finds its route, with or without a version")
    func finding() {
        let found: [(String, String, String?)] = [
            ("GET", "/containers/json", "/containers/json"), ("GET", "/containers/web/json", "/containers/{id}/json"),
            ("GET", "/images/json", "/images/json"), ("GET", "/images/a/b:c/json", "/images/{name...}/json"),
            ("DELETE", "/images/a/b/c@sha256:1", "/images/{name...}"), ("HEAD", "/_ping", "/_ping"),
            ("HEAD", "/events", nil), ("HEAD", "/containers/x/export", nil),
            ("POST", "/exec/1/start", "/exec/{id}/start"), ("GET", "/swarm", "/swarm"),
            ("GET", "/services/a/b", "/services/{id...}"), ("POST", "/images/load", "/images/load"),
        ]
        for (method, path, pattern) in found {
            #expect(RouteTable.docker.find(method, path)?.route.pattern == pattern, "\(method) \(path)")
        }
        #expect(RouteTable.docker.find("GET", "/images/a/b:c/json")?.parameters["name"] == "a/b:c")
        #expect(RouteTable.docker.find("GET", "/containers/a%2Fb/json")?.parameters["id"] == "a/b")
        // An image's name, taken for a container's.
        let mistaken = RouteTable.docker.find("GET", "/containers/a/b/json")
        #expect(mistaken?.route.pattern == "/containers/{id}/json" && mistaken?.parameters["id"] == "a/b")
        #expect(RouteTable.docker.find("POST", "/containers/a/b/stop")?.parameters["id"] == "a/b")
        for (method, path) in [
            ("GET", "/"), ("GET", "/containers"), ("PUT", "/info"), ("GET", "/containers/a/b/nothing"),
            ("GET", "/containers//json/x"),
        ] {
            #expect(RouteTable.docker.find(method, path) == nil, "\(method) \(path)")
        }
    }

    @Test("A version is parted from its path")
    func versions() {
        #expect(VersionedPath("/v1.51/info").path == "/info")
        #expect(VersionedPath("/v1.51/info").version?.minor == 51)
        #expect(VersionedPath("/info").version == nil)
        #expect(VersionedPath("/version").path == "/version")
        #expect(VersionedPath("/v1.40").path == "/")
    }

    @Test("What is told from memory of one thing, and an exec, are answered without a change of threads, no more")
    func brevity() {
        for path in ["/_ping", "/v1.51/version", "/containers/a/json"] { #expect(Dispatcher.isBrief("GET", path)) }
        for path in ["/containers/json", "/v1.51/containers/json", "/containers/a/logs", "/info"] {
            #expect(!Dispatcher.isBrief("GET", path))
        }
        for path in ["/containers/a/exec", "/v1.51/exec/1/start"] { #expect(Dispatcher.isBrief("POST", path)) }
        for path in ["/_ping", "/containers/a/start", "/exec/1/resize", "/containers/create"] {
            #expect(!Dispatcher.isBrief("POST", path))
        }
    }

    @Test("Only attach and exec start may take a connection over")
    func hijacking() {
        for path in ["/containers/a/attach", "/v1.51/exec/1/start"] { #expect(Dispatcher.mayHijack("POST", path)) }
        for path in ["/containers/a/start", "/containers/a/attach/ws", "/exec/1/json"] {
            #expect(!Dispatcher.mayHijack("POST", path))
        }
        #expect(!Dispatcher.mayHijack("GET", "/containers/a/attach"))
    }
}
