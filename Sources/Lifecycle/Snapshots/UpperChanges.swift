import Archive
import Glibc
import Linux

/// What an overlay's upper directory holds, told as changes of the layers below it. Blocking.
///
/// Like docker's `diff`: a directory counts as modified where it, or anything in it, is. What goes while it is looked at,
/// for the container may run, is left out. Names are bytes until they are told.
struct UpperChanges {
    let upper: String
    let below: LayerFiles
    var marks = OverlayMarks.kernel

    func list(leavingOut isLeftOut: (String) -> Bool = { _ in false }) throws(KernelError) -> [RootChange] {
        let tree = try WalkedTree(upper)
        var found: [[UInt8]: RootChange] = [:]
        var pending: [[UInt8]] = [[]]
        while let directory = pending.popLast() {
            guard let entries = try tree.entries(of: directory) else {
                found[directory] = nil
                continue
            }
            let own = entries.compactMap { named($0.name, $0.facts) }
                .filter { !isLeftOut(Self.text(directory + [47] + $0.name)) }
            // A directory whose time changed with what is left out of it.
            if own.isEmpty, !entries.isEmpty, let change = found[directory], change.hasOnlyNewTime {
                found[directory] = nil
            }
            for (name, facts, isWhiteout) in own {
                let path = directory + [47] + name
                if !isWhiteout, facts.st_mode & S_IFMT == S_IFDIR { pending.append(path) }
                found[path] = change(path, facts, isWhiteout: isWhiteout)
            }
        }
        addParents(&found)
        return found.values.sorted { $0.path < $1.path }
    }

    /// An entry by the name that it stands for; nil for one that stands for none.
    private func named(
        _ name: [UInt8], _ facts: stat
    ) -> (name: [UInt8], facts: stat, isWhiteout: Bool)? {
        switch marks.meaning(of: name, facts) {
        case .entry: (name, facts, false)
        case .whiteout(let hidden): (hidden, facts, true)
        case .aside: nil
        }
    }

    /// Nil for what is as the layers have it.
    private func change(_ path: [UInt8], _ facts: stat, isWhiteout: Bool) -> RootChange? {
        let isDirectory = !isWhiteout && facts.st_mode & S_IFMT == S_IFDIR
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
        for layer in below.layers {
            if let facts = below.status(path, in: layer) {
                return facts.st_mode & S_IFMT == S_IFCHR && facts.st_rdev == 0 ? nil : facts
            }
            if isMarkedHidden(path, in: layer) || isHidden(path, in: layer) { return nil }
        }
        return nil
    }

    private func isMarkedHidden(_ path: [UInt8], in layer: String) -> Bool {
        let parent = Self.parent(path)
        guard let name = marks.whiteoutName(of: path.dropFirst(parent.count + 1)) else { return false }
        return below.status(parent + [47] + name, in: layer) != nil
    }

    /// A directory on the way is opaque in this layer, or hidden, or is something else there.
    private func isHidden(_ path: [UInt8], in layer: String) -> Bool {
        var parent = Self.parent(path)
        while !parent.isEmpty {
            if let facts = below.status(parent, in: layer) {
                if facts.st_mode & S_IFMT != S_IFDIR { return true }
                if isOpaque(layer, parent) { return true }
            } else if isMarkedHidden(parent, in: layer) {
                return true
            }
            parent = Self.parent(parent)
        }
        return false
    }

    private func isOpaque(_ layer: String, _ directory: [UInt8]) -> Bool {
        let isMarked = below.isOpaque(directory, in: layer, by: opaqueAttributes)
        guard !isMarked, marks == .program else { return isMarked }
        return below.status(directory + [47] + OverlayMarks.opaqueName, in: layer) != nil
    }

    private var opaqueAttributes: [String] {
        switch marks {
        case .kernel: [UserNamespace.isOwn ? "user.overlay.opaque" : "trusted.overlay.opaque"]
        case .program: OverlayMarks.attributePrefixes.map { $0 + "opaque" }
        }
    }
}
