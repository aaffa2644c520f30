import EngineAPI
import Glibc
import Lifecycle
import Linux
import OCI
import Rootless

/// Whose subordinate ids containers get: docker's rules for `userns-remap`, in its words.
struct RemapChoice {
    /// Where passwd, group, subuid and subgid are.
    let directory: String

    /// The ids that a setting means; nil where root would be remapped to itself. Blocking.
    ///
    /// - Throws: `invalid` for one that is none, or has no ids; `unsupported` where the kernel cannot do it.
    func remap(_ setting: String, kernel: String) throws(EngineError) -> IDRemap? {
        let isAble = Self.translatesOwners(kernel)
        if isAble, setting == Self.standard { try makeDefaultUser() }
        let names = try names(setting)
        if names.user == "root" { return nil }
        guard isAble else {
            throw EngineError(.unsupported, "userns-remap needs Linux 5.19 or later; this is \(kernel)")
        }
        let uids = try ranges("subuid", names.user, id: names.uid)
        let gids = try ranges("subgid", names.group, id: names.gid)
        guard let remap = IDRemap(uids: uids, gids: gids) else {
            throw EngineError(.invalid, "no ids for userns-remap \"\(setting)\"")
        }
        return remap
    }

    private static let standard = "default"

    /// So that both engines agree, it is docker's.
    private func makeDefaultUser() throws(EngineError) {
        try RemapUser(directory: directory).make(
            isThere: accounts("passwd").contains { $0.name == RemapUser.name }, subuid: text("subuid"),
            subgid: text("subgid"))
    }

    /// Overlayfs over a mount with translated owners.
    static func translatesOwners(_ release: String) -> Bool {
        let numbers = release.split { !$0.isASCII || !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 19)
    }

    private struct Names {
        var user: String
        var uid: UInt32
        var group: String
        var gid: UInt32
    }

    private func names(_ setting: String) throws(EngineError) -> Names {
        let parts = setting.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2 else {
            throw EngineError(.invalid, "Invalid user/group specification in --userns-remap: \"\(setting)\"")
        }
        let users = accounts("passwd")
        let groups = accounts("group")
        let user: Account
        if let uid = UInt32(parts[0]) {
            guard let found = users.first(where: { $0.id == uid }) else {
                throw EngineError(.invalid, "Uid \(uid) has no entry in /etc/passwd")
            }
            user = found
        } else {
            let name = parts[0] == Self.standard ? RemapUser.name : parts[0]
            guard let found = users.first(where: { $0.name == name }) else {
                throw EngineError(.invalid, "Error during uid lookup for \"\(name)\": no such user")
            }
            user = found
        }
        let group = try group(parts.count == 2 ? parts[1] : UInt32(parts[0]).map(String.init) ?? user.name, groups)
        return Names(user: user.name, uid: user.id, group: group.name, gid: group.id)
    }

    private func group(_ text: String, _ groups: [Account]) throws(EngineError) -> Account {
        if let gid = UInt32(text) {
            guard let found = groups.first(where: { $0.id == gid }) else {
                throw EngineError(.invalid, "Gid \(gid) has no entry in /etc/group")
            }
            return found
        }
        guard let found = groups.first(where: { $0.name == text }) else {
            throw EngineError(.invalid, "Error during gid lookup for \"\(text)\": no such group")
        }
        return found
    }

    /// One after the other, from 0 on inside.
    private func ranges(_ file: String, _ name: String, id: UInt32) throws(EngineError) -> [LinuxIDMapping] {
        var next: UInt32 = 0
        var mappings: [LinuxIDMapping] = []
        for range in SubordinateIDs(text: text(file), user: name, id: id).ranges {
            guard !next.addingReportingOverflow(range.count).overflow else { break }
            mappings.append(LinuxIDMapping(containerID: next, hostID: range.first, size: range.count))
            next += range.count
        }
        guard !mappings.isEmpty else {
            throw EngineError(.invalid, "Can't create ID mappings: no \(file) ranges found for user \"\(name)\"")
        }
        return mappings
    }

    private struct Account {
        var name: String
        var id: UInt32
    }

    /// passwd(5) and group(5): the id is the third field of both.
    private func accounts(_ file: String) -> [Account] {
        text(file).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 2, !fields[0].isEmpty, let id = UInt32(fields[2]) else { return nil }
            return Account(name: String(fields[0]), id: id)
        }
    }

    private func text(_ file: String) -> String {
        // Without the file it says nothing.
        let bytes = (try? FileContents.read("\(directory)/\(file)", limitBytes: 16 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }
}
