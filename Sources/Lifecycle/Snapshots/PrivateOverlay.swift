import CLinux
import Glibc
import Linux

/// A root file system that nobody else sees: mounted in a mount namespace of one thread, and held by descriptors alone.
/// It is gone when those are closed, also when the process is killed.
enum PrivateOverlay {
    /// - Parameters:
    ///   - options: of the overlay; nil where `target` itself is the root.
    ///   - directory: where the paths in `options` and `target` start, so that they may be short.
    ///   - target: an empty directory, or the root.
    ///   - inside: what is mounted in it, and how.
    static func mount(
        options: String?, at target: String, in directory: String, inside: InnerMounts = InnerMounts()
    ) throws(KernelError) -> OpenedRoot {
        let work = MountWork(options: options, target: target, directory: directory, inside: inside)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(work)
        defer { context.release() }
        let status = pthread_create(&thread, nil, mountInOwnNamespace, context.toOpaque())
        guard status == 0 else { throw KernelError("start a thread", "", Errno(rawValue: status)) }
        pthread_join(thread, nil)
        return try work.result.get()
    }
}

/// A container's root held open, with what is mounted in it.
package final class OpenedRoot: Sendable {
    /// O_PATH. Whoever uses its number holds the object until then.
    package let descriptor: Descriptor
    /// Mounts inside of the root last as long as their namespace.
    private let namespace: Descriptor?

    init(_ descriptor: Descriptor, namespace: Descriptor? = nil) {
        self.descriptor = descriptor
        self.namespace = namespace
    }

    deinit {
        descriptor.close()
        namespace?.close()
    }
}

/// What is mounted in a root while it is held open, in this order.
package struct InnerMounts: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// A path of the host.
        package var source: String
        /// In the root.
        package var target: String
        package var isReadOnly: Bool

        package init(source: String, target: String, isReadOnly: Bool) {
            self.source = source
            self.target = target
            self.isReadOnly = isReadOnly
        }
    }

    package var entries: [Entry]
    /// The root itself, apart from these mounts.
    package var isRootReadOnly: Bool
    /// Targets that are missing are made, as a runtime would make them.
    package var makesTargets: Bool

    package init(_ entries: [Entry] = [], isRootReadOnly: Bool = false, makesTargets: Bool = false) {
        self.entries = entries
        self.isRootReadOnly = isRootReadOnly
        self.makesTargets = makesTargets
    }

    var isEmpty: Bool { entries.isEmpty && !isRootReadOnly }

    /// - Throws: ENOENT for a target that is missing, unless it is to be made.
    func mount(in root: Descriptor) throws(KernelError) {
        let tree = RootedTree(root: root)
        for entry in entries {
            let copy = OwnedDescriptor(try Mount.cloneTree(entry.source, recursive: true))
            try Mount.setAttributes(
                copy.descriptor, set: entry.isReadOnly ? .readOnly : [], propagation: .private, recursive: true,
                named: entry.source)
            let place = OwnedDescriptor(try place(for: entry, copy.descriptor, in: tree))
            try Mount.attach(copy.descriptor, at: place.descriptor, named: entry.target)
        }
        if isRootReadOnly { try Mount.setAttributes(root, set: .readOnly, named: "/") }
    }

    private func place(
        for entry: Entry, _ source: Descriptor, in tree: RootedTree
    ) throws(KernelError) -> Descriptor {
        do throws(KernelError) { return try tree.place(entry.target) } catch {
            guard error.errno == .noSuchFile, makesTargets else { throw error }
        }
        if try source.isDirectory() { return try tree.createDirectories(entry.target) }
        try tree.createDirectories(PathName.split(entry.target).parent).close()
        try tree.open(entry.target, O_RDONLY | O_CREAT, mode: 0o644).close()
        return try tree.place(entry.target)
    }
}

/// Safety: the thread writes `result` before pthread_join returns, and the creator reads it only after.
private final class MountWork: @unchecked Sendable {
    let options: String?
    let target: String
    let directory: String
    let inside: InnerMounts
    var result: Result<OpenedRoot, KernelError> = .failure(KernelError("mount overlay", "", .inputOutput))

    init(options: String?, target: String, directory: String, inside: InnerMounts) {
        self.options = options
        self.target = target
        self.directory = directory
        self.inside = inside
    }

    func run() {
        do throws(KernelError) { result = .success(try mounted()) } catch { result = .failure(error) }
    }

    private func mounted() throws(KernelError) -> OpenedRoot {
        // CLONE_FS 0x200: a working directory of the thread's own; CLONE_NEWNS 0x20000.
        try kernelCall("unshare the mount namespace") { gantry_unshare(0x20200) }
        // Nothing that is mounted here may appear in the machine's own table.
        try Mount.setPropagation("/", [.recursive, .private])
        try kernelCall("change to", directory) { chdir(directory) }
        if let options {
            try Mount.mount("overlay", at: target, type: "overlay", data: options)
        } else {
            try Mount.mount(target, at: target, .bind)
        }
        let root = try Descriptor.open(target, O_PATH | O_DIRECTORY)
        do throws(KernelError) {
            guard inside.isEmpty else {
                try inside.mount(in: root)
                return OpenedRoot(root, namespace: try Descriptor.open("/proc/thread-self/ns/mnt", O_RDONLY))
            }
            try Mount.unmount(target, detach: true)
            return OpenedRoot(root)
        } catch {
            root.close()
            throw error
        }
    }
}

private func mountInOwnNamespace(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<MountWork>.fromOpaque(context).takeUnretainedValue().run() }
    return nil
}
