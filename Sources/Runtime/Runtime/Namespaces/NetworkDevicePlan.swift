import Linux
import OCI

/// A device of the host's network that becomes the container's, decided: an entry of `linux.netDevices`.
package struct NetworkDevicePlan: Hashable, Sendable {
    /// On the host.
    package var name: String
    /// In the container; with `%d`, the kernel finds a number.
    package var inside: String

    package var isTemplate: Bool { inside.utf8.contains(37) }
    var property: String { "linux.netDevices.\(name)" }

    /// In the order of the host's names.
    static func all(_ linux: RuntimeLinux, _ namespaces: NamespacePlan, isRootless: Bool) throws(RuntimeError) -> [Self]
    {
        guard !linux.netDevices.isEmpty else { return [] }
        guard namespaces.has(.network) else {
            throw RuntimeError("linux.netDevices: unable to move network devices without a NET namespace")
        }
        guard !isRootless else {
            throw RuntimeError("linux.netDevices: network devices are not supported for rootless containers")
        }
        var taken: Set<String> = []
        var plans: [Self] = []
        for (name, device) in linux.netDevices.sorted(by: { $0.key < $1.key }) {
            let plan = Self(name: name, inside: device.name ?? name)
            guard isName(name), !name.utf8.contains(37) else {
                throw RuntimeError("\(plan.property): invalid network device name \"\(name)\"")
            }
            guard isName(plan.inside) else {
                throw RuntimeError("\(plan.property).name: invalid network device name \"\(plan.inside)\"")
            }
            guard plan.isTemplate || taken.insert(plan.inside).inserted else {
                throw RuntimeError("\(plan.property).name: two devices cannot be called \"\(plan.inside)\"")
            }
            plans.append(plan)
        }
        return plans
    }

    /// What the kernel takes, dev_valid_name() and dev_alloc_name(): at most 15 bytes, one `%d` perhaps.
    static func isName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard (1..<16).contains(bytes.count), name != ".", name != ".." else { return false }
        guard bytes.allSatisfy({ $0 > 32 && $0 != 47 && $0 != 58 }) else { return false }
        guard let percent = bytes.firstIndex(of: 37) else { return true }
        let rest = bytes[(percent + 1)...]
        return rest.first == UInt8(ascii: "d") && !rest.contains(37)
    }
}
