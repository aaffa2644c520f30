import Glibc
import Linux

/// The host's `/dev/null` where a container may meet it: as what covers a masked file, and as a standard stream.
enum NullDevice {
    /// A mount of it that is attached nowhere. It can be read and written through, but its inode is the host's: were the
    /// mount not read-only, root of a container could change its owner and its mode for the whole machine. And were it not
    /// private, what a container mounts over it would lie over the host's own.
    static func copy() throws(KernelError) -> Descriptor {
        let copy = OwnedDescriptor(try Mount.cloneTree("/dev/null"))
        guard isOpen(as: copy.descriptor.rawValue) else { throw KernelError("use", "/dev/null", .noDevice) }
        let attributes = MountAttributes.readOnly.union(.noSetUID).union(.noExecution)
        try Mount.setAttributes(copy.descriptor, set: attributes, propagation: .private, named: "/dev/null")
        return copy.release()
    }

    /// Standard streams that lead to the host's device become the container's own: a descriptor of a mount that the
    /// container has not could never be found again, by CRIU or by a program that opens `/dev/stdin`, and would be
    /// another way to the host's inode.
    ///
    /// - Parameters:
    ///   - openRoot: the container's root; called where there is such a stream.
    ///   - openCopy: what is taken where the container has no such device: a read-only one, or nil to change nothing.
    static func replaceStreams(
        in openRoot: () throws(KernelError) -> RootedTree, or openCopy: () throws(KernelError) -> Descriptor?
    ) throws(KernelError) {
        let streams = (Int32(0)...2).filter(isOpen)
        if streams.isEmpty { return }
        let own = try open(in: openRoot)
        let copy = own == nil ? try openCopy() : nil
        guard let device = own ?? copy else { return }
        defer { device.close() }
        for stream in streams {
            try kernelCall("duplicate `/dev/null`") { dup2(device.rawValue, stream) }
        }
    }

    /// Nil where the container has no such device, or something else of that name: nothing of that may hold anybody up.
    private static func open(in openRoot: () throws(KernelError) -> RootedTree) throws(KernelError) -> Descriptor? {
        let found: Descriptor
        do throws(KernelError) { found = try openRoot().open("/dev/null", O_RDWR | O_NONBLOCK) } catch { return nil }
        guard isOpen(as: found.rawValue) else {
            found.close()
            return nil
        }
        try found.setNonBlocking(false)
        return found
    }

    private static func isOpen(as descriptor: Int32) -> Bool {
        var facts = stat()
        return fstat(descriptor, &facts) == 0 && facts.st_mode & S_IFMT == S_IFCHR && facts.st_rdev == 0x103
    }
}
