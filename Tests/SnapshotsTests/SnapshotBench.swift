import Archive
import Content
import Glibc
import ImageFixtures
import Linux
import OCI
import Snapshots
import Testing

/// A snapshotter on a tmpfs, with hand-made layers.
struct SnapshotBench {
    enum Kind: CaseIterable { case overlay, copy }

    let root: TemporaryRoot
    let snapshots: any Snapshotter

    init(_ kind: Kind) throws {
        root = try TemporaryRoot(onTmpfs: true)
        let path = root.path + "/snapshots"
        snapshots = kind == .overlay ? try OverlaySnapshotter(path: path) : try CopySnapshotter(path: path)
    }

    /// Applies one layer more; returns its chain ID.
    func add(_ tar: [UInt8], onto parents: [Digest]) throws -> Digest {
        let chain = Digest.chainIDs([parents.last, .sha256(of: tar)].compactMap { $0 }).last
        let chainID = try #require(chain)
        let path = try root.write("layer.tar", tar)
        let facts = try snapshots.unpack(chainID, onto: parents) { (directory) throws(ArchiveError) in
            let file: Descriptor
            do throws(KernelError) { file = try Descriptor.open(path, O_RDONLY) } catch { throw .kernel(error) }
            defer { file.close() }
            let input = try InflatingInput(DescriptorInput(file), hash: nil, limits: UnpackLimits())
            let applier = try LayerApplier(root: directory)
            try applier.apply(try TarReader(input, limits: UnpackLimits()))
            return applier.contentBytes
        }
        #expect(facts.parent == parents.last)
        return chainID
    }

    /// What a container with this root sees, by a command run in a mount namespace of its own.
    func inside(_ mounts: [SnapshotMount], _ script: String) throws -> String {
        let target = try root.make("mnt")
        let mount = mounts[0]
        let options = mount.options.joined(separator: ",")
        let command = "mount -t \(mount.type) -o '\(options)' \(mount.source) \(target) && cd \(target) && \(script)"
        let (status, text) = try Command.run(["unshare", "-m", "sh", "-c", command])
        #expect(status == 0, "\(text)")
        return text
    }
}
