import Glibc
import JSON
import Linux
import OCI

/// The runtime's root: a directory for each container, with its record, its configuration and, until it is started, the
/// socket where its init process waits.
struct ContainerStore {
    static let recordName = "state.json"
    static let specName = "config.json"
    /// The path of the cgroup, written before it is made: what `delete --force` ends where there is no record.
    static let cgroupName = "cgroup"

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
        unlink("\(path)/\(Self.cgroupName)")
        unlink("\(path)/\(Self.specName)")
        if rmdir(path) == 0 { return }
        try attempt { () throws(KernelError) in try Directory.removeTree(path) }
    }

    /// The cgroup of a container whose `create` was killed on the way; nil where it did not come so far.
    func unrecordedCgroup(of id: String) throws(RuntimeError) -> String? {
        do throws(KernelError) {
            let text = try FileContents.read("\(directory(of: id))/\(Self.cgroupName)")
            // Without its end it was not written whole, and the cgroup not made: a part of its path names another one.
            return text.last == 10 ? String(decoding: text.dropLast(), as: UTF8.self) : nil
        } catch {
            if error.errno == .noSuchFile { return nil }
            throw RuntimeError(error)
        }
    }

    func record(of id: String) throws(RuntimeError) -> ContainerRecord {
        try Self.check(id)
        let bytes: [UInt8]
        do throws(KernelError) {
            bytes = try FileContents.read("\(directory(of: id))/\(Self.recordName)")
        } catch {
            if error.errno == .noSuchFile || error.errno == .notDirectory { throw RuntimeError.doesNotExist }
            throw RuntimeError(error)
        }
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch { throw RuntimeError(error) }
        do throws(RuntimeSpecError) { return try ContainerRecord(json) } catch { throw RuntimeError(error) }
    }

    /// The configuration as it was at `create`.
    func spec(of id: String) throws(RuntimeError) -> RuntimeSpec {
        try SpecFile.read("\(directory(of: id))/\(Self.specName)").spec
    }

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
