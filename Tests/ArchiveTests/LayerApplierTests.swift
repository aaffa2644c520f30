import Archive
import CLinux
import Glibc
import ImageFixtures
import Linux
import Testing

@Suite struct LayerApplierTests {
    @Test("Whiteouts hide what is below, and nothing of their own layer")
    func whiteouts() throws {
        let layer = try LayerCase()
        var lower = TarBytes()
        lower.file("a/b/c", "1")
        lower.file("a/keep", "2")
        lower.file("d", "3")
        try layer.apply(lower.finished)
        var upper = TarBytes()
        upper.file("d", "new")
        upper.file(".wh.d")
        upper.file("a/.wh.b")
        upper.file("missing/.wh.x")
        upper.file(".wh..wh.plnk/1.2")
        try layer.apply(upper.finished)
        #expect(try layer.text("d") == "new")
        #expect(!layer.exists("a/b"))
        #expect(try layer.text("a/keep") == "2")
        #expect(!layer.exists("missing"))
        #expect(!layer.exists(".wh..wh.plnk"))
    }

    @Test("Under a name that a layer hides and brings anew is what it brings alone, whichever comes first")
    func hiddenAndBrought() throws {
        for isHiddenFirst in [true, false] {
            let layer = try LayerCase()
            var lower = TarBytes()
            for name in ["a/old", "a/b/old", "c", "kept/x"] { lower.file(name, "1") }
            try layer.apply(lower.finished)
            var (hiding, bringing) = (TarBytes(), TarBytes())
            for name in [".wh.a", ".wh.c", ".wh.l"] { hiding.file(name) }
            for name in ["a/new", "a/b/new", "c"] { bringing.file(name, "2") }
            bringing.link("l", to: "kept")
            var upper = TarBytes()
            for part in isHiddenFirst ? [hiding, bringing] : [bringing, hiding] { upper.raw(part.bytes) }
            try layer.apply(upper.finished)
            let (_, text) = try Command.run(["find", ".", "!", "-type", "d"], in: layer.root)
            #expect(text.split(separator: "\n").sorted() == ["./a/b/new", "./a/new", "./c", "./kept/x", "./l"])
            #expect(try layer.text("c") == "2")
        }
    }

    @Test("An opaque directory keeps only what its own layer brings, before and after the marker")
    func opaque() throws {
        let layer = try LayerCase()
        var lower = TarBytes()
        for name in ["o/x/old", "o/y/old", "o/old", "other/old"] { lower.file(name, "1") }
        try layer.apply(lower.finished)
        var upper = TarBytes()
        upper.file("o/x/new", "2")
        upper.file("o/.wh..wh..opq")
        upper.file("o/z/new", "2")
        try layer.apply(upper.finished)
        let (_, text) = try Command.run(["find", ".", "-type", "f"], in: layer.root)
        #expect(text.split(separator: "\n").sorted() == ["./o/x/new", "./o/z/new", "./other/old"])
    }

    @Test("A link of a layer below is followed on the way, and replaced at the end")
    func linkedDirectories() throws {
        let layer = try LayerCase()
        var lower = TarBytes()
        lower.directory("run/")
        lower.link("var/run", to: "/run")
        lower.link("var/lock", to: "../run")
        lower.link("swap", to: "run")
        try layer.apply(lower.finished)
        var upper = TarBytes()
        upper.file("var/run/a", "1")
        upper.file("var/lock/b", "2")
        upper.directory("swap/")
        upper.file("swap/c", "3")
        try layer.apply(upper.finished)
        #expect(try layer.text("run/a") == "1")
        #expect(try layer.text("run/b") == "2")
        #expect(!layer.exists("run/c"))
        #expect(try layer.status("swap").st_mode & S_IFMT == S_IFDIR)
        #expect(try layer.status("var/run").st_mode & S_IFMT == S_IFLNK)
    }

