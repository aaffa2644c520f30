import DockerAPI
import EngineAPI
import Foundation
import JSON
import Testing

@testable import CLI

@Suite struct EngineChoiceTests {
    private final class Home {
        let path = "/tmp/gantry-home-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        var store: ContextStore { ContextStore(directory: "\(path)/.docker") }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private func host(_ words: String, _ environment: [String: String], _ home: Home) throws -> String? {
        let (options, _) = try GlobalOptions.split(words.split(separator: " ").map(String.init))
        let all = ["HOME": home.path].merging(environment) { $1 }
        guard case .remote(let address) = try EngineChooser(options, environment: all).choice() else { return nil }
        return address.host
    }

    @Test("The first that is given decides: option, root, variables, context")
    func order() throws {
        let home = Home()
        for name in ["here", "there"] {
            try home.store.write(
                StoredContext(name: name, description: "", host: "unix:///\(name)", skipsVerification: false),
                certificates: [:])
        }
        let all = ["GANTRY_HOST": "unix:///g", "DOCKER_HOST": "unix:///d", "DOCKER_CONTEXT": "here"]
        #expect(try host("", [:], home) == nil)
        #expect(try host("", all, home) == "unix:///g")
        #expect(try host("", ["DOCKER_HOST": "unix:///d", "DOCKER_CONTEXT": "here"], home) == "unix:///d")
        #expect(try host("", ["DOCKER_CONTEXT": "here"], home) == "unix:///here")
        #expect(try host("", ["DOCKER_HOST": ""], home) == nil)
        #expect(try host("-H unix:///o", all, home) == "unix:///o")
        #expect(try host("--context there", all, home) == "unix:///there")
        #expect(try host("-c default", ["DOCKER_HOST": "unix:///d"], home) == nil)
        #expect(try host("--root /r", all, home) == nil)
        #expect(try host("", ["GANTRY_ROOT": "/r", "DOCKER_HOST": "unix:///d"], home) == nil)
        try home.store.use("there")
        #expect(try host("", [:], home) == "unix:///there")
        #expect(try host("", ["DOCKER_CONTEXT": "default"], home) == nil)
        #expect(try host("--root /r", [:], home) == nil)
        #expect(try host("", ["GANTRY_ROOT": "/r"], home) == nil)
        #expect(try host("", ["GANTRY_ROOT": "/r", "DOCKER_CONTEXT": "here"], home) == nil)
        #expect(throws: EngineError.self) { try host("--context none", [:], home) }
        #expect(throws: EngineError.self) { try host("--context here -H unix:///o", [:], home) }
    }

