/// The path of a member below the root that it is unpacked to, as bytes.
struct EntryPath: Hashable {
    /// Without `.`, `..` and empty ones. None at all: the root itself.
    let components: [[UInt8]]

    /// Cleaned as text, as docker does: `a/../b` is `b`, and `/b` is `b`.
    ///
    /// - Throws: `refused` where it leads out of the root, or is longer than the kernel takes.
    init(_ path: [UInt8]) throws(ArchiveError) {
        let shown = String(decoding: path.prefix(200), as: UTF8.self)
        guard path.count < 4096 else { throw .refused(path: shown, reason: "path of \(path.count) bytes is too long") }
        var components: [[UInt8]] = []
        for component in path.split(separator: 47) where component != [46] {
            if component == [46, 46] {
                guard components.popLast() != nil else {
                    throw .refused(path: shown, reason: "it leads outside of the root file system")
                }
            } else {
                guard component.count <= 255 else {
                    throw .refused(path: shown, reason: "name of \(component.count) bytes is too long")
                }
                components.append(Array(component))
            }
        }
        self.components = components
    }

    private init(components: [[UInt8]]) { self.components = components }

    /// Of components that are names already.
    init(joining components: [[UInt8]]) { self.components = components }

    var isRoot: Bool { components.isEmpty }
    var name: [UInt8] { components.last ?? [46] }
    /// Of the root the root itself.
    var parent: EntryPath { prefix(max(0, components.count - 1)) }

    /// The first components of it.
    func prefix(_ count: Int) -> EntryPath { EntryPath(components: Array(components.prefix(count))) }

    func appending(_ name: [UInt8]) -> EntryPath { EntryPath(components: components + [name]) }

    /// Relative, for a call that starts at the root; `.` for the root.
    var joined: [UInt8] { components.isEmpty ? [46] : Array(components.joined(separator: [47])) }

    var display: String { String(decoding: joined, as: UTF8.self) }
}
