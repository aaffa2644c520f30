import Archive
import EngineAPI
import Foundation
import JSON
import Testing

@testable import CLI

@Suite struct ContextArchiveTests {
    private let context = StoredContext(
        name: "far", description: "of old", host: "tcp://h:2376", skipsVerification: false)

    private func archive(_ members: [(String, TarMember.Kind, String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        let writer = TarWriter<Never> { bytes += $0 }
        for (path, kind, text) in members {
            var member = TarMember(path, kind, mode: 0o600)
            member.sizeBytes = UInt64(text.utf8.count)
            writer.append(member, Array(text.utf8))
        }
        writer.finish()
        return bytes
    }

    @Test("A context comes back under its new name, with its keys and what others keep in it")
    func roundTrip() throws {
        var given = context
        given.body = ["Name": "far", "Metadata": ["Other": 1], "Endpoints": ["docker": ["Host": "tcp://h:2376"]]]
        let secrets: [String: [UInt8]] = ["docker/ca.pem": [1], "docker/key.pem": [2, 3], "other/x": []]
        let read = try ContextArchive(parsing: ContextArchive(given, secrets: secrets).bytes, name: "near")
        #expect(read.secrets == secrets)
        #expect(read.context.name == "near" && read.context.host == "tcp://h:2376")
        #expect(read.context.body["Metadata"] == ["Other": 1])
    }

    @Test("The store gives what it was given, and the archive's keys lie where the engine's client looks for them")
    func stored() throws {
        let folder = "/tmp/gantry-contexts-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = ContextStore(directory: folder)
        try store.write(context, certificates: ["ca.pem": [1], "cert.pem": [2], "key.pem": [3]])
        let archive = ContextArchive(try store.find("far"), secrets: try store.secrets("far"))
        let read = try ContextArchive(parsing: archive.bytes, name: "near")
        try store.write(read.context, secrets: read.secrets)
        #expect(try store.all().map(\.name) == ["far", "near"])
        #expect(store.certificateFiles("near").keys.sorted() == ["ca.pem", "cert.pem", "key.pem"])
        let key = try #require(store.certificateFiles("near")["key.pem"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: key)) == Data([3]))
        let mode = try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("An archive that ends with its last file's last byte, as docker's do, is whole; one cut before is not")
    func withoutEnd() throws {
        let whole = archive([("meta.json", .file, #"{"Name":"a"}"#), ("tls/docker/ca.pem", .file, "secret")])
        let end = 3 * 512 + 6
        let read = try ContextArchive(parsing: Array(whole[..<end]), name: "b")
        #expect(read.secrets == ["docker/ca.pem": Array("secret".utf8)])
        #expect(throws: EngineError.self) { try ContextArchive(parsing: Array(whole[..<(end - 1)]), name: "b") }
    }

    @Test(
        "What is no export, or would write elsewhere, is refused",
        arguments: [
            ("tls/../../x", "unexpected path format"), ("tls/docker/../x", "unexpected path format"),
            ("tls/docker", "unexpected path format"), ("tls//x", "unexpected path format"),
            ("/etc/passwd", "unexpected context file"), ("./meta.json", "unexpected context file"),
            ("other.json", "unexpected context file"),
        ])
    func refused(path: String, reason: String) {
        let bytes = archive([("meta.json", .file, #"{"Name":"a"}"#), (path, .file, "x")])
        let error = #expect(throws: EngineError.self) { try ContextArchive(parsing: bytes, name: "b") }
        #expect(error?.message.contains(reason) == true && error?.kind == .invalid, "\(error?.message ?? "")")
    }

    @Test("Without its metadata, or with what is no JSON in its place, nothing is made")
    func metadata() {
        let all: [[(String, TarMember.Kind, String)]] = [
            [], [("tls/docker/ca.pem", .file, "x")], [("meta.json", .file, "{")],
        ]
        for members in all {
            #expect(throws: EngineError.self) { try ContextArchive(parsing: archive(members), name: "b") }
        }
        #expect(throws: EngineError.self) { try ContextArchive(parsing: Array("no archive at all".utf8), name: "b") }
    }
}
