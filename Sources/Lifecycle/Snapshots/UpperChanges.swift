import CLinux
import Glibc
import Linux

/// What an overlay's upper directory holds, told as changes of the layers below it. Blocking.
///
/// Like docker's `diff`: a directory counts as modified where it, or anything in it, is.
struct UpperChanges {
    let upper: String
    /// The layers' directories, the uppermost first.
    let layers: [String]

    func list(leavingOut isLeftOut: (String) -> Bool = { _ in false }) throws(KernelError) -> [RootChange] {
        var found: [String: RootChange] = [:]
        var pending = [""]
        while let directory = pending.popLast() {
            let names = try Directory.list(upper + directory)
            let own = names.filter { !isLeftOut(directory + "/" + $0) }
            // A directory whose time changed with what is left out of it.
            if own.isEmpty, !names.isEmpty, let change = found[directory], change.hasOnlyNewTime {
                found[directory] = nil
            }
            for name in own {
                let path = directory + "/" + name
                var facts = stat()
                // Gone since it was listed: the container runs.
                guard lstat(upper + path, &facts) == 0 else { continue }
                let isDirectory = facts.st_mode & S_IFMT == S_IFDIR
                if isDirectory { pending.append(path) }
                let isWhiteout = facts.st_mode & S_IFMT == S_IFCHR && facts.st_rdev == 0
                let before = status(below: path)
                if isWhiteout, before == nil { continue }
                if isDirectory, let before, Self.isSame(before, facts) { continue }
                var change = RootChange(
                    kind: isWhiteout ? .deleted : before == nil ? .added : .modified, path: path,
                    isDirectory: isDirectory, sizeBytes: isDirectory || isWhiteout ? 0 : Int64(facts.st_size))
                change.hasOnlyNewTime = before.map { Self.isSame($0, facts, apartFromTime: true) } ?? false
                found[path] = change
            }
        }
        addParents(&found)
        return found.values.sorted { $0.path < $1.path }
    }

    private static func isSame(_ first: stat, _ second: stat, apartFromTime: Bool = false) -> Bool {
        first.st_mode == second.st_mode && first.st_uid == second.st_uid && first.st_gid == second.st_gid
            && (apartFromTime
                || first.st_mtim.tv_sec == second.st_mtim.tv_sec
                    && first.st_mtim.tv_nsec == second.st_mtim.tv_nsec)
    }

    private func addParents(_ found: inout [String: RootChange]) {
        for path in Array(found.keys) {
            var parent = PathName.split(path).parent
            while parent != "/", parent != ".", found[parent] == nil {
                found[parent] = RootChange(kind: .modified, path: parent, isDirectory: true, sizeBytes: 0)
                parent = PathName.split(parent).parent
            }
        }
    }

    /// What the layers show at a path: the uppermost that has something there, or hides it, decides.
    func status(below path: String) -> stat? {
        for layer in layers {
            var facts = stat()
            if lstat(layer + path, &facts) == 0 {
                return facts.st_mode & S_IFMT == S_IFCHR && facts.st_rdev == 0 ? nil : facts
            }
            if isHidden(path, in: layer) { return nil }
        }
        return nil
    }

    /// A directory on the way is opaque in this layer, or is something else there.
    private func isHidden(_ path: String, in layer: String) -> Bool {
        var parent = PathName.split(path).parent
        while parent != "/", parent != "." {
            var facts = stat()
            if lstat(layer + parent, &facts) == 0 {
                if facts.st_mode & S_IFMT != S_IFDIR { return true }
                if Self.isOpaque(layer + parent) { return true }
            }
            parent = PathName.split(parent).parent
        }
        return false
    }

    private static func isOpaque(_ directory: String) -> Bool {
        var value: UInt8 = 0
        let name = UserNamespace.isOwn ? "user.overlay.opaque" : "trusted.overlay.opaque"
        return lgetxattr(directory, name, &value, 1) == 1 && value == UInt8(ascii: "y")
    }
}
