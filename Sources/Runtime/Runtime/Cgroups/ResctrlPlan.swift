import Linux
import OCI

/// A container's group of the resctrl file system, decided from `linux.intelRdt`.
package struct ResctrlPlan: Hashable, Sendable {
    /// Where the file system is mounted.
    package var root: String
    /// The group's directory.
    package var group: String
    /// Whether the group is made where it is not there. Without a schema, a named one must have been prepared.
    package var makesGroup: Bool
    /// Whether a group that was made goes with the container.
    package var ownsGroup: Bool
    /// Lines that a group of others must have already.
    package var expected: [String]
    /// Lines to be written, in their order.
    package var schemata: [String]
    /// The container's group of monitoring, below its group.
    package var monitoring: String?

    package init?(_ rdt: LinuxIntelRdt?, id: String, root: String?) throws(RuntimeError) {
        guard let rdt else { return nil }
        guard let root else {
            throw RuntimeError(
                "linux.intelRdt: intelRdt is specified in config, but Intel RDT is not enabled: "
                    + "no resctrl file system is mounted")
        }
        self.root = root
        let cacheAndBandwidth = [rdt.l3CacheSchema, rdt.memBwSchema].compactMap(\.self)
        group = rdt.closID == "/" ? root : PathName.joined(root, rdt.closID ?? id)
        schemata = cacheAndBandwidth + rdt.schemata
        makesGroup = rdt.closID == nil || !schemata.isEmpty
        ownsGroup = rdt.closID == nil
        expected = ownsGroup ? [] : cacheAndBandwidth
        if rdt.enableMonitoring || rdt.enableCMT || rdt.enableMBM { monitoring = "\(group)/mon_groups/\(id)" }
    }

    /// The first of the expected lines that a group's `schemata` does not bear out; nil where it has them all.
    package func mismatch(with text: String) -> String? {
        let found = text.split(separator: "\n").compactMap { ResctrlSchema($0) }
        return expected.first { line in
            guard let wanted = ResctrlSchema(line[...]) else { return true }
            return !found.contains { $0.resource == wanted.resource && $0.includes(wanted) }
        }
    }
}

/// A line of `schemata`: `L3:0=7f0;1=1f`. The kernel pads and orders what it shows as it likes.
struct ResctrlSchema {
    let resource: String
    let values: [Int: Int]

    /// Nil for a text that is no such line.
    init?(_ line: Substring) {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let name = parts[0].split(separator: " ").first else { return nil }
        resource = String(name)
        // Shares of bandwidth are decimal, masks hexadecimal.
        let radix = resource == "MB" || resource == "SMBA" ? 10 : 16
        var values: [Int: Int] = [:]
        for domain in parts[1].split(separator: ";") {
            let sides = domain.split(separator: "=").map { $0.split(separator: " ").first ?? "" }
            guard sides.count == 2, let id = Int(sides[0]), let value = Int(sides[1], radix: radix) else { return nil }
            values[id] = value
        }
        self.values = values
    }

    func includes(_ other: ResctrlSchema) -> Bool { other.values.allSatisfy { values[$0.key] == $0.value } }
}
