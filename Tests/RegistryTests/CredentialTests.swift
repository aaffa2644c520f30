import Glibc
import ImageFixtures
import JSON
import Linux
import Testing

@testable import Registry

@Suite struct CredentialTests {
    private let root: TemporaryRoot

    init() throws { root = try TemporaryRoot() }

    private func file(_ text: String? = nil) throws -> CredentialFile {
        if let text { _ = try root.write("config.json", Array(text.utf8)) }
        return CredentialFile(path: "\(root.path)/config.json", environment: ["PATH": root.path])
    }

    private var text: String {
        get throws { String(decoding: try FileContents.read("\(root.path)/config.json"), as: UTF8.self) }
    }

    @Test("Credentials are found under the names that docker writes")
    func names() throws {
        let auth = #"{"auth":"dTpwOncxAA=="}"#
        let file = try file(#"{"auths":{"https://index.docker.io/v1/":\#(auth),"https://old.example/v1/":\#(auth)}}"#)
        let expected = RegistryCredentials(user: "u", password: "p:w1")
        #expect(try file.credentials(for: "docker.io") == expected)
        #expect(try file.credentials(for: "old.example") == expected)
        #expect(try file.credentials(for: "other.example") == nil)
        #expect(try CredentialFile(path: "/nonexistent/x", environment: [:]).credentials(for: "a.b") == nil)
    }

    @Test("What is kept is found again, is nobody else's to read, and leaves other members alone")
    func store() throws {
        let file = try file(#"{"psFormat":"x","auths":{"a.example":{}}}"#)
        let credentials = RegistryCredentials(user: "ü", password: "p\"w")
        #expect(try file.store(credentials, for: "b.example:5000"))
        #expect(try file.credentials(for: "b.example:5000") == credentials)
        #expect(try text.contains(#""psFormat":"x""#))
        var status = stat()
        #expect(stat(file.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(try file.erase("b.example:5000"))
        #expect(try file.credentials(for: "b.example:5000") == nil)
        #expect(try !file.erase("b.example:5000"))
    }

    @Test("A file that is a link stays one, and what it leads to is replaced")
    func linkedFile() throws {
        let kept = try root.write("kept.json", Array(#"{"psFormat":"x"}"#.utf8))
        symlink("kept.json", "\(root.path)/config.json")
        #expect(try file().store(RegistryCredentials(user: "u", password: "p"), for: "a.example"))
        var status = stat()
        #expect(lstat("\(root.path)/config.json", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        let text = String(decoding: try FileContents.read(kept), as: UTF8.self)
        #expect(text.contains("psFormat") && text.contains("a.example"))
    }

    @Test("A broken file is an error with its name, not an absence of credentials", arguments: ["{", "[]"])
    func broken(text: String) throws {
        let file = try file(text)
        let error = #expect(throws: RegistryError.self) { try file.credentials(for: "a.example") }
        #expect(error?.message.contains(file.path) == true)
    }

    /// A helper that keeps what it is told in files beside it.
    private static let helper = """
        #!/bin/sh
        here=$(dirname "$0")
        read -r line || true
        case "$1" in
        get) test "$line" = reg.example && test -e "$here/kept" || { echo "credentials not found in native keychain"; exit 1; }
            cat "$here/kept" ;;
        store) echo "$line" > "$here/kept" ;;
        erase) rm -f "$here/kept" ;;
        esac

        """

    @Test("A helper program keeps, gives and forgets credentials; the file holds no secret")
    func helper() throws {
        _ = chmod(try root.write("docker-credential-test", Array(Self.helper.utf8)), 0o755)
        var file = try file(#"{"credHelpers":{"reg.example":"test"}}"#)
        file.environment["PATH"] = "\(root.path):/usr/bin:/bin"
        #expect(try file.credentials(for: "reg.example") == nil)
        let credentials = RegistryCredentials(user: "u", password: "secret")
        #expect(try !file.store(credentials, for: "reg.example"))
        #expect(try !text.contains("secret"))
        #expect(try file.credentials(for: "reg.example") == credentials)
        let token = RegistryCredentials(user: "", password: "", identityToken: "ID")
        #expect(try !file.store(token, for: "reg.example"))
        #expect(try file.credentials(for: "reg.example") == token)
        #expect(try file.erase("reg.example"))
        #expect(try file.credentials(for: "reg.example") == nil)
    }

    @Test("A helper that is missing, or whose name is a path, is an error", arguments: ["missing", "../test"])
    func missing(name: String) throws {
        let file = try file(#"{"credsStore":"\#(name)"}"#)
        #expect(throws: RegistryError.self) { try file.credentials(for: "a.example") }
    }

    @Test(
        "What a helper says as it fails is told with what was asked of it, and nothing is kept or forgotten",
        arguments: [
            ("cat > /dev/null; echo no bus; exit 3", "no bus"), ("yes", "file too large"),
            ("cat > /dev/null; exit 1", "it failed without a word"),
        ])
    func failing(script: String, words: String) throws {
        _ = chmod(try root.write("docker-credential-test", Array("#!/bin/sh\n\(script)\n".utf8)), 0o755)
        let before = #"{"credsStore":"test","auths":{"a.example":{}}}"#
        var file = try file(before)
        file.environment["PATH"] = "\(root.path):/usr/bin:/bin"
        func check(_ action: String, _ body: () throws -> Void) {
            let error = #expect(throws: RegistryError.self) { try body() }
            let message = error?.message ?? ""
            #expect(message.hasPrefix("credential helper `docker-credential-test` \(action): "), "\(message)")
            #expect(message.contains(words), "\(message)")
        }
        check("get") { _ = try file.credentials(for: "a.example") }
        check("store") { _ = try file.store(RegistryCredentials(user: "u", password: "p"), for: "a.example") }
        check("erase") { _ = try file.erase("a.example") }
        #expect(try text == before)
    }

    @Test("A helper whose answer makes no sense has given none", arguments: ["{", "[]", #"{"Username":"u"}"#])
    func nonsense(answer: String) throws {
        let script = "#!/bin/sh\ncat > /dev/null\necho '\(answer)'\n"
        _ = chmod(try root.write("docker-credential-test", Array(script.utf8)), 0o755)
        var file = try file(#"{"credsStore":"test"}"#)
        file.environment["PATH"] = "\(root.path):/usr/bin:/bin"
        let error = #expect(throws: RegistryError.self) { try file.credentials(for: "a.example") }
        #expect(error?.message.hasPrefix("credential helper `docker-credential-test` get: ") == true)
    }

    @Test("Credentials never show their secret")
    func description() {
        let credentials = RegistryCredentials(user: "u", password: "secret", identityToken: "token")
        #expect("\(credentials) \(String(reflecting: credentials))" == "credentials of `u` credentials of `u`")
    }
}

@Suite struct ConfigurationTests {
    private let root: TemporaryRoot

    init() throws { root = try TemporaryRoot() }

    @Test("Files are read in order, the later over the earlier, with docker's directory of certificates")
    func files() throws {
        let first = try root.write(
            "a.json",
            Array(#"{"registries":{"a":{"plain-http":true},"b":{"ca":"/b.pem"}},"max-concurrent-downloads":7}"#.utf8))
        let second = try root.write("b.json", Array(#"{"registries":{"a":{"mirrors":["https://m/"]}}}"#.utf8))
        let certificates = try root.make("certs.d/b")
        for name in ["x.crt", "me.cert", "me.key", "lone.cert", "readme"] {
            _ = try root.write("certs.d/b/\(name)", [])
        }
        let configuration = try RegistryConfiguration(
            files: [first, "\(root.path)/missing.json", second], certificatesDirectory: "\(root.path)/certs.d")
        #expect(configuration.concurrentDownloads == 7)
        #expect(!configuration.entry(for: "a").isPlain)
        #expect(configuration.entry(for: "a").mirrors.map(\.description) == ["https://m/"])
        let trust = configuration.entry(for: "b").trust
        #expect(trust.authorityFiles == ["/b.pem", "\(certificates)/x.crt"])
        #expect(trust.certificateFile == "\(certificates)/me.cert")
        #expect(trust.keyFile == "\(certificates)/me.key")
    }

    @Test(
        "A mistake is told with its file and member",
        arguments: [
            (#"{"registry":{}}"#, "registry: is not known"),
            (
                #"{"registries":{"a":{"mirrors":["ftp://x"]}}}"#,
                "registries.a.mirrors: `ftp://x` is not an http or https URL"
            ),
            (#"{"registries":{"a":{"insecure":1}}}"#, "registries.a.insecure: must be true or false"),
            (#"{"max-concurrent-uploads":0}"#, "max-concurrent-uploads: must be a number from 1 to 64"),
            ("[]", "the file: must be an object"),
        ])
    func mistakes(text: String, expected: String) throws {
        let path = try root.write("a.json", Array(text.utf8))
        let error = #expect(throws: RegistryError.self) { try RegistryConfiguration(files: [path]) }
        #expect(error?.message == "`\(path)`: \(expected)")
    }
}

@Suite struct Base64Tests {
    @Test(
        "Base64 is read in both alphabets and written in either",
        arguments: ["", "f", "fo", "foo", "foob", "\u{ff}\u{fe}?>"])
    func roundTrip(text: String) {
        let bytes = Array(text.utf8)
        #expect(Base64Text.decoded(Base64Text.encoded(bytes)) == bytes)
        #expect(Base64Text.decoded(Base64Text.encoded(bytes, isForURLs: true)) == bytes)
        #expect(Base64Text.encoded(bytes).count % 4 == 0)
    }

    @Test("What is no base64 is refused", arguments: ["a", "ab cd", "a=b=", "ä"])
    func refused(text: String) { #expect(Base64Text.decoded(text) == nil) }

    @Test("Known values") func known() {
        #expect(Base64Text.encoded(Array("foob".utf8)) == "Zm9vYg==")
        #expect(Base64Text.encoded([0xff, 0xef], isForURLs: true) == "_-8=")
    }
}
