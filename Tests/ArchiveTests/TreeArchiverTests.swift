import Archive
import Glibc
import ImageFixtures
import Linux
import Testing

/// What is written of a tree, as tar(1) reads it.
@Suite struct TreeArchiverTests {
    /// The archive of what has a name in a directory, unpacked by tar(1) to standard output.
    private func contents(_ name: String, in directory: String, _ root: TemporaryRoot) throws -> String {
        let top = OwnedDescriptor(try Descriptor.open(directory, O_PATH | O_DIRECTORY))
        var bytes: [UInt8] = []
        let writer = TarWriter { (piece) throws(ArchiveError) in bytes += piece }
        try TreeArchiver(top: top.descriptor, to: writer).append(name, as: "member")
        try writer.finish()
        let path = try root.write("archive", bytes)
        let (status, text) = try Command.run(["tar", "-xOf", path])
        try #require(status == 0)
        return text
    }

    @Test("Files of /proc and /sys, which say that they hold nothing or a page, come with what they tell")
    func kernelFiles() throws {
        let root = try TemporaryRoot()
        #expect(try contents("comm", in: "/proc/self", root) == FileContents.text("/proc/self/comm"))
        let path = "/sys/kernel/mm/transparent_hugepage"
        #expect(try contents("enabled", in: path, root) == FileContents.text(path + "/enabled"))
        // More than one read gives.
        #expect(try contents("devices", in: "/proc", root) == FileContents.text("/proc/devices"))
        let symbols = try contents("kallsyms", in: "/proc", root)
        #expect(try FileContents.text("/proc/kallsyms").hasPrefix(symbols))
        #expect(symbols.utf8.count > 1 << 17)
    }

    @Test("A file that holds nothing, one that is short and one of holes come as they are")
    func plainFiles() throws {
        let root = try TemporaryRoot()
        try Command.require(
            "sh", "-c",
            "cd \(root.path) && : >empty && printf abc >short && truncate -s 3000 holes && "
                + "truncate -s 1000000 large")
        #expect(try contents("empty", in: root.path, root).isEmpty)
        #expect(try contents("short", in: root.path, root) == "abc")
        #expect(try contents("holes", in: root.path, root) == String(repeating: "\0", count: 3000))
        #expect(try contents("large", in: root.path, root).utf8.count == 1_000_000)
    }
}

extension FileContents {
    fileprivate static func text(_ path: String) throws -> String { String(decoding: try read(path), as: UTF8.self) }
}
