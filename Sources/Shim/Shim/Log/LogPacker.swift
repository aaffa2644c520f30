import Glibc
import Linux
import ShimAPI

/// Has the old files of a log packed, one at a time, by a child: `path.1` becomes `path.1.gz`.
///
/// The child writes to `path.packing`. Once that is whole and on the disk it takes the packed name, and only then the plain
/// one goes: whoever looks finds at least one of the two at any time, and where a crash left both, the plain one is
/// whole and counts. Rotations go on meanwhile: a file that is being packed keeps its way through the numbers.
final class LogPacker {
    private let path: String
    private let maximumFiles: Int
    private let reaper: ChildReaper
    /// What is being packed, by the number that it has by now.
    private var current: (pid: Int32, number: Int)?

    init(path: String, maximumFiles: Int, reaper: ChildReaper) {
        self.path = path
        self.maximumFiles = maximumFiles
        self.reaper = reaper
    }

    private var scratch: String { "\(path).packing" }

    /// Begins with what a former shim left plain.
    func begin() {
        unlink(scratch)
        packNext()
    }

    /// Each file has the next number now, and `path.1` is new.
    func filesMoved() {
        if let (pid, number) = current {
            current?.number = number + 1
            if number + 1 >= maximumFiles { kill(pid, SIGKILL) }
        }
        packNext()
    }

    /// What is half done is left to the next shim.
    func end() {
        guard let current else { return }
        kill(current.pid, SIGKILL)
        unlink(scratch)
    }

    private func packNext() {
        guard current == nil, maximumFiles > 1 else { return }
        let count = min(OldLogFiles(path: path).count, maximumFiles - 1)
        guard let number = (1..<count + 1).first(where: { access("\(path).\($0)", F_OK) == 0 }) else { return }
        // Where there is no room or no process to be had, the file stays plain until the next rotation.
        guard let pid = try? start("\(path).\(number)") else { return }
        current = (pid, number)
        reaper.wait(for: pid) { [self] status in finish(status.code) }
    }

    private func start(_ source: String) throws(KernelError) -> Int32 {
        let file = OwnedDescriptor(try Descriptor.open(source, O_RDONLY | O_NOFOLLOW))
        unlink(scratch)
        let packed = OwnedDescriptor(
            try Descriptor.open(scratch, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o640))
        var spawn = Spawn(program: "/proc/self/exe", arguments: PackingProcess.arguments)
        spawn.descriptors = [file.descriptor, packed.descriptor, nil]
        return try spawn.start()
    }

    private func finish(_ code: Int32) {
        guard let number = current?.number else { return }
        current = nil
        guard number < maximumFiles else {
            // It was the oldest, and went meanwhile.
            unlink(scratch)
            return packNext()
        }
        let plain = "\(path).\(number)"
        guard code == 0, rename(scratch, plain + ".gz") == 0 else {
            // No second attempt at once: what was wrong is wrong still.
            unlink(scratch)
            return
        }
        unlink(plain)
        packNext()
    }
}
