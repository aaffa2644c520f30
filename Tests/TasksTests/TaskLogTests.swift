import EngineAPI
import Glibc
import JSON
import Linux
import Testing

@testable import Tasks

/// The log that a real shim writes of what a real container says.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TaskBench.missing == nil, "needs root, busybox-static and gantry-shim beside the tests"))
struct TaskLogTests {
    @Test("A full log becomes .1, the oldest goes, and no line is torn or lost in between")
    func rotation() async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "seq 1 3000")
            spec.log = TaskLog(path: "\(bench.root)/a.log", maximumSizeBytes: 100_000, maximumFiles: 3)
            try await bench.run(spec)
            #expect(try await bench.exit(of: "a").code == 0)
            #expect(access("\(bench.root)/a.log.3", F_OK) != 0)
            var numbers: [Int] = []
            for file in [".2", ".1", ""] {
                let size = try FileContents.read("\(bench.root)/a.log\(file)").count
                #expect(size <= 100_200)
                numbers += try bench.log("a", file: file).compactMap { Int($0["log"]?.string?.dropLast() ?? "") }
            }
            let first = try #require(numbers.first)
            #expect(numbers == Array(first...3000))
        }
    }

    @Test("Old files are packed while the container runs, and no line is lost over that")
    func packing() async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "for i in 1 2 3; do seq 1 700; read x; done")
            spec.input = .open
            spec.log = TaskLog(path: "\(bench.root)/a.log", maximumSizeBytes: 20_000, maximumFiles: 10)
            spec.log?.packs = true
            _ = try await bench.service.create(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await bench.service.start("a")
            for _ in 1...3 {
                _ = try await bench.read(stream, until: "700\n")
                try await Self.untilPacked(bench.root)
                try await stream.write([10])
            }
            #expect(try await bench.exit(of: "a").code == 0)
            var text: [UInt8] = []
            var number = 1
            var old: [[UInt8]] = []
            while access("\(bench.root)/a.log.\(number).gz", F_OK) == 0 {
                old.append(try Self.unpacked("\(bench.root)/a.log.\(number).gz"))
                number += 1
            }
            #expect(number > 5)
            for file in old.reversed() { text += file }
            text += try FileContents.read("\(bench.root)/a.log")
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
            let numbers = try lines.compactMap { try JSONValue(parsing: String($0))["log"]?.string?.dropLast() }
            #expect(numbers.compactMap { Int($0) } == Array(1...700) + Array(1...700) + Array(1...700))
        }
    }

    @Test("Rotations that outrun the packing leave nothing plain for long", arguments: [2, 3, 4])
    func outrun(files: Int) async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "seq 1 20000; read x")
            spec.input = .open
            spec.log = TaskLog(path: "\(bench.root)/a.log", maximumSizeBytes: 20_000, maximumFiles: files)
            spec.log?.packs = true
            _ = try await bench.service.create(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await bench.service.start("a")
            _ = try await bench.read(stream, until: "20000\n")
            try await Self.untilPacked(bench.root)
            #expect(try Directory.list(bench.root).filter { $0.hasPrefix("a.log.") }.count == files - 1)
            try await stream.write([10])
            #expect(try await bench.exit(of: "a").code == 0)
        }
    }

    private static func untilPacked(_ root: String) async throws {
        for _ in 0..<2000 {
            let names = try Directory.list(root).filter { $0.hasPrefix("a.log.") }
            if !names.isEmpty, names.allSatisfy({ $0.hasSuffix(".gz") }) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("not packed: \(try Directory.list(root))")
    }

    private static func unpacked(_ path: String) throws -> [UInt8] {
        let pipe = try Descriptor.pipe()
        var spawn = Spawn(program: "/bin/gzip", arguments: ["gzip", "-dc", path])
        spawn.descriptors = [nil, pipe.writing, nil]
        let pid = try spawn.start()
        pipe.writing.close()
        defer { pipe.reading.close() }
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while case let count = try pipe.reading.read(into: &piece), count > 0 { all += piece[..<count] }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        #expect(status == 0)
        return all
    }

    @Test("A log of one file begins anew as another file: who reads the old one finds its lines, and its end")
    func rotationOfOne() async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "echo first; read x; seq 1 200")
            spec.input = .open
            spec.log = TaskLog(path: "\(bench.root)/a.log", maximumSizeBytes: 1000)
            _ = try await bench.service.create(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await bench.service.start("a")
            _ = try await bench.read(stream, until: "first\n")
            let old = OwnedDescriptor(try Descriptor.open("\(bench.root)/a.log", O_RDONLY))
            try await stream.write([10])
            #expect(try await bench.exit(of: "a").code == 0)
            let text = String(decoding: try old.descriptor.readAll(), as: UTF8.self)
            #expect(text.hasPrefix(#"{"log":"first\n""#))
            #expect(try bench.log("a").last?["log"]?.string == "200\n")
            var facts = stat()
            try #require(fstat(old.descriptor.rawValue, &facts) == 0)
            #expect(facts.st_nlink == 0)
        }
    }

    @Test("Attributes larger than the room for encoded lines are written whole with each line")
    func hugeAttributes() async throws {
        try await TaskBench.with { bench in
            let label = String(repeating: "x", count: 400_000)
            var spec = try bench.sh("a", "echo one; echo two")
            var log = TaskLog(path: "\(bench.root)/a.log")
            let attributes: JSONValue = ["label": .string(label)]
            log.attributes = attributes.compactText
            spec.log = log
            try await bench.run(spec)
            #expect(try await bench.exit(of: "a").code == 0)
            let lines = try bench.log("a")
            #expect(lines.compactMap { $0["log"]?.string } == ["one\n", "two\n"])
            #expect(lines.allSatisfy { $0["attrs"]?["label"]?.string == label })
        }
    }

    @Test("A line over 16 KiB is parted without losing a byte")
    func hugeLine() async throws {
        try await TaskBench.with { bench in
            try await bench.run(
                try bench.sh("a", "dd if=/dev/zero bs=100000 count=1 2>/dev/null | cat -; echo; echo next"))
            #expect(try await bench.exit(of: "a").code == 0)
            let lines = try bench.log("a").compactMap { $0["log"]?.string }
            #expect(lines.joined() == String(repeating: "\0", count: 100_000) + "\nnext\n")
            #expect(lines.allSatisfy { $0.utf8.count <= 16385 })
            #expect(lines.filter { $0.hasSuffix("\n") }.count == 2)
        }
    }

    @Test("Bytes that are no UTF-8 are replaced in the log, and pass attached clients untouched")
    func invalidUTF8() async throws {
        try await TaskBench.with { bench in
            let spec = try bench.sh("a", #"echo -e 'a\xff\xc3b\xe2\x82\xac<&>'"#)
            _ = try await bench.service.create(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest())
            try await bench.service.start("a")
            let bytes: [UInt8] = [0x61, 0xFF, 0xC3, 0x62, 0xE2, 0x82, 0xAC, 0x3C, 0x26, 0x3E, 10]
            #expect(try await bench.all(stream).stdout == bytes)
            _ = try await bench.exit(of: "a")
            #expect(try bench.text("a") == "a\u{FFFD}\u{FFFD}b€<&>\n")
        }
    }

    @Test("A last line without an end is in the log once the container has ended")
    func unfinishedLine() async throws {
        try await TaskBench.with { bench in
            try await bench.run(try bench.sh("a", "echo -n no end"))
            #expect(try await bench.exit(of: "a").code == 0)
            #expect(try bench.text("a") == "no end")
        }
    }

    @Test("A full disk loses lines, never the container; the log says so when there is room again")
    func fullDisk() async throws {
        try await TaskBench.with { bench in
            let disk = "\(bench.root)/disk"
            mkdir(disk, 0o755)
            try Mount.mount("tmpfs", at: disk, type: "tmpfs", data: "size=256k")
            defer { umount2(disk, Int32(MNT_DETACH)) }
            var spec = try bench.sh("a", "seq 1 20000; echo filled; read x; echo after")
            spec.input = .open
            spec.log = TaskLog(path: "\(disk)/log")
            _ = try await bench.service.create(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await bench.service.start("a")
            _ = try await bench.read(stream, until: "filled")
            let full = try FileContents.read("\(disk)/log")
            #expect(full.last == 10)
            truncate("\(disk)/log", 0)
            try await stream.write([10])
            #expect(try await bench.exit(of: "a").code == 0)
            let text = String(decoding: try FileContents.read("\(disk)/log"), as: UTF8.self)
            #expect(text.contains("bytes of log were lost here: no space left on device"))
            #expect(text.contains(#"{"log":"after\n""#))
        }
    }

    @Test("A log that somebody has cut does not grow by what a full disk tears off a line")
    func cutAndFull() async throws {
        try await TaskBench.with { bench in
            let disk = "\(bench.root)/disk"
            mkdir(disk, 0o755)
            try Mount.mount("tmpfs", at: disk, type: "tmpfs", data: "size=512k")
            defer { umount2(disk, Int32(MNT_DETACH)) }
            var spec = try bench.sh("a", "seq 1 3000; echo filled; read x; seq 1 3000; echo again; read y")
            spec.input = .open
            spec.log = TaskLog(path: "\(disk)/log")
            _ = try await bench.service.create(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await bench.service.start("a")
            _ = try await bench.read(stream, until: "filled")
            truncate("\(disk)/log", 0)
            // Room for a few pages is left.
            let filler = OwnedDescriptor(try Descriptor.open("\(disk)/filler", O_WRONLY | O_CREAT, mode: 0o600))
            let free = try #require(freeBytes(disk)) - 5 * 4096
            try filler.descriptor.writeAll([UInt8](repeating: 1, count: free))
            try await stream.write([10])
            _ = try await bench.read(stream, until: "again")
            let text = try FileContents.read("\(disk)/log")
            #expect(!text.contains(0))
            #expect(text.last == 10)
            #expect(text.count <= 5 * 4096)
            #expect(String(decoding: text, as: UTF8.self).hasPrefix(#"{"log":"1\n""#))
        }
    }

    private func freeBytes(_ path: String) -> Int? {
        var facts = statvfs()
        return statvfs(path, &facts) == 0 ? Int(facts.f_bavail) * Int(facts.f_frsize) : nil
    }

    @Test("Output that came before the engine was killed, and after, is all in the log")
    func killedClient() async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "seq 1 100; read x; seq 101 200")
            spec.input = .open
            _ = try await bench.service.create(spec)
            let stream = try await bench.service.attach("a", execID: nil, AttachRequest(stdin: true))
            try await bench.service.start("a")
            _ = try await bench.read(stream, until: "100\n")
            // As a killed engine's: the connection goes without a word, others have never been.
            await stream.close()
            let second = ShimTaskService(runRoot: bench.root + "/run", shimPath: TaskBench.shimPath)
            let late = try await second.attach("a", execID: nil, AttachRequest(stdin: true))
            try await late.write([10])
            _ = try await bench.all(late)
            #expect(try await bench.exit(of: "a").code == 0)
            #expect(try bench.text("a") == (1...200).map { "\($0)\n" }.joined())
        }
    }

    @Test("How many files a log may have makes its rotation no slower, and no number is left out")
    func manyFiles() async throws {
        try await TaskBench.with { bench in
            var spec = try bench.sh("a", "seq 1 1000")
            spec.log = TaskLog(path: "\(bench.root)/a.log", maximumSizeBytes: 1000, maximumFiles: 10_000_000)
            try await bench.run(spec)
            #expect(try await bench.exit(of: "a").code == 0)
            var files = [""]
            while access("\(bench.root)/a.log.\(files.count)", F_OK) == 0 { files.append(".\(files.count)") }
            #expect(files.count > 10)
            let numbers = try files.reversed().flatMap { file in
                try bench.log("a", file: file).compactMap { Int($0["log"]?.string?.dropLast() ?? "") }
            }
            #expect(numbers == Array(1...1000))
        }
    }
}
