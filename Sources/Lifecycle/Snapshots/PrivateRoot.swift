import CLinux
import Glibc
import Linux

/// A root file system that nobody else sees: mounted in a mount namespace of one thread, and held by descriptors alone.
/// It is gone when those are closed, also when the process is killed.
enum PrivateRoot {
    enum Source {
        case overlay(options: String)
        /// A mount that is attached nowhere yet, and is this call's from here on.
        case served(FuseServer)
        /// The target itself is the root.
        case inPlace
    }

    /// - Parameters:
    ///   - directory: where the paths in the options and `target` start, so that they may be short.
    ///   - target: an empty directory, or the root.
    ///   - inside: what is mounted in it, and how.
    static func open(
        _ source: Source, at target: String, in directory: String, inside: InnerMounts = InnerMounts()
    ) throws(KernelError) -> OpenedRoot {
        guard case .served(let server) = source else {
            return try OpenedRoot(mount(source, at: target, in: directory, inside: inside))
        }
        // One with nothing in it needs no place.
        if inside.isEmpty { return OpenedRoot(MountedRoot(descriptor: server.root), server: server) }
        do throws(KernelError) {
            let mounted = try mount(source, at: target, in: directory, inside: inside)
            server.root.close()
            return OpenedRoot(mounted, server: server)
        } catch {
            server.root.close()
            server.end()
            server.process.close()
            throw error
        }
    }

    private static func mount(
        _ source: Source, at target: String, in directory: String, inside: InnerMounts
    ) throws(KernelError) -> MountedRoot {
        let work = MountWork(source: source, target: target, directory: directory, inside: inside)
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
    /// Ends with the last that holds what it serves.
    private let server: FuseServer?

    init(_ mounted: MountedRoot, server: FuseServer? = nil) {
        descriptor = mounted.descriptor
        namespace = mounted.namespace
        self.server = server
    }

    deinit {
        descriptor.close()
        namespace?.close()
        server?.end()
        server?.process.close()
    }
}

/// What keeps a root mounted.
struct MountedRoot {
    var descriptor: Descriptor
    var namespace: Descriptor?
}

/// What is mounted in a root while it is held open, in this order.
package struct InnerMounts: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// A path of the host.
        package var source: String
        /// In the root.
        package var target: String
        package var isReadOnly: Bool
        /// A path in the source that is meant instead, wherever the source's links lead: never out of it.
        package var beneath: String?

        package init(source: String, target: String, isReadOnly: Bool) {
            self.source = source
            self.target = target
            self.isReadOnly = isReadOnly
        }

        fileprivate func tree() throws(KernelError) -> Descriptor {
            if let beneath { return try Mount.cloneTree(beneath: beneath, of: source) }
            return try Mount.cloneTree(source, recursive: true)
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
            let copy = OwnedDescriptor(try entry.tree())
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
    let source: PrivateRoot.Source
    let target: String
    let directory: String
    let inside: InnerMounts
    var result: Result<MountedRoot, KernelError> = .failure(KernelError("mount overlay", "", .inputOutput))

    init(source: PrivateRoot.Source, target: String, directory: String, inside: InnerMounts) {
        self.source = source
        self.target = target
        self.directory = directory
        self.inside = inside
    }

    func run() {
        do throws(KernelError) { result = .success(try mounted()) } catch { result = .failure(error) }
    }

    private func mounted() throws(KernelError) -> MountedRoot {
        // CLONE_FS 0x200: a working directory of the thread's own; CLONE_NEWNS 0x20000.
        try kernelCall("unshare the mount namespace") { gantry_unshare(0x20200) }
        // Nothing that is mounted here may appear in the machine's own table.
        try Mount.setPropagation("/", [.recursive, .private])
        try kernelCall("change to", directory) { chdir(directory) }
        switch source {
        case .overlay(let options): try Mount.mount("overlay", at: target, type: "overlay", data: options)
        case .served(let server): try Mount.attach(server.root, at: target)
        case .inPlace: try Mount.mount(target, at: target, .bind)
        }
        let root = try Descriptor.open(target, O_PATH | O_DIRECTORY)
        do throws(KernelError) {
            guard inside.isEmpty else {
                try inside.mount(in: root)
                let namespace = try Descriptor.open("/proc/thread-self/ns/mnt", O_RDONLY)
                return MountedRoot(descriptor: root, namespace: namespace)
            }
            try Mount.unmount(target, detach: true)
            return MountedRoot(descriptor: root)
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
