import CLinux
import Glibc
import Linux

/// What an overlay's upper directory holds, told as changes of the layers below it. Blocking.
///
/// Like docker's `diff`: a directory counts as modified where it, or anything in it, is. What goes while it is looked at,
/// for the container may run, is left out. Names are bytes until they are told.
struct UpperChanges {
    let upper: String
    /// The layers' directories, the uppermost first.
    let layers: [String]

    func list(leavingOut isLeftOut: (String) -> Bool = { _ in false }) throws(KernelError) -> [RootChange] {
        let tree = try WalkedTree(upper)
        var found: [[UInt8]: RootChange] = [:]
        var pending: [[UInt8]] = [[]]
        while let directory = pending.popLast() {
            guard let entries = try tree.entries(of: directory) else {
                found[directory] = nil
                continue
            }
            let own = entries.filter { !isLeftOut(Self.text(directory + [47] + $0.name)) }
            // A directory whose time changed with what is left out of it.
            if own.isEmpty, !entries.isEmpty, let change = found[directory], change.hasOnlyNewTime {
                found[directory] = nil
            }
            for (name, facts) in own {
                let path = directory + [47] + name
                if facts.st_mode & S_IFMT == S_IFDIR { pending.append(path) }
                found[path] = change(path, facts)
            }
        }
        addParents(&found)
        return found.values.sorted { $0.path < $1.path }
    }

    /// Nil for what is as the layers have it.
    private func change(_ path: [UInt8], _ facts: stat) -> RootChange? {
        let isDirectory = facts.st_mode & S_IFMT == S_IFDIR
        let isWhiteout = facts.st_mode & S_IFMT == S_IFCHR && facts.st_rdev == 0
        let before = status(below: path)
        if isWhiteout, before == nil { return nil }
        if isDirectory, let before, Self.isSame(before, facts) { return nil }
        var change = RootChange(
            kind: isWhiteout ? .deleted : before == nil ? .added : .modified, path: Self.text(path),
            isDirectory: isDirectory, sizeBytes: isDirectory || isWhiteout ? 0 : Int64(facts.st_size))
        change.hasOnlyNewTime = before.map { Self.isSame($0, facts, apartFromTime: true) } ?? false
        return change
    }

    private static func isSame(_ first: stat, _ second: stat, apartFromTime: Bool = false) -> Bool {
        first.st_mode == second.st_mode && first.st_uid == second.st_uid && first.st_gid == second.st_gid
            && (apartFromTime
                || first.st_mtim.tv_sec == second.st_mtim.tv_sec
                    && first.st_mtim.tv_nsec == second.st_mtim.tv_nsec)
    }

    private func addParents(_ found: inout [[UInt8]: RootChange]) {
        for path in Array(found.keys) {
            var parent = Self.parent(path)
            while !parent.isEmpty, found[parent] == nil {
                found[parent] = RootChange(
                    kind: .modified, path: Self.text(parent), isDirectory: true, sizeBytes: 0)
                parent = Self.parent(parent)
            }
        }
    }

    private static func parent(_ path: [UInt8]) -> [UInt8] { Array(path[..<(path.lastIndex(of: 47) ?? 0)]) }

    private static func text(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }

    /// What the layers show at a path, as `/etc/passwd`: the uppermost that has something there, or hides it, decides.
    func status(below path: [UInt8]) -> stat? {
        for layer in layers {
            if let facts = Self.facts(layer, path) {
                return facts.st_mode & S_IFMT == S_IFCHR && facts.st_rdev == 0 ? nil : facts
            }
            if isHidden(path, in: layer) { return nil }
        }
        return nil
    }

    /// A directory on the way is opaque in this layer, or is something else there.
    private func isHidden(_ path: [UInt8], in layer: String) -> Bool {
        var parent = Self.parent(path)
        while !parent.isEmpty {
            if let facts = Self.facts(layer, parent) {
                if facts.st_mode & S_IFMT != S_IFDIR { return true }
                if Self.isOpaque(Self.place(layer, parent)) { return true }
            }
            parent = Self.parent(parent)
        }
        return false
    }

    private static func facts(_ layer: String, _ path: [UInt8]) -> stat? {
        var facts = stat()
        return lstat(place(layer, path), &facts) == 0 ? facts : nil
    }

    private static func place(_ layer: String, _ path: [UInt8]) -> [CChar] {
        (Array(layer.utf8) + path + [0]).map { CChar(bitPattern: $0) }
    }

    private static func isOpaque(_ directory: [CChar]) -> Bool {
        var value: UInt8 = 0
        let name = UserNamespace.isOwn ? "user.overlay.opaque" : "trusted.overlay.opaque"
        return gantry_lgetxattr(directory, name, &value, 1) == 1 && value == UInt8(ascii: "y")
    }
}
