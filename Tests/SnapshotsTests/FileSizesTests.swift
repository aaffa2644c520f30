import Glibc
import ImageFixtures
import Linux
import Testing

@testable import Snapshots

@Suite struct FileSizesTests {
    @Test("Files with holes may hold more than can be counted")
    func holes() throws {
        // A memory file system takes files of any size.
        let directory = "/dev/shm/gantry-sizes-\(getpid())"
        try Directory.create(directory, mode: 0o700)
        defer { try? Directory.removeTree(directory) }
        for name in ["one", "two"] {
            let file = OwnedDescriptor(try Descriptor.open("\(directory)/\(name)", O_RDWR | O_CREAT))
            #expect(ftruncate(file.descriptor.rawValue, Int(Int64.max)) == 0)
        }
        #expect(try FileSizes.sum(below: directory) == .max)
    }

    @Test("Names that are no UTF-8 count, files and directories")
    func anyNames() throws {
        let root = try TemporaryRoot()
        let script =
            "cd \(root.path) && printf 12345 > $(printf 'caf\\351') && mkdir $(printf 'd\\351r') && "
            + "printf 123 > $(printf 'd\\351r')/f"
        try Command.require("sh", "-c", script)
        #expect(try FileSizes.sum(below: root.path) == 8)
    }

    @Test("A link counts with the words of its target, and a file of two names once")
    func links() throws {
        let root = try TemporaryRoot()
        try Command.require("sh", "-c", "cd \(root.path) && printf 12345 >a && ln a b && ln -s /nowhere c")
        #expect(try FileSizes.sum(below: root.path) == 13)
    }
}
