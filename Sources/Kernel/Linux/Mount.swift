import CLinux
import Glibc

/// The flags of mount(2).
package struct MountFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt
    package init(rawValue: UInt) { self.rawValue = rawValue }

    package static let readOnly = MountFlags(rawValue: 1)
    package static let noSetUID = MountFlags(rawValue: 2)
    package static let noDevices = MountFlags(rawValue: 4)
    package static let noExecution = MountFlags(rawValue: 8)
    package static let synchronous = MountFlags(rawValue: 16)
    package static let remount = MountFlags(rawValue: 32)
    package static let mandatoryLocks = MountFlags(rawValue: 64)
    package static let directorySynchronous = MountFlags(rawValue: 128)
    package static let noSymbolicLinks = MountFlags(rawValue: 256)
    package static let noAccessTime = MountFlags(rawValue: 1024)
    package static let noDirectoryAccessTime = MountFlags(rawValue: 2048)
    package static let bind = MountFlags(rawValue: 4096)
    package static let move = MountFlags(rawValue: 8192)
    package static let recursive = MountFlags(rawValue: 16384)
    package static let silent = MountFlags(rawValue: 32768)
    package static let unbindable = MountFlags(rawValue: 1 << 17)
    package static let `private` = MountFlags(rawValue: 1 << 18)
    package static let slave = MountFlags(rawValue: 1 << 19)
    package static let shared = MountFlags(rawValue: 1 << 20)
    package static let relativeAccessTime = MountFlags(rawValue: 1 << 21)
    package static let inodeVersion = MountFlags(rawValue: 1 << 23)
    package static let strictAccessTime = MountFlags(rawValue: 1 << 24)
    package static let lazyTime = MountFlags(rawValue: 1 << 25)

    package static let propagation: MountFlags = [.unbindable, .private, .slave, .shared]
    /// Nothing below such a mount has any power by itself. Bits, for a literal costs a look-up at its first use.
    package static let powerless = MountFlags(rawValue: 2 | 4 | 8)
}

/// The attributes of mount_setattr(2), which hold for one mount and not for its file system.
package struct MountAttributes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let readOnly = MountAttributes(rawValue: 0x1)
    package static let noSetUID = MountAttributes(rawValue: 0x2)
    package static let noDevices = MountAttributes(rawValue: 0x4)
    package static let noExecution = MountAttributes(rawValue: 0x8)
    /// The field of access-time modes: cleared as a whole before one is set. Relative time is zero.
    package static let accessTimeMask = MountAttributes(rawValue: 0x70)
    package static let noAccessTime = MountAttributes(rawValue: 0x10)
    package static let strictAccessTime = MountAttributes(rawValue: 0x20)
    package static let noDirectoryAccessTime = MountAttributes(rawValue: 0x80)
    package static let identityMapped = MountAttributes(rawValue: 0x100000)
    package static let noSymbolicLinks = MountAttributes(rawValue: 0x200000)
    /// As of the flags of that name.
    package static let powerless = MountAttributes(rawValue: 0x2 | 0x4 | 0x8)
}

/// mount(2) and its younger relatives.
package enum Mount {
    package static func mount(
        _ source: String?, at target: String, type: String? = nil, _ flags: MountFlags = [], data: String? = nil
    ) throws(KernelError) {
        try kernelCall("mount \(type ?? source ?? "") at", target) {
            withOptionalCString(data) { Glibc.mount(source, target, type, flags.rawValue, $0) }
        }
    }

    /// umount2(2).
    package static func unmount(_ target: String, detach: Bool = false) throws(KernelError) {
        try kernelCall("unmount", target) { umount2(target, detach ? Int32(MNT_DETACH) : 0) }
    }

    /// Changes the propagation of one mount, or of the tree of them.
    package static func setPropagation(_ target: String, _ flags: MountFlags) throws(KernelError) {
        try kernelCall("set propagation of", target) { Glibc.mount(nil, target, nil, flags.rawValue, nil) }
    }

    /// open_tree(2) with OPEN_TREE_CLONE: a copy of the mount at `path`, attached nowhere.
    package static func cloneTree(
        _ path: String, in directory: Descriptor = .workingDirectory, recursive: Bool = false,
        followLinks: Bool = true
    ) throws(KernelError) -> Descriptor {
        // OPEN_TREE_CLONE 1, OPEN_TREE_CLOEXEC O_CLOEXEC, AT_RECURSIVE 0x8000, AT_EMPTY_PATH 0x1000.
        var flags = UInt32(1) | UInt32(O_CLOEXEC) | 0x1000
        if recursive { flags |= 0x8000 }
        if !followLinks { flags |= UInt32(AT_SYMLINK_NOFOLLOW) }
        return Descriptor(
            rawValue: try kernelCall("copy the mount", path) { gantry_open_tree(directory.rawValue, path, flags) })
    }

    /// The same of what stands at a path in a directory of the host, with all mounts in it, where links lead nowhere else.
    package static func cloneTree(beneath path: String, of directory: String) throws(KernelError) -> Descriptor {
        let root = OwnedDescriptor(try Descriptor.open(directory, O_PATH | O_DIRECTORY))
        let place = OwnedDescriptor(try RootedTree(root: root.descriptor).place(path))
        return try cloneTree("", in: place.descriptor, recursive: true)
    }

    /// fsopen(2), fsconfig(2), fsmount(2): a new file system, attached nowhere. An option without a value is a flag.
    package static func make(
        _ type: String, options: [(name: String, value: String?)], attributes: MountAttributes
    ) throws(KernelError) -> Descriptor {
        let context = OwnedDescriptor(
            Descriptor(rawValue: try kernelCall("open file system", type) { gantry_fsopen(type) }))
        for option in options {
            try kernelCall("set \(option.name) of", type) {
                gantry_fsconfig(context.descriptor.rawValue, option.name, option.value)
            }
        }
        try kernelCall("create", type) { gantry_fsconfig(context.descriptor.rawValue, nil, nil) }
        return Descriptor(
            rawValue: try kernelCall("mount", type) {
                gantry_fsmount(context.descriptor.rawValue, UInt32(attributes.rawValue))
            })
    }

    /// move_mount(2): attaches a copy (or moves a mount) to where `target` points.
    package static func attach(_ tree: Descriptor, at target: Descriptor, named name: String) throws(KernelError) {
        // MOVE_MOUNT_F_EMPTY_PATH 4, MOVE_MOUNT_T_EMPTY_PATH 0x40: both descriptors are the very places.
        try kernelCall("mount at", name) { gantry_move_mount(tree.rawValue, "", target.rawValue, "", 0x44) }
    }

    package static func attach(_ tree: Descriptor, at path: String) throws(KernelError) {
        try kernelCall("mount at", path) { gantry_move_mount(tree.rawValue, "", AT_FDCWD, path, 4) }
    }

    /// mount_setattr(2) on the mount that a descriptor stands in.
    package static func setAttributes(
        _ mount: Descriptor, set: MountAttributes = [], clear: MountAttributes = [], propagation: MountFlags = [],
        userNamespace: Descriptor? = nil, recursive: Bool = false, named name: String = ""
    ) throws(KernelError) {
        let flags: UInt32 = recursive ? 0x9000 : 0x1000
        try kernelCall("set mount attributes of", name) {
            gantry_mount_setattr(
                mount.rawValue, "", flags, set.rawValue, clear.rawValue, UInt64(propagation.rawValue),
                UInt64(userNamespace?.rawValue ?? 0))
        }
    }

    private static func withOptionalCString<Result>(
        _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let text else { return body(nil) }
        return text.withCString(body)
    }
}