    @Test("Certificates come from options, from docker's variables, or with the context")
    func certificates() throws {
        let home = Home()
        let files = Dictionary(uniqueKeysWithValues: ["ca.pem", "cert.pem", "key.pem"].map { ($0, Array($0.utf8)) })
        try home.store.write(
            StoredContext(name: "tls", description: "", host: "tcp://h", skipsVerification: true), certificates: files)
        func chosen(_ words: [String], _ environment: [String: String] = [:]) throws -> EngineAddress? {
            let (options, _) = try GlobalOptions.split(words)
            let all = ["HOME": home.path].merging(environment) { $1 }
            guard case .remote(let address) = try EngineChooser(options, environment: all).choice() else { return nil }
            return address
        }
        let stored = try chosen(["--context", "tls"])
        #expect(stored?.endpoint == .tcp(host: "h", port: 2376) && stored?.certificates?.skipsVerification == true)
        #expect(stored?.certificates?.keyFile?.hasSuffix("/docker/key.pem") == true)
        #expect(try chosen(["-H", "tcp://h"])?.certificates == nil)
        let named = try chosen([
            "--tlsverify", "--tlscacert", "/a", "--tlscert=/c", "--tlskey", "/k", "-H", "tcp://h:1",
        ])
        #expect(named?.certificates?.authorityFile == "/a" && named?.certificates?.skipsVerification == false)
        let folder = home.store.tlsPath("tls") + "/docker"
        let variables = ["DOCKER_HOST": "tcp://h", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": folder]
        #expect(try chosen([], variables)?.certificates?.certificateFile == "\(folder)/cert.pem")
        #expect(try chosen(["--tls", "-H", "tcp://h"])?.certificates?.skipsVerification == true)
    }

    @Test(
        "An address is read as docker reads it, and what is none is refused",
        arguments: [
            ("unix:///a b", EngineAddress.Endpoint.unix(path: "/a b")), ("tcp://h", .tcp(host: "h", port: 2375)),
            ("tcp://h:1/x", .tcp(host: "h", port: 1)), ("tcp://[::1]:5", .tcp(host: "::1", port: 5)),
            ("tcp://h:x", nil), ("tcp://", nil), ("tcp://h:99999", nil), ("unix://", nil), ("h:5", nil),
            ("ssh://-oProxyCommand=x", nil), ("ssh://a:secret@h", nil), ("ssh://h/a'b", nil), ("ssh://h?x=1", nil),
            ("ssh://h/x.sock;id", nil), ("ssh://h/$(id)", nil), ("ssh://h/`id`", nil), ("ssh://h/a&b", nil),
            ("ssh://h;id", nil), ("ssh://$(id)@h", nil), ("ssh://h/a|b", nil), ("ssh://h/[ab]", nil),
            ("ssh://h/a>b", nil), ("ssh://h/a\\b", nil), ("ssh://h/a\"b", nil),
            ("npipe:////./pipe/docker", nil),
        ])
    func addresses(text: String, endpoint: EngineAddress.Endpoint?) throws {
        guard let endpoint else {
            let error = #expect(throws: EngineError.self) { try EngineAddress(text) }
            #expect(error?.message.contains("secret") == false)
            return
        }
        #expect(try EngineAddress(text).endpoint == endpoint)
    }

    @Test("ssh gets the user, the port, and a command that no name can add an option to")
    func ssh() throws {
        guard case .ssh(let target) = try EngineAddress("ssh://me@h:22/run/x.sock").endpoint else {
            Issue.record("`ssh://` is another endpoint")
            return
        }
        #expect(target.user == "me" && target.port == 22 && target.socketPath == "/run/x.sock")
        let words = target.command
        #expect(words.dropLast(2).suffix(5) == ["-l", "me", "-p", "22", "--"] && words.dropLast().last == "h")
        #expect(words.last?.contains("gantry -H unix:///run/x.sock system dial-stdio") == true)
    }

    @Test("https is spoken with TLS also where no certificate is named, and with those that are")
    func https() throws {
        let address = try EngineAddress("https://h")
        #expect(address.endpoint == .tcp(host: "h", port: 2376))
        #expect(address.certificates == EngineAddress.Certificates())
        var named = EngineAddress.Certificates()
        named.authorityFile = "/ca.pem"
        #expect(try EngineAddress("https://h:1", certificates: named).certificates == named)
        #expect(try EngineAddress("http://h").certificates == nil)
        guard case .ssh(let target) = try EngineAddress("ssh://me@[::1]/run/user/1000/é-1_2.sock").endpoint else {
            Issue.record("a path of plain letters is refused")
            return
        }
        #expect(target.host == "::1" && target.socketPath == "/run/user/1000/é-1_2.sock")
    }

    @Test("The choice of a context keeps what docker's configuration holds beside it")
    func configuration() throws {
        let home = Home()
        let folder = "\(home.path)/.docker"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(#"{"auths":{"r":{"auth":"eDp5"}},"psFormat":"x"}"#.utf8)
            .write(to: URL(fileURLWithPath: "\(folder)/config.json"))
        try home.store.use("a")
        try home.store.use(nil)
        try home.store.use("b")
        let text = try String(contentsOfFile: "\(folder)/config.json", encoding: .utf8)
        let value = try JSONValue(parsing: text)
        #expect(value["currentContext"] == "b" && value["psFormat"] == "x" && value["auths"]?["r"]?["auth"] == "eDp5")
        #expect(try home.store.current() == "b")
    }

    @Test("Where docker's configuration is a link, the choice goes where it leads, and the link stays")
    func linkedConfiguration() throws {
        let home = Home()
        let folder = "\(home.path)/.docker"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(#"{"psFormat":"x"}"#.utf8).write(to: URL(fileURLWithPath: "\(home.path)/kept.json"))
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/config.json", withDestinationPath: "../kept.json")
        try home.store.use("a")
        let value = try JSONValue(parsing: String(contentsOfFile: "\(home.path)/kept.json", encoding: .utf8))
        #expect(value["currentContext"] == "a" && value["psFormat"] == "x")
        let link = try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/config.json")
        #expect(link == "../kept.json")
    }

    @Test(
        "Names of contexts are docker's",
        arguments: [("ab", true), ("a", false), ("-a", false), ("a/b", false), ("A_.+-", true), ("", false)])
    func names(text: String, isName: Bool) { #expect(StoredContext.isName(text) == isName) }
}
