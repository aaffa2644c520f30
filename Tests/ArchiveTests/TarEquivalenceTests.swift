import Archive
import Glibc
import ImageFixtures
import Linux
import Testing

/// The unpacking is compared with GNU tar's, which is written by others.
@Suite struct TarEquivalenceTests {
    @Test("A random tree unpacks as tar unpacks it", arguments: 1...6)
    func randomTrees(seed: UInt64) throws {
        let layer = try LayerCase(onTmpfs: seed % 2 == 0)
        let source = try layer.temporary.make("source")
        try RandomTree(seed: seed).make(at: source)
        let archive = "\(layer.temporary.path)/tree.tar"
        let format = ["pax", "gnu", "posix"][Int(seed % 3)]
        var command = ["tar", "-C", source, "--format=\(format)", "--sparse", "-cf", archive, "."]
        // GNU's own format has no place for attributes.
        if format != "gnu" { command.insert(contentsOf: ["--xattrs", "--xattrs-include=*"], at: 1) }
        let (status, text) = try Command.run(command)
        #expect(status == 0, "\(text)")
        let other = try layer.temporary.make("other")
        try Command.require(
            "tar", "-C", other, "--xattrs", "--xattrs-include=*", "--same-owner", "-pxf", archive)
        try layer.apply(file: archive)
        #expect(try TreeListing.lines(layer.root) == TreeListing.lines(other))
    }

    @Test(
        "A time comes through tar's own reading, however far away",
        arguments: [-5, 8_589_934_591, 9_000_000_000] as [Int64])
    func distantTimes(seconds: Int64) throws {
        let layer = try LayerCase()
        var member = TarMember("f", .file, mode: 0o644)
        member.modified = seconds
        var tar = TarBytes()
        tar.add(member)
        let archive = try layer.temporary.write("times.tar", tar.finished)
        let (status, text) = try Command.run(["tar", "--full-time", "--utc", "-tvf", archive])
        let year = seconds < 0 ? " 1969-12-31 " : seconds > 8_589_934_591 ? " 2255-03-14 " : " 2242-03-16 "
        #expect(status == 0 && text.contains(year), "\(text)")
    }

    @Test("The holes of a sparse file stay holes", arguments: ["gnu", "pax"])
    func sparse(format: String) throws {
        let layer = try LayerCase()
        let source = try layer.temporary.make("source")
        try Command.require(
            "sh", "-c", "printf a | dd of=\(source)/f bs=1 seek=5000000 2>/dev/null; truncate -s 9M \(source)/f")
        let archive = "\(layer.temporary.path)/sparse.tar"
        try Command.require("tar", "-C", source, "--format=\(format)", "--sparse", "-cf", archive, ".")
        try layer.apply(file: archive)
        let facts = try layer.status("f")
        #expect(facts.st_size == 9 << 20)
        #expect(facts.st_blocks < 1000)
        #expect(try Command.run(["cmp", "\(source)/f", "\(layer.root)/f"]).status == 0)
    }
}

/// A tree of everything that a file system holds, the same for the same seed.
private struct RandomTree {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

    mutating func next(_ bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % bound
    }

    func make(at root: String) throws {
        var generator = self
        var directories = [""]
        var files: [String] = []
        for number in 0..<150 {
            let parent = directories[Int(generator.next(UInt64(directories.count)))]
            let name = "\(parent)/\(generator.name(number))"
            let path = root + name
            switch generator.next(10) {
            case 0, 1:
                try kernelCall("mkdir", path) { mkdir(path, 0o755) }
                directories.append(name)
            case 2:
                try kernelCall("symlink", path) { symlink("../x/\(number)", path) }
                continue
            case 3 where !files.isEmpty:
                let target = root + files[Int(generator.next(UInt64(files.count)))]
                try kernelCall("link", path) { link(target, path) }
                continue
            case 4: try kernelCall("mkfifo", path) { mkfifo(path, 0o640) }
            default:
                let file = try Descriptor.open(path, O_CREAT | O_WRONLY | O_EXCL, mode: 0o644)
                defer { file.close() }
                let count = Int(generator.next(6_000))
                try file.writeAll((0..<count).map { UInt8(truncatingIfNeeded: $0 &* number) })
                files.append(name)
            }
            try generator.decorate(path)
        }
        for directory in directories.reversed() { try generator.setTime(root + directory) }
    }

    private mutating func name(_ number: Int) -> String {
        let stems = ["plain", "mit Leerzeichen", "ünïcode-日本", "new\nline", "back\\slash", "-dash", "quote'\"", "."]
        return stems[Int(next(8))] + "\(number)" + String(repeating: "l", count: Int(next(120)))
    }

    private mutating func decorate(_ path: String) throws {
        let (user, group) = (uid_t(next(3_000_000)), gid_t(next(70_000)))
        let mode = mode_t(next(0o10000))
        try kernelCall("chown", path) { lchown(path, user, group) }
        try kernelCall("chmod", path) { chmod(path, mode) }
        try setTime(path)
    }

    private mutating func setTime(_ path: String) throws {
        let time = timespec(tv_sec: Int(next(2_000_000_000)), tv_nsec: 0)
        try kernelCall("utimens", path) { utimensat(AT_FDCWD, path, [time, time], AT_SYMLINK_NOFOLLOW) }
    }
}
