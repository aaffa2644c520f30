import Glibc
import Linux

/// The ids that a user's containers have: its own as their root's, and those that the machine grants it beside.
package struct UserIDs: Hashable, Sendable {
    package let uids: IDMap
    package let gids: IDMap
    /// Why there are no ids but the user's own, where that is so.
    package let note: String?

    private static let programs = ["newuidmap", "newgidmap"]

    package init(uids: IDMap, gids: IDMap, note: String?) {
        self.uids = uids
        self.gids = gids
        self.note = note
    }

    /// Asks the machine what this user has. Blocking.
    ///
    /// - Parameter name: the user's; nil where it has none.
    package static func current(name: String?) -> UserIDs {
        let (uid, gid) = (getuid(), getgid())
        // Without the file nothing is granted.
        func granted(_ path: String) -> SubordinateIDs {
            let text = (try? FileContents.read(path, limitBytes: 16 << 20)) ?? []  // As above.
            return SubordinateIDs(text: String(decoding: text, as: UTF8.self), user: name, id: uid)
        }
        let uids = IDMap(own: uid, granted: granted("/etc/subuid"))
        let gids = IDMap(own: gid, granted: granted("/etc/subgid"))
        let who = name ?? "uid \(uid)"
        if uids.isSingle || gids.isSingle {
            return single(
                "\(who) has no subordinate ids in /etc/\(uids.isSingle ? "subuid" : "subgid") "
                    + "(`usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \(who)` grants them)")
        }
        if let missing = programs.first(where: { OutsideProgram.find($0) == nil }) {
            return single("\(missing) is not installed (Debian: apt install uidmap)")
        }
        return UserIDs(uids: uids, gids: gids, note: nil)
    }

    private static func single(_ why: String) -> UserIDs {
        let none = SubordinateIDs(text: "", user: nil, id: 0)
        return UserIDs(
            uids: IDMap(own: getuid(), granted: none), gids: IDMap(own: getgid(), granted: none),
            note: "containers have one user id: \(why)")
    }

    /// Gives the user namespace of a process its ids.
    func map(pid: Int32) throws(RootlessFailure) {
        guard uids.isSingle else {
            try Self.run("newuidmap", pid, uids)
            try Self.run("newgidmap", pid, gids)
            return
        }
        try attempt("map the user's own id") { () throws(KernelError) in
            // An ordinary user may map its group only after giving up setgroups.
            try FileContents.write("deny", to: "/proc/\(pid)/setgroups")
            try FileContents.write(uids.lines, to: "/proc/\(pid)/uid_map")
            try FileContents.write(gids.lines, to: "/proc/\(pid)/gid_map")
        }
    }

    private static func run(_ name: String, _ pid: Int32, _ map: IDMap) throws(RootlessFailure) {
        let arguments = [name, String(pid)] + map.arguments
        let outcome = try OutsideProgram(path: OutsideProgram.find(name) ?? name, arguments: arguments).run()
        guard outcome.code == 0 else { throw RootlessFailure("map subordinate ids by \(name): \(outcome.complaint)") }
    }
}
