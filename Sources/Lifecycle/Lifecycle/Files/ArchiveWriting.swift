import Archive
import EngineAPI
import Linux

/// Writes a tree as an archive to a socket. Blocking.
enum ArchiveWriting {
    static func write(
        _ name: String, of directory: HeldDescriptor, as member: String, ids: TreeIDs?, to sink: Descriptor
    ) throws(EngineError) {
        defer { withExtendedLifetime(directory) {} }
        do throws(ArchiveError) {
            let writer = TarWriter { (bytes) throws(ArchiveError) in
                do throws(KernelError) { try sink.sendAll(bytes) } catch { throw .kernel(error) }
            }
            let archiver = TreeArchiver(top: directory.descriptor, to: writer)
            archiver.owners = ids?.inside
            archiver.leavesOutTop = member.isEmpty
            try archiver.append(name, as: member)
            try writer.finish()
        } catch {
            if case .kernel(let failure) = error { throw EngineError(failure) }
            throw EngineError(.internal, "write the archive: \(error)")
        }
    }
}
