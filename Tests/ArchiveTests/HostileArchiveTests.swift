import Archive
import Content
import Glibc
import ImageFixtures
import Linux
import OCI
import Testing

@Suite struct HostileArchiveTests {
    @Test("A path that leads out is refused", arguments: ["../x", "a/../../x", "..", "/../x", "a/b/../../../x"])
    func escapingPaths(path: String) throws {
        let layer = try LayerCase()
        var tar = TarBytes()
        tar.file(path, "out")
        let error = #expect(throws: ArchiveError.self) { try layer.apply(tar.finished) }
        guard case .refused = error else { Issue.record("\(String(describing: error))"); return }
        #expect(try Directory.list(layer.temporary.path).sorted() == ["layer", "root"])
    }

    @Test("An absolute path is taken from the root of the layer")
    func absolutePath() throws {
        let layer = try LayerCase()
        var tar = TarBytes()
        tar.file("/etc/gantry-test", "in")
        tar.file("/a/../b", "cleaned")
        try layer.apply(tar.finished)
        #expect(try layer.text("etc/gantry-test") == "in")
        #expect(try layer.text("b") == "cleaned")
        #expect(access("/etc/gantry-test", F_OK) != 0)
    }

    @Test("Nothing is written, linked or removed through a link that leads out")
    func linksOut() throws {
        let layer = try LayerCase()
        let outside = try layer.temporary.make("outside")
        _ = try layer.temporary.write("outside/victim", Array("safe".utf8))
        _ = try layer.temporary.make("root\(outside)")
        var tar = TarBytes()
        for (number, target) in [outside, "../outside", "../../../../../../../..\(outside)"].enumerated() {
            tar.link("l\(number)", to: target)
            tar.directory("outside/")
            tar.file("l\(number)/written", "x")
            tar.file("l\(number)/.wh.victim")
            tar.file("l\(number)/.wh..wh..opq")
        }
        tar.file("target", "t")
        tar.link("file-link", to: "\(outside)/victim")
        tar.file("file-link", "replaced")
        try layer.apply(tar.finished)
        #expect(try FileContents.read("\(outside)/victim") == Array("safe".utf8))
        #expect(try Directory.list(outside) == ["victim"])
        #expect(try layer.text("file-link") == "replaced")
    }

    @Test("A hard link does not reach out of the root, nor through a link")
    func hardLinksOut() throws {
        let layer = try LayerCase()
        _ = try layer.temporary.write("victim", Array("safe".utf8))
        for target in ["../victim", "/victim", "\(layer.temporary.path)/victim", "missing"] {
            var tar = TarBytes()
            tar.link("h", to: target, .hardLink)
            #expect(throws: ArchiveError.self, "\(target)") { try layer.apply(tar.finished) }
        }
        var tar = TarBytes()
        tar.link("s", to: "\(layer.temporary.path)/victim")
        tar.link("h", to: "s", .hardLink)
        tar.file("h", "new")
        tar.link("same", to: "s", .hardLink)
        try layer.apply(tar.finished)
        #expect(try layer.status("same").st_mode & S_IFMT == S_IFLNK)
        #expect(try FileContents.read("\(layer.temporary.path)/victim") == Array("safe".utf8))
    }

    @Test("A whiteout device, a whiteout of no name and a root that is a file are refused")
    func refusedEntries() throws {
        var device = TarBytes()
        device.add(TarMember("w", .characterDevice, mode: 0o600))
        var nameless = TarBytes()
        nameless.file("a/.wh.")
        var parent = TarBytes()
        parent.file("a/.wh...")
        var root = TarBytes()
        root.file("./", "x")
        var long = TarBytes()
        long.file(String(repeating: "d/", count: 2100) + "x")
        var wide = TarBytes()
        wide.file(String(repeating: "n", count: 256))
        for archive in [device, nameless, parent, long, wide] {
            let layer = try LayerCase()
            #expect(throws: ArchiveError.self) { try layer.apply(archive.finished) }
        }
    }

    @Test("A dangling link where a directory is needed is refused")
    func danglingParent() throws {
        let layer = try LayerCase()
        var tar = TarBytes()
        tar.link("a", to: "nowhere")
        tar.file("a/x", "x")
        #expect(throws: ArchiveError.refused(path: "a", reason: "it is needed as a directory but is a link to nothing"))
        {
            try layer.apply(tar.finished)
        }
    }

    @Test("An archive that is cut off anywhere is refused", arguments: [100, 700, 1536, 5000])
    func truncated(count: Int) throws {
        let layer = try LayerCase()
        var tar = TarBytes()
        tar.file("x", String(repeating: "y", count: 9000))
        #expect(throws: ArchiveError.self) { try layer.apply(Array(tar.finished.prefix(count))) }
    }

