import Glibc
import JSON
import Linux
import OCI

/// The runtime's root: a directory for each container, with its record, its configuration and, until it is started, the
/// socket where its init process waits.
///
/// Record and configuration are one file: a file more to be made, named and removed is a hundredth of a container's cost.
struct ContainerStore {
    /// The record on the first line, which no text in JSON breaks; below it the configuration as it was at `create`.
    static let recordName = "state.json"
    /// Of a bundle.
    static let specName = "config.json"
    /// A link to nowhere whose text is the path of the cgroup, made before that: what `delete --force` ends where there is
    /// no record. It is whole as soon as it is there, and in most file systems a part of its folder alone.
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
        if rmdir(path) == 0 { return }
        try attempt { () throws(KernelError) in try Directory.removeTree(path) }
    }

    /// Notes the cgroup that is about to be made for a container.
    static func note(cgroup path: String, in directory: Descriptor) throws(KernelError) {
        try kernelCall("note the cgroup", path) { symlinkat(path, directory.rawValue, cgroupName) }
    }

    /// The cgroup of a container whose `create` was killed on the way; nil where it did not come so far.
    func unrecordedCgroup(of id: String) throws(RuntimeError) -> String? {
        let path = "\(directory(of: id))/\(Self.cgroupName)"
        do throws(KernelError) {
            var text = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = try kernelCall("readlink", path) { readlink(path, &text, text.count) }
            return String(decoding: text[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        } catch {
            // What is no link nobody has noted here.
            if error.errno == .noSuchFile || error.errno == .invalidArgument { return nil }
            throw RuntimeError(error)
        }
    }

    /// Writes down that the container exists. What is read of it is whole.
    static func write(
        _ record: ContainerRecord, _ specBytes: [UInt8], in directory: Descriptor
    ) throws(KernelError) {
        let bytes = record.json.compactBytes + [UInt8(ascii: "\n")] + specBytes
        try FileContents.replace(recordName, in: directory, with: bytes, durable: false)
    }

    func record(of id: String) throws(RuntimeError) -> ContainerRecord {
        let bytes = try stored(id)
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: Array(bytes.prefix { $0 != 10 })) } catch {
            throw RuntimeError(error)
        }
        do throws(RuntimeSpecError) { return try ContainerRecord(json) } catch { throw RuntimeError(error) }
    }

    /// The configuration as it was at `create`.
    func spec(of id: String) throws(RuntimeError) -> RuntimeSpec {
        let bytes = try stored(id)
        guard let end = bytes.firstIndex(of: 10) else {
            // Of a container that a runtime before this one has made: in a file of its own.
            return try SpecFile.read("\(directory(of: id))/\(Self.specName)").spec
        }
        return try SpecFile.parse(Array(bytes[(end + 1)...]))
    }

    private func stored(_ id: String) throws(RuntimeError) -> [UInt8] {
        try Self.check(id)
        do throws(KernelError) {
            return try FileContents.read("\(directory(of: id))/\(Self.recordName)")
        } catch {
            if error.errno == .noSuchFile || error.errno == .notDirectory { throw RuntimeError.doesNotExist }
            throw RuntimeError(error)
        }
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
