import Glibc
import JSON
import Linux
import OCI

/// The runtime's root: a directory for each container, with its record, its configuration and, until it is started, the
/// socket where its init process waits.
///
/// What is kept of a container is one file, written on as the container comes to be: a file more to be made, named and
/// removed is a hundredth of its cost. Its lines are the path of the cgroup, where that is the container's own; the record;
/// and, to the end, the configuration as it was at `create`. No text in JSON breaks a line, and no cgroup's name.
struct ContainerStore {
    static let recordName = "state.json"
    /// Its name until all is there: what `delete --force` ends is the cgroup of the first line.
    static let pendingName = "state.pending"
    /// Of a bundle.
    static let specName = "config.json"

    let root: String

    func directory(of id: String) -> String { "\(root)/\(id)" }

    /// Ids are file names and appear in messages: letters, digits and `_+-.`, as in runc.
    static func check(_ id: String) throws(RuntimeError) {
        guard !id.isEmpty else { throw RuntimeError("container id cannot be empty") }
        let isWord = id.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 43, 45, 46, 95: true
            default: false
            }
        }
        guard isWord, id != ".", id != "..", id.utf8.count <= 1024 else {
            throw RuntimeError("invalid container ID format")
        }
    }

    /// Takes the id: its directory, made new.
    func claim(_ id: String) throws(RuntimeError) -> Descriptor {
        try Self.check(id)
        let path = directory(of: id)
        do throws(KernelError) {
            do throws(KernelError) {
                try kernelCall("mkdir", path) { mkdir(path, 0o711) }
            } catch  where error.errno == .noSuchFile {
                // What is above the runtime's own is others' as well: the engine's socket may lie there.
                try Directory.create(PathName.split(root).parent, mode: 0o711)
                try Directory.create(root, mode: 0o700)
                try kernelCall("mkdir", path) { mkdir(path, 0o711) }
            }
            return try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        } catch {
            if error.errno == .exists { throw RuntimeError("container with given ID already exists") }
            throw RuntimeError(error)
        }
    }

    func release(_ id: String) throws(RuntimeError) {
        let path = directory(of: id)
        // What nearly every container has, without asking; a folder that has more is taken down as any other. The record
        // first: what is left of a removal that was broken off is no container.
        unlink("\(path)/\(Self.recordName)")
        if rmdir(path) == 0 { return }
        try attempt { () throws(KernelError) in try Directory.removeTree(path) }
    }

    /// Begins a container's file, before its cgroup is made.
    ///
    /// - Parameter cgroup: the path; empty for one that was there before, which is not the container's to end.
    static func begin(in directory: Descriptor, cgroup: String) throws(KernelError) {
        try FileContents.create(pendingName, in: directory, with: Array("\(cgroup)\n".utf8))
    }

    /// Completes it: from here on the container exists, and what is read of it is whole.
    static func complete(
        with record: ContainerRecord, _ specBytes: [UInt8], in directory: Descriptor
    ) throws(KernelError) {
        let file = OwnedDescriptor(try directory.open(pendingName, O_WRONLY | O_APPEND | O_NOFOLLOW))
        try file.descriptor.writeAll(record.json.compactBytes + [newline] + specBytes)
        try kernelCall("rename", recordName) {
            renameat(directory.rawValue, pendingName, directory.rawValue, recordName)
        }
    }

    /// The cgroup of a container whose `create` was killed on the way; nil where it did not come so far.
    func unrecordedCgroup(of id: String) throws(RuntimeError) -> String? {
        do throws(KernelError) {
            let text = try FileContents.read("\(directory(of: id))/\(Self.pendingName)")
            // Without its end it was not written whole, and the cgroup not made: a part of its path names another one.
            guard let end = text.firstIndex(of: Self.newline), end > 0 else { return nil }
            return String(decoding: text[..<end], as: UTF8.self)
        } catch {
            if error.errno == .noSuchFile { return nil }
            throw RuntimeError(error)
        }
    }

    func record(of id: String) throws(RuntimeError) -> ContainerRecord { try Self.record(try contents(of: id).record) }

    private static func record(_ bytes: [UInt8]) throws(RuntimeError) -> ContainerRecord {
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch { throw RuntimeError(error) }
        do throws(RuntimeSpecError) { return try ContainerRecord(json) } catch { throw RuntimeError(error) }
    }

    /// The configuration as it was at `create`.
    func spec(of id: String) throws(RuntimeError) -> RuntimeSpec { try spec(try contents(of: id).spec, of: id) }

    /// Both at once.
    func container(_ id: String) throws(RuntimeError) -> (record: ContainerRecord, spec: RuntimeSpec) {
        let (record, spec) = try contents(of: id)
        return (try Self.record(record), try self.spec(spec, of: id))
    }

    private func spec(_ bytes: [UInt8]?, of id: String) throws(RuntimeError) -> RuntimeSpec {
        guard let bytes else { return try SpecFile.read("\(directory(of: id))/\(Self.specName)").spec }
        return try SpecFile.parse(bytes)
    }

    /// - Returns: no configuration for a container that an older runtime has made, which is in a file of its own.
    private func contents(of id: String) throws(RuntimeError) -> (record: [UInt8], spec: [UInt8]?) {
        try Self.check(id)
        let bytes: [UInt8]
        do throws(KernelError) {
            bytes = try FileContents.read("\(directory(of: id))/\(Self.recordName)")
        } catch {
            if error.errno == .noSuchFile || error.errno == .notDirectory { throw RuntimeError.doesNotExist }
            throw RuntimeError(error)
        }
        guard bytes.first != UInt8(ascii: "{"), let first = bytes.firstIndex(of: Self.newline),
            let second = bytes[(first + 1)...].firstIndex(of: Self.newline)
        else { return (bytes, nil) }
        return (Array(bytes[(first + 1)..<second]), Array(bytes[(second + 1)...]))
    }

    private static let newline = UInt8(ascii: "\n")

    /// The ids of all containers, sorted; none where the root is missing.
    func ids() throws(RuntimeError) -> [String] {
        do throws(KernelError) {
            return try Directory.list(root).filter {
                access("\(root)/\($0)/\(Self.recordName)", F_OK) == 0
            }.sorted()
        } catch {
            if error.errno == .noSuchFile { return [] }
            throw RuntimeError(error)
        }
    }
}
