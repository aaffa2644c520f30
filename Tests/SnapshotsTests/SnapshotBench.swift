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
    enum Kind: CaseIterable { case overlay, copy, program }

    /// Those that this machine can have.
    static let kinds = Kind.allCases.filter { kind in
        guard kind == .program, access(program, X_OK) != 0 || access("/dev/fuse", R_OK) != 0 else { return true }
        print("not tried, because the machine has no fuse-overlayfs: \(kind)")
        return false
    }
    private static let program = "/usr/bin/fuse-overlayfs"

    let root: TemporaryRoot
    let snapshots: any Snapshotter

    init(_ kind: Kind) throws {
        root = try TemporaryRoot(onTmpfs: true)
        let path = root.path + "/snapshots"
        switch kind {
        case .overlay: snapshots = try OverlaySnapshotter(path: path)
        case .program: snapshots = try OverlaySnapshotter(path: path, assembly: .program(Self.program))
        case .copy: snapshots = try CopySnapshotter(path: path)
        }
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
        var command = "mount -t \(mount.type) -o '\(options)' \(mount.source) \(target) && cd \(target) && \(script)"
        if let server = mount.server {
            // It ends with what it serves, and would hold that in this namespace.
            command =
                "cd \(mount.source) && \(server) -o '\(options)' \(target) 2>/dev/null && (cd \(target) && \(script)); "
                + "code=$?; umount \(target); exit $code"
        }
        let (status, text) = try Command.run(["unshare", "-m", "sh", "-c", command])
        #expect(status == 0, "\(text)")
        return text
    }
}

extension Snapshotter {
    func prepareRoot(_ containerID: String, layers: [Digest]) throws(SnapshotError) -> [SnapshotMount] {
        try prepareRoot(containerID, layers: layers, hasBottom: false)
    }
}
