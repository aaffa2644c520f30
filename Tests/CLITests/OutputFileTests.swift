import Glibc
import Linux
import Testing

@testable import CLI

@Suite struct OutputFileTests {
    private final class Folder {
        let path: String

        init() throws {
            var template = Array("/tmp/gantry-output-XXXXXX".utf8CString)
            let made = mkdtemp(&template)
            path = String(cString: try #require(made))
        }

        deinit { try? Directory.removeTree(path) }

        func text(_ name: String) throws -> String {
            String(decoding: try FileContents.read("\(path)/\(name)"), as: UTF8.self)
        }

        func write(_ text: String, to name: String) throws {
            try FileContents.replace("\(path)/\(name)", with: Array(text.utf8), durable: false)
        }
    }

    private func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
        let file = try OutputFile(path, mode: mode)
        try file.descriptor.writeAll(Array(text.utf8))
        try file.finish()
    }

    @Test("A file appears once it is whole; one that is not finished changes nothing and leaves nothing")
    func atOnce() throws {
        let folder = try Folder()
        try folder.write("old", to: "out")
        do {
            let file = try OutputFile(folder.path + "/out", mode: 0o600)
            try file.descriptor.writeAll(Array("ne".utf8))
            #expect(try folder.text("out") == "old" && Directory.list(folder.path).count == 2)
        }
        #expect(try Directory.list(folder.path) == ["out"])
        try write("new", to: folder.path + "/out")
        #expect(try folder.text("out") == "new" && Directory.list(folder.path) == ["out"])
    }

    @Test("What is replaced keeps its owner and permissions, and what is new has those asked for")
    func permissions() throws {
        let folder = try Folder()
        try write("new", to: folder.path + "/out", mode: 0o640)
        var facts = stat()
        #expect(stat(folder.path + "/out", &facts) == 0 && facts.st_mode & 0o777 == 0o640)
        #expect(chmod(folder.path + "/out", 0o604) == 0)
        let isRoot = geteuid() == 0
        if isRoot { #expect(chown(folder.path + "/out", 1234, 1235) == 0) }
        try write("newer", to: folder.path + "/out", mode: 0o644)
        #expect(stat(folder.path + "/out", &facts) == 0 && facts.st_mode & 0o777 == 0o604)
        #expect(!isRoot || (facts.st_uid == 1234 && facts.st_gid == 1235))
    }

    @Test("A link or a folder is not written to, and neither it nor what it leads to changes")
    func refused() throws {
        let folder = try Folder()
        try folder.write("old", to: "kept")
        #expect(symlink("kept", folder.path + "/link") == 0 && symlink("none", folder.path + "/dangling") == 0)
        #expect(mkdir(folder.path + "/folder", 0o700) == 0)
        for (name, words) in [
            ("link", "cannot write to a symbolic link directly"),
            ("dangling", "cannot write to a symbolic link directly"), ("folder", "cannot write to a directory"),
        ] {
            let error = #expect(throws: UsageError.self) { try write("new", to: "\(folder.path)/\(name)") }
            #expect(error?.message.hasSuffix(words) == true)
        }
        #expect(try folder.text("kept") == "old")
        #expect(try Directory.list(folder.path).sorted() == ["dangling", "folder", "kept", "link"])
    }

    @Test("A fifo is written to as it is, also through a link such as a shell's")
    func fifo() throws {
        let folder = try Folder()
        #expect(mkfifo(folder.path + "/fifo", 0o600) == 0 && symlink("fifo", folder.path + "/link") == 0)
        let reader = OwnedDescriptor(try Descriptor.open(folder.path + "/fifo", O_RDONLY | O_NONBLOCK))
        for name in ["fifo", "link"] {
            try write(name, to: "\(folder.path)/\(name)")
            var bytes = [UInt8](repeating: 0, count: 16)
            let count = try reader.descriptor.read(into: &bytes)
            #expect(String(decoding: bytes[..<count], as: UTF8.self) == name)
        }
        var facts = stat()
        #expect(lstat(folder.path + "/fifo", &facts) == 0 && facts.st_mode & S_IFMT == S_IFIFO)
    }
}
