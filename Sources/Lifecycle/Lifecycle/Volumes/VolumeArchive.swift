import Archive
import AsyncIO
import EngineAPI
import Glibc
import Images
import Linux

/// A volume's files as a tar archive.
extension VolumeService {
    /// Reads as the stream is read; who writes into the volume meanwhile is not held up.
    package func export(_ name: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        let root = try await open(name)
        do throws(KernelError) {
            let source = try ByteBridge.produced { sink in
                try ArchiveWriting.write(".", of: root, as: ".", ids: nil, to: sink)
            }
            return EngineStream { try await source.next() }
        } catch { throw EngineError(error, object: name) }
    }

    /// Adds an archive's files, plain or compressed, to a volume's; those of the same names are replaced. An empty volume
    /// also takes owner and mode of the archive's top: so what was exported is had again as it was.
    package func unpack(_ archive: EngineStream<[UInt8]>, into name: String) async throws(EngineError) {
        let root = try await open(name)
        let faults = self.faults
        do {
            try await ByteBridge.consumed({
                let bytes = try await archive.next()
                faults.pass(.volumeImportAfterBytes)
                return bytes
            }) { source in
                try Self.unpack(source, into: root, name)
                faults.pass(.volumeImportAfterFiles)
            }
        } catch let error as EngineError {
            throw error
        } catch {
            throw EngineError(.cancelled, "import into volume \(name): \(error)", object: name)
        }
    }

    private static func unpack(_ source: Descriptor, into root: HeldDescriptor, _ name: String) throws(EngineError) {
        defer { withExtendedLifetime(root) {} }
        do throws(ArchiveError) {
            let isEmpty: Bool
            do throws(KernelError) { isEmpty = try TreeRemoval.entries(of: root.descriptor).isEmpty } catch {
                throw .kernel(error)
            }
            let limits = UnpackLimits()
            let reader = try TarReader(
                InflatingInput(DescriptorInput(source), hash: nil, limits: limits), limits: limits)
            let placement = LayerApplier.Placement(into: "/", takesTop: isEmpty)
            try LayerApplier(root: root.descriptor, placement: placement).apply(reader)
        } catch {
            guard case .kernel(let failure) = error else {
                throw EngineError(.invalid, "import into volume \(name): \(error)", object: name)
            }
            throw EngineError(
                failure.errno.isAboutRoom ? .unavailable : EngineError(failure).kind,
                "import into volume \(name): \(failure)", object: name)
        }
        // The padding that writers of archives put behind the end.
        var rest = [UInt8](repeating: 0, count: 65536)
        while let count = try? source.read(into: &rest), count > 0 {}  // A peer that goes now has given all.
    }

    /// The volume's root, which stays there as long as it is held, mounted or not.
    private func open(_ name: String) async throws(EngineError) -> HeldDescriptor {
        let volume = try await find(name)
        if let mount = volume.mount {
            guard mountsOnHost else {
                throw EngineError(.unsupported, "volume \(name): to mount it takes root", object: name)
            }
            if mount.isMemory, holders[name]?.isEmpty != false {
                throw EngineError(
                    .conflict, "volume \(name) is in memory, and only while a container runs with it", object: name)
            }
        }
        let holder = RandomID.make()
        try await hold(name, by: holder)
        let path = mountpoint(name)
        let result: Result<HeldDescriptor, EngineError>
        do throws(EngineError) {
            let root = try await ServedFiles.look(into: name) { () throws(EngineError) in
                do throws(KernelError) {
                    return HeldDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
                } catch { throw EngineError(error, object: name) }
            }
            result = .success(root)
        } catch { result = .failure(error) }
        await release(name, by: holder, detach: true)
        return try result.get()
    }
}
