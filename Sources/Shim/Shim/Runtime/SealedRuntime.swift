import Glibc
import Linux

/// gantry-runtime's file, held by a read-only mount of it that is attached nowhere.
///
/// Before it makes a process of a container, the runtime runs itself again from such a mount, because no program inside
/// may come to write to its file (CVE-2019-5736). What is started from one is spared that: an execution, and the grace
/// period at the end of the mount, a twelfth of an exec.
final class SealedRuntime {
    private let path: String
    private var held: (mount: Descriptor, file: FileIdentity)?

    private struct FileIdentity: Equatable {
        let device: dev_t
        let inode: ino_t

        /// Nil where there is no file.
        init?(_ path: String) {
            var facts = stat()
            guard stat(path, &facts) == 0 else { return nil }
            (device, inode) = (facts.st_dev, facts.st_ino)
        }
    }

    /// - Parameter path: the program of a runtime, whichever it is.
    init(_ path: String) { self.path = path }

    deinit { held?.mount.close() }

    /// Whether it is this project's own.
    var isOurs: Bool { PathName.split(path).name == "gantry-runtime" }

    /// The path by which to execute the file that is at the runtime's path now, since a newer one may have come there: the
    /// runtime's own path where it is another runtime, or cannot be held.
    var program: String {
        // Others may look for what lies beside them.
        guard isOurs, let file = FileIdentity(path) else { return path }
        if held?.file != file {
            held?.mount.close()
            held = hold(file).map { ($0, file) }
        }
        return held.map { Self.program($0.mount) } ?? path
    }

    /// By this process's number: in the new one the descriptor is closed before the execution.
    private static func program(_ mount: Descriptor) -> String { "/proc/\(getpid())/fd/\(mount.rawValue)" }

    /// Nil where the right to mounts is missing: then the runtime sees to itself.
    private func hold(_ file: FileIdentity) -> Descriptor? {
        do throws(KernelError) {
            let mount = OwnedDescriptor(try Mount.cloneTree(path))
            try Mount.setAttributes(mount.descriptor, set: .readOnly, named: path)
            // A procfs of another pid namespace has another process by that number, or none.
            guard FileIdentity(Self.program(mount.descriptor)) == file else { return nil }
            return mount.release()
        } catch { return nil }
    }
}
