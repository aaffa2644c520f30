/// The user namespace that this process is in.
package enum UserNamespace {
    /// Whether ids here are others than the machine's, so that its root is not the machine's.
    package static let isOwn: Bool = {
        // Without the file there are no user namespaces.
        guard let bytes = try? FileContents.read("/proc/self/uid_map", limitBytes: 65536) else { return false }
        let words = bytes.split { $0 == 32 || $0 == 10 }.map { String(decoding: $0, as: UTF8.self) }
        return words != ["0", "0", "4294967295"]
    }()

    /// The highest number below which every group from 0 on stands for one outside.
    package static func lastGroupID() throws(KernelError) -> UInt32 {
        let text = String(decoding: try FileContents.read("/proc/self/gid_map", limitBytes: 65536), as: UTF8.self)
        return lastID(map: text)
    }

    static func lastID(map text: String) -> UInt32 {
        let extents = text.split(separator: "\n").map { $0.split(separator: " ").compactMap { UInt32($0) } }
        var next: UInt32 = 0
        for extent in extents.filter({ $0.count == 3 }).sorted(by: { $0[0] < $1[0] }) where extent[0] == next {
            next = next.addingReportingOverflow(extent[2]).partialValue
        }
        return next == 0 ? 0 : next - 1
    }

    /// Whether a process here may set its supplementary groups.
    package static var allowsGroups: Bool {
        // As above.
        guard let bytes = try? FileContents.read("/proc/self/setgroups", limitBytes: 64) else { return true }
        return bytes.starts(with: Array("allow".utf8))
    }
}
