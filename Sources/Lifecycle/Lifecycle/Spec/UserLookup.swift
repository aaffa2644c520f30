import EngineAPI
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
package struct UserLookup {
    private struct User {
        var name: Substring
        var uid: UInt32
        var gid: UInt32
        var home: Substring
    }

    private struct Group {
        var name: Substring
        var gid: UInt32
        var members: [Substring]
    }

    private let users: [User]
    private let groups: [Group]

    /// - Parameters: the files' contents; empty where there is none. Lines that make no sense are passed over.
    package init(passwd: [UInt8], group: [UInt8]) {
        users = Self.lines(passwd).compactMap { fields in
            guard fields.count >= 4, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
            return User(name: fields[0], uid: uid, gid: gid, home: fields.count > 5 ? fields[5] : "/")
        }
        groups = Self.lines(group).compactMap { fields in
            guard fields.count >= 3, let gid = UInt32(fields[2]) else { return nil }
            let members = fields.count > 3 ? fields[3].split(separator: ",") : []
            return Group(name: fields[0], gid: gid, members: members)
        }
    }

    private static func lines(_ bytes: [UInt8]) -> [[Substring]] {
        TextLines.said(in: String(decoding: bytes, as: UTF8.self)).map { line in
            line.split(separator: ":", omittingEmptySubsequences: false)
        }
    }

    /// The user that `name`, `uid`, `name:group`, `uid:gid` mean; the superuser where it is empty.
    ///
    /// A number needs no entry. With a group given, the user's further groups are not taken.
    package func resolve(_ user: String, additionalGroups: [String] = []) throws(EngineError) -> ResolvedUser {
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let userName = parts.first ?? ""
        let groupName = parts.count > 1 ? parts[1] : ""
        var result = ResolvedUser()
        let matched = try applyUser(userName, to: &result)
        if !groupName.isEmpty {
            result.gid = try gid(groupName)
        } else if let matched {
            result.supplementaryGroups = groups.filter { $0.members.contains(matched) }.map(\.gid)
        }
        for name in additionalGroups { result.supplementaryGroups.append(try gid(name[...])) }
        return result
    }

    /// Returns the name of the entry that was found.
    private func applyUser(_ name: Substring, to result: inout ResolvedUser) throws(EngineError) -> Substring? {
        let number = name.isEmpty ? 0 : try Self.number(name)
        let found = users.first { entry in number.map { entry.uid == $0 } ?? (entry.name == name) }
        if let found {
            (result.uid, result.gid, result.home) = (found.uid, found.gid, String(found.home))
        } else if let number {
            result.uid = number
        } else {
            throw EngineError(.invalid, "unable to find user \(name): no matching entries in passwd file")
        }
        return found?.name
    }

    private func gid(_ name: Substring) throws(EngineError) -> UInt32 {
        if let number = try Self.number(name) { return number }
        if let found = groups.first(where: { $0.name == name }) { return found.gid }
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
