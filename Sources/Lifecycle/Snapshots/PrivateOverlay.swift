import CLinux
import Glibc
import Linux

/// An overlay that nobody else sees: mounted in a mount namespace of one thread, and held by a descriptor alone. It is
/// gone when that is closed, also when the process is killed.
enum PrivateOverlay {
    /// - Parameters:
    ///   - directory: where the paths in `options` and `target` start, so that they may be short.
    ///   - target: an empty directory.
    /// - Returns: the overlay's root, opened O_PATH; the caller closes it.
    static func mount(
        options: String, at target: String, in directory: String
    ) throws(KernelError) -> Descriptor {
        let work = MountWork(options: options, target: target, directory: directory)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(work)
        defer { context.release() }
        let status = pthread_create(&thread, nil, mountInOwnNamespace, context.toOpaque())
        guard status == 0 else { throw KernelError("start a thread", "", Errno(rawValue: status)) }
        pthread_join(thread, nil)
        return try work.result.get()
    }
}

/// Safety: the thread writes `result` before pthread_join returns, and the creator reads it only after.
private final class MountWork: @unchecked Sendable {
    let options: String
    let target: String
    let directory: String
    var result: Result<Descriptor, KernelError> = .failure(KernelError("mount overlay", "", .inputOutput))

    init(options: String, target: String, directory: String) {
        self.options = options
        self.target = target
        self.directory = directory
    }

    func run() {
        do throws(KernelError) { result = .success(try mounted()) } catch { result = .failure(error) }
    }

    private func mounted() throws(KernelError) -> Descriptor {
        // CLONE_FS 0x200: a working directory of the thread's own; CLONE_NEWNS 0x20000.
        try kernelCall("unshare the mount namespace") { gantry_unshare(0x20200) }
        // Nothing that is mounted here may appear in the machine's own table.
        try Mount.setPropagation("/", [.recursive, .private])
        try kernelCall("change to", directory) { chdir(directory) }
        try Mount.mount("overlay", at: target, type: "overlay", data: options)
        let root = try Descriptor.open(target, O_PATH | O_DIRECTORY)
        do throws(KernelError) { try Mount.unmount(target, detach: true) } catch {
            root.close()
            throw error
        }
        return root
    }
}

private func mountInOwnNamespace(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<MountWork>.fromOpaque(context).takeUnretainedValue().run() }
    return nil
}
