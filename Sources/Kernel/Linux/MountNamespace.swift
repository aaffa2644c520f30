import CLinux
import Glibc

/// The mount namespaces of others.
package enum MountNamespace {
    private static let flag: Int32 = 0x0002_0000

    /// A copy of the one mount that a process has at `path`, attached nowhere: setns(2) to its mount namespace,
    /// open_tree(2) there, and setns(2) back. A mount of another namespace cannot be copied from outside.
    ///
    /// Only for a process of one thread: for a moment its root and working directory are the other's. Afterwards they
    /// are `/`.
    ///
    /// - Parameter process: a pidfd (Linux 5.8 for setns(2)).
    package static func copyMount(_ path: String, of process: Descriptor) throws(KernelError) -> Descriptor {
        let own = OwnedDescriptor(try Descriptor.open("/proc/self/ns/mnt", O_RDONLY))
        try kernelCall("enter a mount namespace") { gantry_setns(process.rawValue, flag) }
        let copy = Result { () throws(KernelError) in try Mount.cloneTree(path, followLinks: false) }
        do throws(KernelError) {
            try kernelCall("leave a mount namespace") { gantry_setns(own.descriptor.rawValue, flag) }
        } catch {
            if case .success(let tree) = copy { tree.close() }
            throw error
        }
        let tree = OwnedDescriptor(try copy.get())
        try Mount.setAttributes(tree.descriptor, propagation: .private, named: path)
        return tree.release()
    }
}
