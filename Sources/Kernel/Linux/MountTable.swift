/// A line of `/proc/self/mountinfo`, proc(5).
package struct MountEntry: Hashable, Sendable {
    package var id: Int
    package var parent: Int
    /// What of the file system is shown, from its root.
    package var root: String
    package var mountPoint: String
    package var options: [String]
    /// `shared:N`, `master:N`, …
    package var propagation: [String]
    package var type: String
    package var source: String
    package var superOptions: [String]
}

package enum MountTable {
    /// The mounts of this process's namespace, in the order in which they were made.
    package static func current() throws(KernelError) -> [MountEntry] {
        parse(try FileContents.read("/proc/self/mountinfo"))
    }

    /// The mount in which a path lies: the deepest mount point above it, of several there the last one.
    package static func entry(above path: String, in table: [MountEntry]) -> MountEntry? {
        var found: MountEntry?
        for entry in table {
            let point = entry.mountPoint
            guard point == "/" || path == point || path.hasPrefix(point + "/") else { continue }
            if point.utf8.count >= found?.mountPoint.utf8.count ?? 0 { found = entry }
        }
        return found
    }

    /// Lines that are not of the known form are left out.
    package static func parse(_ bytes: [UInt8]) -> [MountEntry] {
        bytes.split(separator: 10).compactMap(entry)
    }

    private static func entry(_ line: ArraySlice<UInt8>) -> MountEntry? {
        // A mount may have an empty source.
        let fields = line.split(separator: 32, omittingEmptySubsequences: false)
        guard fields.count >= 10, let dash = fields.firstIndex(where: { $0.elementsEqual([45]) }), dash >= 6,
            fields.count >= dash + 3, let id = Int(text(fields[0])), let parent = Int(text(fields[1]))
        else { return nil }
        return MountEntry(
            id: id, parent: parent, root: unescaped(fields[3]), mountPoint: unescaped(fields[4]),
            options: list(fields[5]), propagation: fields[6..<dash].map(text), type: text(fields[dash + 1]),
            source: unescaped(fields[dash + 2]), superOptions: fields.count > dash + 3 ? list(fields[dash + 3]) : [])
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field, as: UTF8.self) }
    private static func list(_ field: ArraySlice<UInt8>) -> [String] { field.split(separator: 44).map(text) }

    /// The kernel writes space, tab, newline and backslash as three octal digits.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
        guard field.contains(92) else { return text(field) }
        var bytes: [UInt8] = []
        var index = field.startIndex
        while index < field.endIndex {
            let digits = field[index...].dropFirst().prefix(3)
            if field[index] == 92, digits.count == 3, let value = UInt8(text(digits), radix: 8) {
                bytes.append(value)
                index += 4
            } else {
                bytes.append(field[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
