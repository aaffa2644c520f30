import Archive
import EngineAPI
import Foundation
import Testing

@Suite struct TarScanTests {
    private static let long = String(repeating: "long/", count: 60) + "name"

    private static var archive: [UInt8] {
        var bytes: [UInt8] = []
        let writer = TarWriter<Never> { bytes += $0 }
        writer.append(TarMember("d", .directory, mode: 0o750))
        for (path, text) in [("d/empty", ""), ("d/block", String(repeating: "x", count: 512)), (long, "deep")] {
            var member = TarMember(path, .file, mode: 0o644)
            member.sizeBytes = UInt64(text.utf8.count)
            member.modified = 1_700_000_000
            writer.append(member, Array(text.utf8))
        }
        var link = TarMember("d/link", .symbolicLink, mode: 0o777)
        link.target = Array("../etc/passwd".utf8)
        writer.append(link)
        writer.finish()
        return bytes
    }

    @Test(
        "Members and what they hold are found, whatever pieces the bytes come in",
        arguments: [1, 7, 511, 512, 513, 1 << 20])
    func pieces(size: Int) throws {
        var scan = TarScan()
        var members: [TarScan.Member] = []
        var contents: [String: [UInt8]] = [:]
        let archive = Self.archive
        for start in stride(from: 0, to: archive.count, by: size) {
            for event in try scan.take(Array(archive[start..<min(archive.count, start + size)])) {
                switch event {
                case .member(let member): members.append(member)
                case .contents(let bytes): contents[members.last?.path ?? "", default: []] += bytes
                }
            }
        }
        #expect(scan.isAtEnd)
        #expect(
            members.map { $0.path.split(separator: "/").joined(separator: "/") } == [
                "d", "d/empty", "d/block", Self.long, "d/link",
            ])
        #expect(members.map(\.kind) == [.directory, .file, .file, .file, .link])
        #expect(members[0].mode == 0o040750 && members[1].mode == 0o100644)
        #expect(members[1].modifiedAt.secondsSinceEpoch == 1_700_000_000)
        #expect(members.last?.linkTarget == "../etc/passwd")
        #expect(contents["d/block"]?.count == 512 && contents["d/empty"] == nil)
        #expect(contents[Self.long] == Array("deep".utf8))
    }

    @Test("tar(1)'s own archives are read in each of its formats", arguments: ["ustar", "gnu", "posix"])
    func formats(format: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tar-scan-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let name = String(repeating: "n", count: format == "ustar" ? 90 : 140)
        try Data("hello".utf8).write(to: folder.appendingPathComponent(name))
        let file = folder.appendingPathComponent("out.tar")
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-C", folder.path, "--format", format, "-cf", file.path, "./\(name)"]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
        var scan = TarScan()
        let events = try scan.take(Array(try Data(contentsOf: file)))
        guard case .member(let member)? = events.first else { return #expect(Bool(false), "no member: \(events)") }
        #expect(member.path == "./\(name)" && member.sizeBytes == 5)
        #expect(events.last == .contents(Array("hello".utf8)))
    }

    @Test("What is no archive is refused")
    func garbage() {
        #expect(throws: EngineError.self) {
            var scan = TarScan()
            _ = try scan.take([UInt8](repeating: 0x41, count: 1024))
        }
    }

    private func stream(_ bytes: [UInt8], mode: UInt32 = 0o040755) -> PathArchive {
        PathArchive(
            stat: PathStat(
                name: "d", sizeBytes: 0, mode: mode, modifiedAt: Timestamp(nanosecondsSinceEpoch: 0),
                linkTarget: nil),
            bytes: EngineStream(
                AsyncStream {
                    $0.yield(bytes); $0.finish()
                }))
    }

    @Test("A directory's archive tells what is directly in it, and a file's what it holds")
    func directory() async throws {
        #expect(try await stream(Self.archive).directoryMembers("/d").map(\.name) == ["block", "empty", "link"])
        await #expect(throws: EngineError.self) {
            _ = try await stream(Self.archive, mode: 0o100644).directoryMembers("/d")
        }
        let file = Array(Self.archive.dropFirst(1024))
        #expect(try await stream(file).fileContents("/d/block", limitBytes: 100).count == 100)
        await #expect(throws: EngineError.self) {
            _ = try await stream(Self.archive).fileContents("/d", limitBytes: 100)
        }
    }

    @Test("A directory's archive may begin with what is in it, be that a file or a directory with more")
    func directoryWithoutItself() async throws {
        let folder = try FileManager.default.url(
            for: .itemReplacementDirectory, in: .userDomainMask, appropriateFor: URL(fileURLWithPath: "/tmp"),
            create: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let root = folder.appendingPathComponent("root")
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent("bin"), withIntermediateDirectories: true)
        for path in ["bin/sh", "hosts", "init"] {
            try Data("x".utf8).write(to: root.appendingPathComponent(path))
        }
        for (members, expected) in [
            (["bin", "hosts", "init"], ["bin", "hosts", "init"]), (["hosts", "bin"], ["bin", "hosts"]),
        ] {
            let file = folder.appendingPathComponent("out.tar")
            let tar = Process()
            tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            tar.arguments = ["tar", "-C", root.path, "-cf", file.path] + members
            try tar.run()
            tar.waitUntilExit()
            try #require(tar.terminationStatus == 0)
            let archive = stream(Array(try Data(contentsOf: file)))
            #expect(try await archive.directoryMembers("/").map(\.name) == expected)
        }
    }
}