    @Test("A directory replaces a file, a file a directory, and a file a file that has another name")
    func replacing() throws {
        let layer = try LayerCase()
        var lower = TarBytes()
        lower.file("a", "1")
        lower.file("b/c/d", "2")
        lower.file("one", "shared")
        lower.link("two", to: "one", .hardLink)
        try layer.apply(lower.finished)
        #expect(try layer.status("one").st_ino == layer.status("two").st_ino)
        var upper = TarBytes()
        upper.directory("a/")
        upper.file("a/x", "3")
        upper.file("b", "4")
        upper.file("two", "own")
        upper.link("three", to: "one", .hardLink)
        try layer.apply(upper.finished)
        #expect(try layer.text("a/x") == "3")
        #expect(try layer.text("b") == "4")
        #expect(try layer.text("one") == "shared")
        #expect(try layer.text("two") == "own")
        #expect(try layer.status("one").st_ino == layer.status("three").st_ino)
    }

    @Test("An entry whose owner nobody can be is refused as what it is", arguments: [4_294_967_295, 1 << 40])
    func impossibleOwners(owner: UInt64) throws {
        for kind in [TarMember.Kind.file, .directory, .symbolicLink] {
            let layer = try LayerCase()
            var member = TarMember("x", kind, mode: 0o755)
            if kind == .symbolicLink { member.target = Array("y".utf8) }
            member.userID = owner
            var tar = TarBytes()
            tar.add(member)
            let error = #expect(throws: ArchiveError.self) { try layer.apply(tar.finished) }
            guard case .refused(_, let reason) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(reason.contains("nobody is \(owner):0"))
        }
    }

