import Glibc
import Linux
import Synchronization

/// A file system whose server says that it is there, and then answers nothing: as one over a network whose other end has
/// gone. It ends with `end`, which gives an error to all who wait.
final class SilentFileSystem: Sendable {
    static let isMissing = access("/dev/fuse", R_OK | W_OK) != 0
    /// Look-ups of a directory's names go side by side (FUSE_PARALLEL_DIROPS).
    private static let sideBySide: UInt32 = 1 << 18

    private enum Operation {
        static let lookUp: UInt32 = 1
        static let initialize: UInt32 = 26
    }

    private let path: String
    private let device: Mutex<Descriptor?>
    private let found = Atomic(0)

    /// Mounts itself over a directory.
    init(at path: String) throws {
        self.path = path
        let opened = try Descriptor.open("/dev/fuse", O_RDWR | O_NONBLOCK)
        device = Mutex(opened)
        try kernelCall("mount", path) {
            mount(
                "silent", path, "fuse", UInt(MS_NOSUID | MS_NODEV),
                "fd=\(opened.rawValue),rootmode=40000,user_id=0,group_id=0,allow_other")
        }
    }

    /// How many names were asked for; each of them waits.
    func lookUps() throws -> Int {
        try device.withLock { device in
            guard let device else { return }
            var request = [UInt8](repeating: 0, count: 1 << 17)
            while let count = try? device.read(into: &request), count >= 40 {  // Nothing is asked now.
                let operation = request.withUnsafeBytes { $0.load(fromByteOffset: 4, as: UInt32.self) }
                if operation == Operation.lookUp { found.add(1, ordering: .relaxed) }
                if operation == Operation.initialize { try greet(request, device) }
            }
        }
        return found.load(ordering: .relaxed)
    }

    var hasEnded: Bool { device.withLock { $0 == nil } }

    func end() {
        device.withLock { device in
            device?.close()
            device = nil
        }
        umount2(path, Int32(MNT_DETACH))
    }

    /// The answer to the kernel's first request (fuse_out_header, fuse_init_out of version 7.31).
    private func greet(_ request: [UInt8], _ device: Descriptor) throws {
        var answer: [UInt8] = []
        func add<Number: FixedWidthInteger>(_ number: Number) {
            withUnsafeBytes(of: number) { answer += $0 }
        }
        add(UInt32(80))
        add(Int32(0))
        answer += request[8..<16]
        for number in [7, 31, 1 << 16, Self.sideBySide] as [UInt32] { add(number) }
        for number in [64, 48] as [UInt16] { add(number) }
        for number in [1 << 16, 1, 0, 0] as [UInt32] { add(number) }
        for _ in 0..<7 { add(UInt32(0)) }
        try device.writeAll(answer)
    }
}
