import CLinux
import Glibc
import Linux

/// A file system that is mounted nowhere: held by a descriptor alone, so that nothing can be left behind.
package final class DetachedFileSystem: Sendable {
    private let root: Descriptor

    /// - Parameter options: as mount(8) takes them for a tmpfs: `size=1m`.
    package init(tmpfs options: String) throws {
        let work = Work(options: options)
        let context = Unmanaged.passRetained(work)
        defer { context.release() }
        var thread = pthread_t()
        guard pthread_create(&thread, nil, { Work.main($0) }, context.toOpaque()) == 0 else {
            throw KernelError("start a thread", "", .wouldBlock)
        }
        pthread_join(thread, nil)
        root = try work.result.get()
    }

    deinit { root.close() }

    /// A path of this process alone.
    package var path: String { "/proc/self/fd/\(root.rawValue)" }
}

private final class Work {
    let options: String
    var result: Result<Descriptor, KernelError> = .failure(KernelError("mount tmpfs", "", .inputOutput))

    init(options: String) { self.options = options }

    /// Mounted in a namespace of the thread's own, opened, and detached.
    static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        let work = Unmanaged<Work>.fromOpaque(context).takeUnretainedValue()
        do throws(KernelError) {
            try kernelCall("unshare") { gantry_unshare(0x20200) }
            try Mount.setPropagation("/", [.recursive, .private])
            try Mount.mount("tmpfs", at: "/mnt", type: "tmpfs", data: work.options)
            let root = try Descriptor.open("/mnt", O_PATH | O_DIRECTORY)
            try Mount.unmount("/mnt", detach: true)
            work.result = .success(root)
        } catch { work.result = .failure(error) }
        return nil
    }
}