    @Test("Owners, modes, times, devices, attributes and capabilities arrive", arguments: [false, true])
    func metadata(onTmpfs: Bool) throws {
        let layer = try LayerCase(onTmpfs: onTmpfs)
        var tar = TarBytes()
        var directory = TarMember("d/", .directory, mode: 0o2751)
        directory.modified = 1_000_000_000
        directory.userID = 70_000
        tar.add(directory)
        var file = TarMember("d/suid", .file, mode: 0o4755)
        file.userID = 5_000_000
        file.groupID = 12
        file.modified = 1_234_567_890
        // VFS_CAP_REVISION_2, cap_net_raw permitted and effective.
        file.attributes = [
            ("security.capability", [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("user.x", [0, 255, 10]), ("trusted.overlay.opaque", [121]),
            ("user.overlay.opaque", [121]), ("user.fuseoverlayfs.opaque", [121]),
        ]
        tar.add(file, [1])
        var device = TarMember("d/null", .characterDevice, mode: 0o666)
        device.device = (1, 3)
        device.modified = 7
        tar.add(device)
        tar.add(TarMember("d/fifo", .fifo, mode: 0o620))
        var link = TarMember("d/link", .symbolicLink, mode: 0o777)
        link.target = Array("/etc/passwd".utf8)
        link.userID = 3
        link.modified = 99
        tar.add(link)
        try layer.apply(tar.finished)
        let suid = try layer.status("d/suid")
        #expect(suid.st_mode == S_IFREG | 0o4755 && suid.st_uid == 5_000_000 && suid.st_gid == 12)
        #expect(suid.st_mtim.tv_sec == 1_234_567_890)
        #expect(try layer.status("d").st_mtim.tv_sec == 1_000_000_000)
        #expect(try layer.status("d").st_mode == S_IFDIR | 0o2751)
        let null = try layer.status("d/null")
        #expect(null.st_mode == S_IFCHR | 0o666 && gantry_major(UInt64(null.st_rdev)) == 1 && null.st_mtim.tv_sec == 7)
        #expect(gantry_minor(UInt64(null.st_rdev)) == 3)
        #expect(try layer.status("d/fifo").st_mode == S_IFIFO | 0o620)
        #expect(try layer.status("d/link").st_uid == 3 && layer.status("d/link").st_mtim.tv_sec == 99)
        let path = "\(layer.root)/d/suid"
        var value = [UInt8](repeating: 0, count: 64)
        #expect(gantry_lgetxattr(path, "security.capability", &value, 64) == 20)
        // A tmpfs keeps these since Linux 6.6; before that they are left out.
        let keepsUserAttributes = gantry_lsetxattr(layer.root, "user.probe", [1], 1) == 0
        let size = gantry_lgetxattr(path, "user.x", &value, 64)
        #expect(keepsUserAttributes ? size == 3 && value.prefix(3) == [0, 255, 10] : size == -1)
        for name in ["trusted.overlay.opaque", "user.overlay.opaque", "user.fuseoverlayfs.opaque"] {
            #expect(gantry_lgetxattr(path, name, &value, 64) == -1, "\(name)")
        }
    }

    @Test("Names of any bytes and of 255 bytes, and deep paths, arrive as they are")
    func names() throws {
        let layer = try LayerCase()
        var tar = TarBytes()
        let long = String(repeating: "n", count: 255)
        tar.file(long, "long")
        tar.file("ü/日本", "utf8")
        var bytes = TarMember("x", .file, mode: 0o644)
        bytes.path = [0x62, 0xff, 0xfe, 0x0a, 0x5c]
        tar.add(bytes)
        bytes.path = Array("deep/".utf8) + [UInt8](repeating: 0xe9, count: 200)
        tar.add(bytes)
        let deep = (0..<100).map { "directory-\($0)" }.joined(separator: "/")
        tar.file(deep + "/end", "deep")
        try layer.apply(tar.finished)
        #expect(try layer.text(long) == "long")
        #expect(try layer.text("ü/日本") == "utf8")
        #expect(try layer.text(deep + "/end") == "deep")
        #expect(access(Array(layer.root.utf8CString).dropLast() + [47, 0x62, -1, -2, 0x0a, 0x5c, 0], F_OK) == 0)
        let high = [CChar](repeating: -23, count: 200)
        #expect(access(Array("\(layer.root)/deep/".utf8CString).dropLast() + high + [0], F_OK) == 0)
    }

    @Test(
        "Packed layers are unpacked, and the digest is of what comes out", .serialized,
        arguments: ["none", "gzip", "zstd", "xz", "bzip2"])
    func packing(program: String) throws {
        let layer = try LayerCase()
        var tar = TarBytes()
        tar.file("x", String(repeating: "text ", count: 50_000))
        // What follows the end belongs to the digest too.
        let bytes = tar.finished + [UInt8](repeating: 0, count: 8192)
        var path = try layer.temporary.write("plain", bytes)
        if program != "none" {
            guard Command.exists(program) else {
                print("not tried, because the machine has no \(program)")
                return
            }
            try Command.require("sh", "-c", "\(program) -c \(path) > \(path).packed")
            path += ".packed"
        }
        #expect(try layer.apply(file: path) == .sha256(of: bytes))
        #expect(try layer.text("x").count == 250_000)
    }

    @Test("The deepest directories that a path can name are made, and their files with them")
    func deepest() throws {
        let layer = try LayerCase(onTmpfs: true)
        var tar = TarBytes()
        let path = String(repeating: "d/", count: 2047)
        tar.file(path + "x", "deep")
        tar.file("e/" + path.dropFirst(2) + "y", "deep")
        try layer.apply(tar.finished)
        let script = "find . -type d | wc -l; find . -type f -execdir cat {} ';'"
        let (_, text) = try Command.run(["sh", "-c", script], in: layer.root)
        #expect(text == "4095\ndeepdeep")
        #expect(try layer.status("e/d/d").st_mode & 0o7777 == 0o755)
    }

    @Test("Of a directory that comes twice, also by another path, the last time counts")
    func lastTime() throws {
        func entry(_ path: String, _ seconds: Int64) -> TarMember {
            var member = TarMember(path, .directory, mode: 0o755)
            member.modified = seconds
            return member
        }
        let layer = try LayerCase()
        var tar = TarBytes()
        tar.link("alias", to: "run")
        for (path, seconds) in [("run/", 1000), ("tmp/", 2000), ("run/", 3000), ("./", 4000), ("tmp/", 5000)] {
            tar.add(entry(path, Int64(seconds)))
        }
        tar.file("run/later")
        tar.file("tmp/later")
        try layer.apply(tar.finished)
        #expect(try ["run", "tmp", "."].map { try layer.status($0).st_mtim.tv_sec } == [3000, 5000, 4000])
        for paths in [["run/sub/", "alias/sub/"], ["alias/sub/", "run/sub/"]] {
            var other = TarBytes()
            for (path, seconds) in zip(paths, [6000, 7000]) { other.add(entry(path, Int64(seconds))) }
            try layer.apply(other.finished)
            #expect(try layer.status("run/sub").st_mtim.tv_sec == 7000, "\(paths)")
        }
    }
}
