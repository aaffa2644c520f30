import EngineAPI
import Glibc
import Linux

/// Who a process runs as.
package struct ResolvedUser: Hashable, Sendable {
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var supplementaryGroups: [UInt32] = []
    package var home = "/"

    package init() {}
}

/// Finds users and groups in a container's own passwd(5) and group(5), by the rules of runc and docker.
///
/// The files are the container's, and may be large: they are read and looked through only as far as the question needs,
/// where `resolve` is called, which may block.
package struct UserLookup {
    package enum File: String, Sendable {
        case passwd = "etc/passwd"
        case group = "etc/group"
    }

    /// How many groups the kernel lets a process have: NGROUPS_MAX of linux/limits.h.
    private static let groupLimit = 65536

    private let read: (File) throws(EngineError) -> [UInt8]

    /// - Parameter read: a file's contents; empty where there is none. Lines that make no sense are passed over.
    package init(read: @escaping (File) throws(EngineError) -> [UInt8]) { self.read = read }

    /// The user that `name`, `uid`, `name:group`, `uid:gid` mean; the superuser where it is empty.
    ///
    /// A number needs no entry. With a group given, the user's further groups are not taken.
    package func resolve(_ user: String, additionalGroups: [String] = []) throws(EngineError) -> ResolvedUser {
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let userName = parts.first ?? ""
        let groupName = parts.count > 1 ? parts[1] : ""
        var result = ResolvedUser()
        let matched = try applyUser(userName, to: &result)
        var groups = GroupFile(read)
        if !groupName.isEmpty {
            result.gid = try gid(groupName, &groups)
        } else if let matched {
            result.supplementaryGroups = try groups.groups(of: matched, limit: Self.groupLimit)
        }
        for name in additionalGroups { result.supplementaryGroups.append(try gid(name[...], &groups)) }
        guard result.supplementaryGroups.count <= Self.groupLimit else {
            throw EngineError(.invalid, "user \(userName) has more than \(Self.groupLimit) groups")
        }
        return result
    }

    /// Returns the name of the entry that was found.
    private func applyUser(_ name: Substring, to result: inout ResolvedUser) throws(EngineError) -> [UInt8]? {
        let number = name.isEmpty ? 0 : try Self.number(name)
        let wanted = Array(name.utf8)
        let found = AccountLines.first(of: try read(.passwd)) { line -> (name: [UInt8], ResolvedUser)? in
            guard number != nil || line.field(0, is: wanted), let uid = line.number(2), number == nil || uid == number,
                let gid = line.number(3)
            else { return nil }
            var user = ResolvedUser()
            (user.uid, user.gid) = (uid, gid)
            if let home = line.field(5) { user.home = String(decoding: home, as: UTF8.self) }
            return (line.field(0) ?? [], user)
        }
        if let found {
            result = found.1
        } else if let number {
            result.uid = number
        } else {
            throw EngineError(.invalid, "unable to find user \(name): no matching entries in passwd file")
        }
        return found?.name
    }

    private func gid(_ name: Substring, _ groups: inout GroupFile) throws(EngineError) -> UInt32 {
        if let number = try Self.number(name) { return number }
        if let found = try groups.gid(of: Array(name.utf8)) { return found }
        throw EngineError(.invalid, "Unable to find group \(name): no matching entries in group file")
    }

    /// Nil for a name.
    private static func number(_ text: Substring) throws(EngineError) -> UInt32? {
        guard let value = Int64(text) else { return nil }
        guard (0...Int64(Int32.max)).contains(value) else {
            throw EngineError(.invalid, "uids and gids must be in range 0-2147483647")
        }
        return UInt32(value)
    }
}

/// group(5), read when it is first asked for.
private struct GroupFile {
    private let read: (UserLookup.File) throws(EngineError) -> [UInt8]
    private var known: [UInt8]?

    init(_ read: @escaping (UserLookup.File) throws(EngineError) -> [UInt8]) { self.read = read }

    mutating func gid(of name: [UInt8]) throws(EngineError) -> UInt32? {
        AccountLines.first(of: try contents()) { $0.field(0, is: name) ? $0.number(2) : nil }
    }

    /// - Parameter limit: so many and one more are enough.
    mutating func groups(of user: [UInt8], limit: Int) throws(EngineError) -> [UInt32] {
        var found: [UInt32] = []
        _ = AccountLines.first(of: try contents()) { line -> Void? in
            guard line.hasMember(user), let gid = line.number(2) else { return nil }
            found.append(gid)
            return found.count > limit ? () : nil
        }
        return found
    }

    private mutating func contents() throws(EngineError) -> [UInt8] {
        if let known { return known }
        let bytes = try read(.group)
        known = bytes
        return bytes
    }
}
