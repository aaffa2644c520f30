import Linux
import ShimAPI

/// The root file system of a container with a user namespace: its layers and what it writes have on the disk the ids that
/// the container sees, and so can be shared with every other container, committed and copied as they are. The mount from
/// which the root is put together translates them: mount_setattr(2), MOUNT_ATTR_IDMAP; of overlayfs from Linux 5.19 on.
extension ShimTask.FileIDs {
    /// Over itself, so that every path below leads into the translated one. In the shim's own mount namespace.
    func translate() throws(KernelError) {
        let namespace = OwnedDescriptor(try MappingNamespace.make(uidMap: uidMap, gidMap: gidMap))
        let copy = OwnedDescriptor(try Mount.cloneTree(directory, recursive: false))
        do throws(KernelError) {
            try Mount.setAttributes(
                copy.descriptor, set: .identityMapped, userNamespace: namespace.descriptor, named: directory)
        } catch { throw KernelError("translate the owners of files in", directory, error.errno) }
        try Mount.attach(copy.descriptor, at: directory)
    }
}
