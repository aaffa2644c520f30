import EngineAPI
import Glibc
import Linux

/// Whose the files of a tree are to whoever copies them: what the container sees, where the host sees other ids.
struct TreeIDs: Sendable {
    /// The kernel's "nobody" stands for ids that have no name inside.
    private static let nobody: UInt32 = 65534

    let remap: IDRemap
    /// On this device the ids are the container's already: that of a root file system which no container has mounted.
    var plainDevice: dev_t?

    /// Of a member of an archive.
    func inside(_ facts: stat) -> (user: UInt64, group: UInt64) {
        if facts.st_dev == plainDevice { return (UInt64(facts.st_uid), UInt64(facts.st_gid)) }
        let user = remap.uid(ofHost: facts.st_uid) ?? Self.nobody
        return (UInt64(user), UInt64(remap.gid(ofHost: facts.st_gid) ?? Self.nobody))
    }

    /// Of what is unpacked into a directory of that device; -1 for what nobody inside can have.
    func outside(device: dev_t) -> (@Sendable (Int64, Int64) -> (user: Int64, group: Int64))? {
        guard device != plainDevice else { return nil }
        let remap = self.remap
        return { user, group in
            let uid = UInt32(exactly: user).flatMap(remap.hostUID)
            let gid = UInt32(exactly: group).flatMap(remap.hostGID)
            return (uid.map(Int64.init) ?? -1, gid.map(Int64.init) ?? -1)
        }
    }
}
