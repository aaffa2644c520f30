import CLinux
import Glibc
import Linux
import Testing

@Suite struct FileTests {
    private static func withFolder(_ body: (String) throws -> Void) throws {
        let folder = "/tmp/gantry-test-files-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(folder)
        defer { try? Directory.removeTree(folder) }  // The test's own folder; nothing to tell.
        try body(folder)
    }

    @Test("A file is replaced whole, with its mode, and no temporary one stays")
    func replacement() throws {
        try Self.withFolder { folder in
            let path = "\(folder)/file"
            try FileContents.replace(path, with: Array("one".utf8), mode: 0o640)
            try FileContents.replace(path, with: Array("two".utf8), mode: 0o600)
            #expect(try FileContents.read(path) == Array("two".utf8))
            #expect(try Directory.list(folder) == ["file"])
            var facts = stat()
            #expect(stat(path, &facts) == 0 && facts.st_mode & 0o777 == 0o600)
            #expect(throws: KernelError.self) { try FileContents.replace("\(folder)/no/file", with: []) }
        }
    }

    @Test("A directory whose entries are to be spread says so on ext4, twice is as once, and its files are as before")
    func spread() throws {
        try Self.withFolder { folder in
            try FileContents.replace("\(folder)/file", with: Array("one".utf8))
            for _ in 0..<2 {
                Directory.spread(folder)
                let opened = OwnedDescriptor(try Descriptor.open(folder, O_RDONLY | O_DIRECTORY))
                var flags: Int32 = 0
                // FS_IOC_GETFLAGS, FS_TOPDIR_FL; EXT4_SUPER_MAGIC.
                let isTold = gantry_ioctl_pointer(opened.descriptor.rawValue, 0x8008_6601, &flags) == 0
                guard gantry_filesystem_magic(opened.descriptor.rawValue) == 0xef53 else { continue }
                #expect(isTold && flags & 0x0002_0000 != 0)
            }
            try Directory.create("\(folder)/a/b")
            #expect(try Directory.list(folder).sorted() == ["a", "file"])
            Directory.spread("\(folder)/file")
            Directory.spread("\(folder)/none")
            #expect(try FileContents.read("\(folder)/file") == Array("one".utf8))
        }
    }

    @Test("A file that many threads replace at once is always one of theirs, and whole")
    func concurrentReplacement() async throws {
        let folder = "/tmp/gantry-test-files-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(folder)
        defer { try? Directory.removeTree(folder) }  // The test's own folder; nothing to tell.
        let path = "\(folder)/file"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 1...8 {
                group.addTask {
                    for _ in 0..<200 {
                        let bytes = [UInt8](repeating: UInt8(writer), count: writer * 1000)
                        try FileContents.replace(path, with: bytes, durable: false)
                        let found = try FileContents.read(path)
                        let isWhole = found.first.map { found.count == Int($0) * 1000 } ?? false
                        #expect(isWhole && Set(found).count == 1)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try Directory.list(folder) == ["file"])
    }

    @Test("Directories are made with their parents, also twice, but not through a file")
    func directories() throws {
        try Self.withFolder { folder in
            try Directory.create("\(folder)/a/b/c")
            try Directory.create("\(folder)/a/b/c")
            try FileContents.replace("\(folder)/file", with: [])
            #expect(throws: KernelError.self) { try Directory.create("\(folder)/file") }
            #expect(throws: KernelError.self) { try Directory.create("\(folder)/file/x") }
        }
    }

    @Test("A tree is removed without following its links")
    func removal() throws {
        try Self.withFolder { folder in
            try Directory.create("\(folder)/tree/deep")
            try FileContents.replace("\(folder)/kept", with: [])
            symlink("..", "\(folder)/tree/deep/up")
            try Directory.removeTree("\(folder)/tree")
            #expect(try Directory.list(folder) == ["kept"])
            try Directory.removeTree("\(folder)/tree")
        }
    }

    @Test(
        "No link in a tree leads out of it",
        arguments: ["../../../../../../../../etc", "/etc", "up/../../../etc"])
    func rooted(_ target: String) throws {
        try Self.withFolder { folder in
            try Directory.create("\(folder)/root")
            symlink("..", "\(folder)/root/up")
            symlink(target, "\(folder)/root/link")
            let root = OwnedDescriptor(try Descriptor.open("\(folder)/root", O_PATH | O_DIRECTORY))
            let tree = RootedTree(root: root.descriptor)
            #expect(throws: KernelError.self) { try tree.open("/link/passwd", O_RDONLY) }
            try tree.createDirectories("/etc/x").close()
            try tree.createDirectories("/link/made").close()
            #expect(access("\(folder)/root/etc/made", F_OK) == 0)
            try tree.createFile("/new/file").close()
            #expect(access("\(folder)/root/new/file", F_OK) == 0)
        }
    }

    @Test("A link to nothing gets what it names, inside, and a loop of links is refused")
    func danglingLinks() throws {
        try Self.withFolder { folder in
            try Directory.create("\(folder)/root/etc")
            symlink("../../../run/names", "\(folder)/root/etc/resolv.conf")
            symlink("/run", "\(folder)/root/var")
            symlink("loop", "\(folder)/root/loop")
            let root = OwnedDescriptor(try Descriptor.open("\(folder)/root", O_PATH | O_DIRECTORY))
            let tree = RootedTree(root: root.descriptor)
            try tree.createFile("/etc/resolv.conf").close()
            #expect(access("\(folder)/root/run/names", F_OK) == 0)
            try tree.createDirectories("/var/lib").close()
            #expect(access("\(folder)/root/run/lib", F_OK) == 0)
            #expect(throws: KernelError.self) { try tree.createFile("/loop/x") }
            #expect(try Set(Directory.list(folder)) == ["root"])
        }
    }

    @Test("A lock is held by one descriptor at a time")
    func lock() throws {
        try Self.withFolder { folder in
            let first = OwnedDescriptor(try Descriptor.open("\(folder)/lock", O_RDWR | O_CREAT, mode: 0o600))
            let second = OwnedDescriptor(try Descriptor.open("\(folder)/lock", O_RDWR))
            try first.descriptor.lock()
            let error = #expect(throws: KernelError.self) { try second.descriptor.lock(waiting: false) }
            #expect(error?.errno == .wouldBlock)
        }
    }
}
