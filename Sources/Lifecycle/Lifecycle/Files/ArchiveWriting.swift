import Archive
import EngineAPI
import Linux

/// Writes a tree as an archive to a socket. Blocking.
enum ArchiveWriting {
    static func write(
        _ name: String, of directory: HeldDescriptor, as member: String, to sink: Descriptor
    ) throws(EngineError) {
        defer { withExtendedLifetime(directory) {} }
        do throws(ArchiveError) {
            let writer = TarWriter { (bytes) throws(ArchiveError) in
                do throws(KernelError) { try sink.sendAll(bytes) } catch { throw .kernel(error) }
            }
            try TreeArchiver(top: directory.descriptor, to: writer).append(name, as: member)
            try writer.finish()
        } catch {
            if case .kernel(let failure) = error { throw EngineError(failure) }
            throw EngineError(.internal, "write the archive: \(error)")
        }
    }
}
