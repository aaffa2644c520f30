import Glibc
import Linux
import Testing

/// Directories that cannot be read to their end.
@Suite struct BrokenDirectoryTests {
    @Test(
        "What a directory holds is told whole or not at all",
        .disabled(if: BrokenFileSystem.isMissing, "/dev/fuse cannot be opened"))
    func cutShort() throws {
        let folder = "/tmp/gantry-test-broken-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(folder)
        defer { try? Directory.removeTree(folder) }  // The test's own folder; nothing to tell.
        let broken = try BrokenFileSystem(at: folder)
        defer { broken.end() }
        let listed = #expect(throws: KernelError.self) { try Directory.list(folder) }
        #expect(listed == KernelError("list", folder, .inputOutput))
        let opened = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
        let entries = #expect(throws: KernelError.self) { try TreeRemoval.entries(of: opened) }
        opened.close()
        #expect(entries?.errno == .inputOutput)
        // As of a cgroup: whoever cannot be seen may be there.
        #expect(throws: KernelError.self) { try CgroupMembers.pids(below: folder) }
    }
}

/// A file system of one directory, of which it tells one name, and then that it fails: fuse(4), version 7.31.
private final class BrokenFileSystem {
    static let isMissing = access("/dev/fuse", R_OK | W_OK) != 0

    private enum Operation {
        static let forget: UInt32 = 2
        static let attributes: UInt32 = 3
        static let initialize: UInt32 = 26
        static let openDirectory: UInt32 = 27
        static let readDirectory: UInt32 = 28
        static let closeDirectory: UInt32 = 29
    }

    private let path: String
    private let device: Descriptor
    private var thread = pthread_t()

    /// Mounts itself over a directory.
    init(at path: String) throws {
        self.path = path
        device = try Descriptor.open("/dev/fuse", O_RDWR)
        let options = "fd=\(device.rawValue),rootmode=40000,user_id=0,group_id=0"
        do throws(KernelError) {
            try kernelCall("mount", path) { mount("broken", path, "fuse", UInt(MS_NOSUID | MS_NODEV), options) }
        } catch {
            device.close()
            throw error
        }
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(&thread, nil, { BrokenFileSystem.main($0) }, context)
    }

    func end() {
        umount2(path, Int32(MNT_DETACH))
        pthread_join(thread, nil)
        device.close()
    }

    private static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let context { Unmanaged<BrokenFileSystem>.fromOpaque(context).takeRetainedValue().serve() }
        return nil
    }

    /// Until it is unmounted.
    private func serve() {
        var request = [UInt8](repeating: 0, count: 1 << 17)
        while let count = try? device.read(into: &request), count >= 40 {
            func number<Number: FixedWidthInteger>(_ offset: Int) -> Number {
                request.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
            }
            let operation: UInt32 = number(4)
            if operation == Operation.forget { continue }
            let offset: UInt64 = operation == Operation.readDirectory ? number(48) : 0
            let body = answer(operation, offset)
            var message = Bytes()
            message.add(UInt32(16 + (body?.count ?? 0)))
            message.add(body == nil ? (operation == Operation.readDirectory ? -EIO : -ENOSYS) : 0)
            message.add(number(8) as UInt64)
            // Who asked may have given up.
            try? device.writeAll(message.all + (body ?? []))
        }
    }

    /// Nil for an error.
    private func answer(_ operation: UInt32, _ offset: UInt64) -> [UInt8]? {
        var answer = Bytes()
        switch operation {
        case Operation.initialize:
            // fuse_init_out: the version, the longest read-ahead, no flags, limits, and what is not used.
            for value in [7, 31, 1 << 16, 0] as [UInt32] { answer.add(value) }
            for value in [64, 48] as [UInt16] { answer.add(value) }
            for value in [1 << 16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] as [UInt32] { answer.add(value) }
        case Operation.attributes:
            // fuse_attr_out: for how long it holds; the root's number, nothing in it, times of 1970; a directory.
            for value in [0, 0, 1, 0, 0, 0, 0, 0] as [UInt64] { answer.add(value) }
            for value in [0, 0, 0, S_IFDIR | 0o755, 2, 0, 0, 0, 4096, 0] as [UInt32] { answer.add(value) }
        case Operation.openDirectory:
            for value in [1, 0] as [UInt64] { answer.add(value) }
        case Operation.readDirectory where offset == 0:
            // fuse_dirent, filled up to eight bytes.
            for value in [2, 1] as [UInt64] { answer.add(value) }
            for value in [3, UInt32(DT_REG)] { answer.add(value) }
            answer.all += Array("one\0\0\0\0\0".utf8)
        case Operation.closeDirectory: break
        default: return nil
        }
        return answer.all
    }

    private struct Bytes {
        var all: [UInt8] = []

        mutating func add(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number) { all += $0 } }
    }
}
