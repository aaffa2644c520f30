import CLinux
import Glibc
import ImageFixtures
import Linux
import Testing

@testable import Snapshots

@Suite(.enabled(if: geteuid() == 0, "needs root")) struct TreeCopyTests {
    /// A file system that keeps no attributes.
    private func withPlainFileSystem(_ body: (String) throws -> Void) throws {
        let root = try TemporaryRoot()
        let place = try root.make("plain")
        try Mount.mount("ramfs", at: place, type: "ramfs")
        defer { try? Mount.unmount(place, detach: true) }  // What stays is found by LeftoverTests.
        try withExtendedLifetime(root) { try body(place) }
    }

    private func copy(_ source: String, to target: String) throws {
        let from = OwnedDescriptor(try Descriptor.open(source, O_RDONLY | O_DIRECTORY))
        let to = OwnedDescriptor(try Descriptor.open(target, O_RDONLY | O_DIRECTORY))
        try TreeCopy.copy(from.descriptor, into: to.descriptor)
    }

    @Test("Attributes that a file system cannot keep are left out of a copy; a capability is not")
    func attributes() throws {
        // A memory file system takes attributes of the machine's root.
        let source = try TemporaryRoot(onTmpfs: true)
        let file = try source.write("f", Array("text".utf8))
        try kernelCall("setxattr") { gantry_lsetxattr(file, "trusted.foo", [120], 1) }
        try withPlainFileSystem { place in
            try copy(source.path, to: place)
            #expect(try FileContents.read(place + "/f") == Array("text".utf8))
        }
        // VFS_CAP_REVISION_2, cap_net_raw permitted and effective.
        let capability: [UInt8] = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        try kernelCall("setxattr") {
            gantry_lsetxattr(file, "security.capability", capability, capability.count)
        }
        try withPlainFileSystem { place in
            #expect(throws: KernelError.self) { try copy(source.path, to: place) }
        }
    }
}
