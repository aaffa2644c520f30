import Glibc
import JSON
import OCI

/// A file of the `SeccompCache` that a container's filter was found in, as it was then. Files there are replaced, never
/// written to: one that has the number and the time of change of another is that one, and need not be read to know it.
struct FilterFile: Hashable {
    let name: String
    let device: UInt64
    let inode: UInt64
    let changedNanoseconds: Int64

    init(name: String, _ facts: stat) {
        self.name = name
        device = UInt64(facts.st_dev)
        inode = UInt64(facts.st_ino)
        changedNanoseconds = Int64(facts.st_ctim.tv_sec) * 1_000_000_000 + Int64(facts.st_ctim.tv_nsec)
    }

    var json: JSONValue {
        .object(
            JSONObject([
                ("name", .string(name)), ("device", device.json), ("inode", inode.json),
                ("changedNanoseconds", .integer(changedNanoseconds)),
            ]))
    }

    init(_ file: RuntimeProperty) throws(RuntimeSpecError) {
        name = try file.required("name").string()
        device = try file.required("device").integer()
        inode = try file.required("inode").integer()
        changedNanoseconds = try file.required("changedNanoseconds").integer()
    }
}