    @Test("A packed archive that is cut off or damaged is refused")
    func damagedPacking() throws {
        let layer = try LayerCase()
        var tar = TarBytes()
        // Text that does not repeat, so that packing leaves enough to cut.
        tar.file("x", (0..<40_000).map { String($0 &* 2_654_435_761, radix: 36) }.joined())
        let path = try layer.temporary.write("plain", tar.finished)
        try Command.require("gzip", path)
        let packed = try FileContents.read(path + ".gz")
        #expect(throws: ArchiveError.truncated) { try layer.apply(Array(packed.dropLast(20_000))) }
        var damaged = packed
        for index in 50_000..<50_100 { damaged[index] ^= 0x55 }
        // Damage that still unpacks shows in the digest, which the image's configuration names.
        let found = Result { try layer.apply(damaged) }
        if case .success(let digest) = found { #expect(digest != .sha256(of: tar.finished)) }
        #expect(throws: ArchiveError.self) { try layer.apply(Array("this is no archive at all".utf8)) }
    }

    @Test("A bomb is stopped by its size and its entries")
    func bombs() throws {
        let layer = try LayerCase()
        var many = TarBytes()
        for number in 0..<50 { many.file("f\(number)") }
        #expect(throws: ArchiveError.tooLarge("the archive has more than 20 entries")) {
            try layer.apply(many.finished, limits: UnpackLimits(entries: 20))
        }
        #expect(throws: ArchiveError.tooLarge("the unpacked archive exceeds the limit of 10000 bytes")) {
            try layer.apply(many.finished, limits: UnpackLimits(bytes: 10_000))
        }
        for limits in [UnpackLimits(entries: 20, roomAt: "/place"), UnpackLimits(bytes: 10_000, roomAt: "/place")] {
            let error = #expect(throws: ArchiveError.self) { try layer.apply(many.finished, limits: limits) }
            #expect(error?.description.contains("`/place`: no space left on device") == true, "\(error as Any)")
        }
        let path = "\(layer.temporary.path)/bomb"
        try Command.require("sh", "-c", "head -c 60000000 /dev/zero | bzip2 > \(path)")
        #expect(throws: ArchiveError.tooLarge("the unpacked archive exceeds the limit of 1000000 bytes")) {
            try layer.apply(file: path, limits: UnpackLimits(bytes: 1_000_000))
        }
    }

    @Test("The directories that are made for a member count: a few bytes do not take all files of a disk")
    func directoriesOnTheWay() throws {
        let path = String(repeating: "d/", count: 100) + "x"
        var (file, link) = (TarBytes(), TarBytes())
        file.file(path)
        link.file("target")
        link.link(path, to: "target", .hardLink)
        for archive in [file, link] {
            let layer = try LayerCase()
            #expect(throws: ArchiveError.tooLarge("the archive has more than 50 entries")) {
                try layer.apply(archive.finished, limits: UnpackLimits(entries: 50))
            }
            try layer.apply(archive.finished, limits: UnpackLimits(entries: 102))
            // They are there now.
            try layer.apply(archive.finished, limits: UnpackLimits(entries: 2))
        }
    }

    /// A pax header (POSIX.1-2001) for the next member.
    private func paxHeader(_ records: [(String, String)]) -> [UInt8] {
        var text = ""
        for (name, value) in records {
            let rest = " \(name)=\(value)\n"
            // No record here is as long as a hundred bytes.
            text += "\(rest.utf8.count + 2)\(rest)"
        }
        var tar = TarBytes()
        tar.file("PaxHeaders/x", text)
        var bytes = tar.bytes
        bytes[156] = UInt8(ascii: "x")
        bytes.replaceSubrange(148..<156, with: Array(repeating: 32, count: 8))
        let digits = String(bytes[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
        let sum = String(repeating: "0", count: 6 - digits.count) + digits
        bytes.replaceSubrange(148..<155, with: Array(sum.utf8) + [0])
        return bytes
    }

    @Test("What is said of one member is bounded: a list of a sparse file's parts does not take all memory")
    func sparseParts() throws {
        func archive(parts: Int) -> [UInt8] {
            var tar = TarBytes()
            let form = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")]
            tar.raw(paxHeader(form + [("GNU.sparse.name", "sparse"), ("GNU.sparse.realsize", "0")]))
            // As many numbers as there are, each on a line of its own, filled up to whole blocks.
            let list = Array("\(parts)\n\(String(repeating: "0\n0\n", count: parts))".utf8)
            tar.add(
                TarMember("GNUSparseFile.0/sparse", .file, mode: 0o644),
                list + [UInt8](repeating: 0, count: (512 - list.count % 512) % 512))
            return tar.finished
        }
        let layer = try LayerCase()
        #expect(throws: ArchiveError.tooLarge("the archive says more than 8388608 bytes of one of its entries")) {
            try layer.apply(archive(parts: 3_000_000))
        }
        try layer.apply(archive(parts: 1000))
        #expect(try layer.status("sparse").st_size == 0)
        // Contents are bounded by nothing of this.
        var tar = TarBytes()
        tar.file("large", String(repeating: "x", count: 20 << 20))
        tar.file(".wh..wh.passed-by", String(repeating: "x", count: 20 << 20))
        tar.file("last")
        try layer.apply(tar.finished)
        #expect(try layer.status("large").st_size == 20 << 20 && layer.exists("last"))
    }

    @Test("A file of zeros is no bomb, however small it was packed")
    func manyZeros() throws {
        let layer = try LayerCase()
        // Of a name that layers leave out: it is inflated and hashed, and takes no space.
        let script =
            "cd \(layer.temporary.path) && truncate -s 300M .wh..wh.zeros && tar cf - .wh..wh.zeros | xz -0 > packed "
            + "&& tar cf - .wh..wh.zeros | sha256sum"
        let (status, text) = try Command.run(["sh", "-c", script])
        #expect(status == 0)
        let digest = try layer.apply(file: "\(layer.temporary.path)/packed")
        #expect(digest?.hex == String(text.prefix(64)))
    }

    @Test("Trees deeper than a path may be are removed")
    func deepTrees() throws {
        let layer = try LayerCase()
        var tar = TarBytes()
        // A link in each part leads on, so that the whole is deeper than any one path.
        let part = String(repeating: "d/", count: 1050)
        tar.directory(part)
        tar.link("next", to: part)
        tar.directory("next/" + String(repeating: "e/", count: 1050))
        try layer.apply(tar.finished)
        try Directory.removeTree(layer.root)
        #expect(access(layer.root, F_OK) != 0)
    }
}
