import Linux
import OCI

/// The unit of systemd that a container's cgroup belongs to, decided: `linux.cgroupsPath` as `slice:prefix:name`.
package struct SystemdScope: Hashable, Sendable {
    /// `docker-abc.scope`; a slice where the name is one.
    package var unit: String
    /// `system.slice`.
    package var slice: String
    /// Where systemd puts the unit's cgroup.
    package var cgroupPath: String

    /// A unit that was begun before.
    package init(unit: String, cgroupPath: String) {
        self.unit = unit
        slice = ""
        self.cgroupPath = cgroupPath
    }

    package var isSlice: Bool { unit.hasSuffix(".slice") }

    /// - Parameter manager: the cgroup below which the manager keeps its units: empty for the machine's own.
    package init(_ cgroupsPath: String?, id: String, manager: String = "", isRootless: Bool = false)
        throws(RuntimeError)
    {
        let fallback = isRootless ? "user.slice" : "system.slice"
        let text = cgroupsPath ?? ""
        let parts =
            text.isEmpty
            ? ["", "gantry", id] : text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else {
            throw Self.refusal(
                "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"\(text)\" instead"
            )
        }
        slice = parts[0].isEmpty ? fallback : parts[0]
        let (prefix, name) = (parts[1], parts[2])
        guard !name.isEmpty else { throw Self.refusal("the name of the unit must not be empty") }
        unit = name.hasSuffix(".slice") ? name : (prefix.isEmpty ? name : "\(prefix)-\(name)") + ".scope"
        guard unit.utf8.count < 256, unit.utf8.allSatisfy(Self.isUnitByte) else {
            throw Self.refusal("`\(unit)` is no name of a unit")
        }
        let parent = try Self.path(ofSlice: slice)
        cgroupPath = PathName.joined(manager + parent, unit)
    }

    /// `a-b.slice` lies in `a.slice`: systemd.slice(5).
    static func path(ofSlice slice: String) throws(RuntimeError) -> String {
        guard slice.hasSuffix(".slice"), slice.utf8.allSatisfy(isUnitByte) else {
            throw refusal("invalid slice name: \(slice)")
        }
        if slice == "-.slice" { return "/" }
        var (path, prefix) = ("", "")
        for component in slice.dropLast(6).split(separator: "-", omittingEmptySubsequences: false) {
            guard !component.isEmpty else { throw refusal("invalid slice name: \(slice)") }
            prefix += (prefix.isEmpty ? "" : "-") + component
            path += "/\(prefix).slice"
        }
        return path
    }

    /// What systemd allows in a unit's name.
    private static func isUnitByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: ":-_.\\@".utf8.contains(byte)
        }
    }

    private static func refusal(_ reason: String) -> RuntimeError { RuntimeError("linux.cgroupsPath: \(reason)") }
}
