import OCI
import Testing

@Suite struct ReferenceTests {
    @Test(
        "A reference is read as docker reads it",
        arguments: [
            ("alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"),
            ("user/app", "docker.io/user/app:latest", "user/app:latest"),
            ("library/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("index.docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"),
            ("docker.io/user/app:v1", "docker.io/user/app:v1", "user/app:v1"),
            ("localhost/app", "localhost/app:latest", "localhost/app:latest"),
            ("localhost:5000/a/b_c/d__e:T-1.2", "localhost:5000/a/b_c/d__e:T-1.2", "localhost:5000/a/b_c/d__e:T-1.2"),
            ("ghcr.io/x/y---z", "ghcr.io/x/y---z:latest", "ghcr.io/x/y---z:latest"),
            ("Registry/app", "Registry/app:latest", "Registry/app:latest"),
            ("[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"),
            ("a:5000", "docker.io/library/a:5000", "a:5000"),
            ("docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
        ])
    func accepted(text: String, full: String, familiar: String) throws {
        let reference = try Reference(text).withDefaultTag
        #expect(reference.description == full)
        #expect(reference.familiar == familiar)
        #expect(try Reference(familiar) == reference)
    }

    @Test(
        "What is no reference is refused",
        arguments: [
            "", ":", "a:", "/a", "a/", "a//b", "-a", "a-", "a..b", "a___b", "a._b", "a:tag with space", "a:-x", "a@",
            "a@sha256:12", "a@md5:d41d8cd98f00b204e9800998ecf8427e", "häuser", "a b", "http://x/y", ".a", "a:5000:6",
            "host:port/a", "-host.x/a", "a@sha256:\(String(repeating: "A", count: 64))",
            "a:" + String(repeating: "t", count: 129),
        ])
    func refused(text: String) {
        #expect(throws: ReferenceError.invalidFormat) { try Reference(text) }
    }

    @Test("Refusals that have words of their own")
    func special() {
        #expect(throws: ReferenceError.uppercaseName("library/Alpine")) { try Reference("Alpine") }
        #expect(throws: ReferenceError.nameTooLong) { try Reference("x.y/" + String(repeating: "a", count: 252)) }
        let id = String(repeating: "0", count: 64)
        #expect(throws: ReferenceError.looksLikeID(id)) { try Reference(id) }
        #expect(ReferenceError.uppercaseName("A").description.contains("must be lowercase"))
    }

    @Test("A tag and a digest stand together")
    func digest() throws {
        let hex = String(repeating: "a", count: 64)
        let reference = try Reference("x/y:1@sha256:\(hex)")
        #expect(reference.tag == "1")
        #expect(reference.digest?.hex == hex)
        #expect(reference.withDefaultTag.familiar == "x/y:1@sha256:\(hex)")
        #expect(try Reference("x@sha256:\(hex)").withDefaultTag.tag == nil)
    }
}
