import CLinux
import Glibc
import JSON
import Linux
import OCI
import Synchronization

/// The directory of snapshots: `HEX/{fs,layer.json}` for a layer, `ID/{fs,work,root.json}` for a container's root,
/// `l/NAME` for a link to a layer by a short name, `.bottom-2` for the bottom layer, and other names with a dot for what is
/// being made or removed.
struct SnapshotDirectory: Sendable {
    let path: String
    private static let counter = Atomic<UInt64>(0)
    private static let layerFile = "layer.json"
    private static let rootFile = "root.json"

    init(path: String) throws(KernelError) {
        self.path = path
        try Directory.create("\(path)/l", mode: 0o711)
        Directory.spread(path)
    }

    func layerPath(_ chainID: Digest) -> String { "\(path)/\(chainID.hex)" }

    /// - Parameter layers: lowest first.
    func files(of layers: [Digest]) throws(KernelError) -> LayerFiles {
        try LayerFiles(layers.reversed().map { "\($0.hex)/fs" }, in: path)
    }

    func rootPath(_ containerID: String) throws(SnapshotError) -> String {
        let isSafe = containerID.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (97...122).contains(byte | 0x20) || byte == 45 || byte == 95
        }
        guard isSafe, containerID.utf8.count > 1, containerID.utf8.count < 200 else {
            throw .invalidName(containerID)
        }
        return "\(path)/\(containerID)"
    }

    // MARK: Making and removing

    /// Makes a layer's directory. One of that name whose facts cannot be read gives way: a layer that is damaged is mended
    /// by being made again.
    func createLayer(_ chainID: Digest, _ fill: (String) throws(SnapshotError) -> Void) throws(SnapshotError) {
        let path = layerPath(chainID)
        if try kernel({ () throws(KernelError) in try readLayer(chainID) }) == nil { try remove(path) }
        try create(path, fill)
    }

    /// Makes a directory under a passing name, lets `fill` fill it, and gives it its name once all of it is on disk.
    ///
    /// - Parameter synced: false for what need not outlive a crash of the machine whole: a root that nobody has used.
    func create(
        _ finalPath: String, synced: Bool = true, _ fill: (String) throws(SnapshotError) -> Void
    ) throws(SnapshotError) {
        let passing = try kernel { () throws(KernelError) in
            try withPassingName(".new") { name throws(KernelError) in
                _ = try kernelCall("mkdir", name) { mkdir(name, 0o711) }
            }
        }
        do throws(SnapshotError) {
            try fill(passing)
            try kernel { () throws(KernelError) in try publish(passing, finalPath, synced) }
        } catch {
            discard(passing)
            throw error
        }
    }

    private func publish(_ passing: String, _ finalPath: String, _ synced: Bool) throws(KernelError) {
        guard synced else { return _ = try kernelCall("rename", finalPath) { rename(passing, finalPath) } }
        let made = OwnedDescriptor(try Descriptor.open(passing, O_RDONLY | O_DIRECTORY))
        // One call for thousands of files, where each alone would wait for the disk.
        try kernelCall("sync", passing) { gantry_syncfs(made.descriptor.rawValue) }
        try kernelCall("rename", finalPath) { rename(passing, finalPath) }
        let parent = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
        try kernelCall("sync", path) { fsync(parent.descriptor.rawValue) }
    }

    /// Takes the name away first: what is half removed is never seen.
    func remove(_ whole: String) throws(SnapshotError) {
        try kernel { () throws(KernelError) in
            let passing: String
            do throws(KernelError) {
                passing = try withPassingName(".old") { name throws(KernelError) in
                    _ = try kernelCall("rename", whole) { rename(whole, name) }
                }
            } catch  where error.errno == .noSuchFile { return }
            try Directory.removeTree(passing)
        }
    }

    /// Has `take` take a name that nothing has. A process before this one may have had its number, as in a container all
    /// first processes have, and have left what cannot be removed.
    private func withPassingName(
        _ prefix: String, _ take: (String) throws(KernelError) -> Void
    ) throws(KernelError) -> String {
        while true {
            let number = Self.counter.add(1, ordering: .relaxed).newValue
            let name = "\(path)/\(prefix)-\(getpid())-\(number)"
            do throws(KernelError) {
                try take(name)
                return name
            } catch  where error.errno == .exists || error.errno == .notEmpty {
                continue
            }
        }
    }

    private func discard(_ passing: String) {
        // The failure that led here is what the caller is told; what stays is removed at the next start.
        try? Directory.removeTree(passing)
    }

    /// - Returns: why some of it is still there: a container may have made a file immutable.
    func removeLeftovers() throws(KernelError) -> [KernelError] {
        var failures: [KernelError] = []
        for name in try Directory.list(path) where name.hasPrefix(".new-") || name.hasPrefix(".old-") {
            let left = "\(path)/\(name)"
            do throws(KernelError) { try Directory.removeTree(left) } catch {
                failures.append(KernelError("remove", left, error.errno))
            }
        }
        for name in try Directory.list("\(path)/l") where access("\(path)/l/\(name)", F_OK) != 0 {
            unlink("\(path)/l/\(name)")
        }
        return failures
    }

    // MARK: What is kept beside

    func writeLayer(_ facts: LayerFacts, in directory: String) throws(KernelError) {
        var object = JSONObject([("size", .integer(facts.sizeBytes))])
        object["parent"] = (facts.parent?.description).map(JSONValue.string)
        try FileContents.replace("\(directory)/\(Self.layerFile)", with: JSONValue.object(object).compactBytes)
    }

    /// Nil where there is none, or one that is damaged.
    func readLayer(_ chainID: Digest) throws(KernelError) -> LayerFacts? {
        let json: JSONValue?
        do throws(KernelError) { json = try document("\(layerPath(chainID))/\(Self.layerFile)") } catch {
            guard Self.damage.contains(error.errno.rawValue) else { throw error }
            return nil
        }
        guard let json, let size = json["size"]?.integer else { return nil }
        return LayerFacts(
            chainID: chainID, parent: json["parent"]?.string.flatMap { Digest($0) }, sizeBytes: size)
    }

    /// How a failing disk, and what a check of it has left, are told.
    private static let damage = [EIO, EUCLEAN, EISDIR, ELOOP, EFBIG]

    /// What a container's root is made of.
    struct RootRecord: Hashable {
        /// Lowest first.
        var layers: [Digest]
        /// Whether the `BottomLayer` is below them.
        var hasBottom = false
    }

    func writeRoot(_ root: RootRecord, in directory: String) throws(KernelError) {
        var object = JSONObject([("layers", .array(root.layers.map { .string($0.description) }))])
        if root.hasBottom { object["bottom"] = true }
        try FileContents.replace(
            "\(directory)/\(Self.rootFile)", with: JSONValue.object(object).compactBytes, durable: false)
    }

    /// Nil where there is none.
    func readRecord(_ directory: String) throws(KernelError) -> RootRecord? {
        guard let json = try document("\(directory)/\(Self.rootFile)") else { return nil }
        let layers = (json["layers"]?.array ?? []).compactMap { $0.string.flatMap { Digest($0) } }
        return RootRecord(layers: layers, hasBottom: json["bottom"]?.bool ?? false)
    }

    /// The layers of a container's root, lowest first; nil where there is none.
    func readRoot(_ directory: String) throws(KernelError) -> [Digest]? { try readRecord(directory)?.layers }

    /// Also those that are damaged.
    func layers() throws(KernelError) -> Set<Digest> {
        Set(
            try Directory.list(path).compactMap { Digest(.sha256, hex: $0) ?? Digest(.sha512, hex: $0) }
                .filter { isLayer(layerPath($0)) })
    }

    func isLayer(_ directory: String) -> Bool { access("\(directory)/\(Self.layerFile)", F_OK) == 0 }

    func roots() throws(KernelError) -> [String: [Digest]] {
        var roots: [String: [Digest]] = [:]
        for name in try Directory.list(path) where !name.hasPrefix(".") && name != "l" {
            roots[name] = try readRoot("\(path)/\(name)")
        }
        return roots
    }

    private func document(_ file: String) throws(KernelError) -> JSONValue? {
        let bytes: [UInt8]
        do throws(KernelError) { bytes = try FileContents.read(file, limitBytes: 1 << 20) } catch {
            if error.errno == .noSuchFile || error.errno == .notDirectory { return nil }
            throw error
        }
        // A root's file is not synced: cut off by a crash of the machine, it is as good as missing, and so is the root.
        return try? JSONValue(parsing: bytes)
    }
}

func kernel<Result>(_ body: () throws(KernelError) -> Result) throws(SnapshotError) -> Result {
    do throws(KernelError) { return try body() } catch { throw .kernel(error) }
}
