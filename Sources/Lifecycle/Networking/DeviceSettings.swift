import EngineAPI
import Linux
import Netlink

/// Kernel settings of a container's device in a network, as `EndpointSpec.settingsOption` says them: below
/// `/proc/sys/net`, in the directory that is called like the device.
struct DeviceSettings: Hashable {
    private struct Setting: Hashable {
        /// `ipv4/conf`
        var directory: String
        /// `log_martians`
        var name: String
        var value: String
    }

    private let settings: [Setting]

    /// - Throws: `invalid`, in docker's words.
    init(_ spec: EndpointSpec) throws(EngineError) {
        var settings: [Setting] = []
        for text in (spec.options[EndpointSpec.settingsOption] ?? "").split(separator: ",") {
            settings.append(try Self.setting(text))
        }
        self.settings = settings
    }

    var isEmpty: Bool { settings.isEmpty }

    private static func setting(_ text: Substring) throws(EngineError) -> Setting {
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else {
            throw EngineError(.invalid, "expected sysctl '\(text)' to have format name=value")
        }
        let parts = sides[0].split(separator: ".", omittingEmptySubsequences: false)
        // Each part is a name of one directory or file: a way out of it would lead to the host's own settings.
        guard parts.count == 5, parts[0] == "net", ["ipv4", "ipv6", "mpls"].contains(parts[1]),
            ["IFNAME", "ifname"].contains(parts[3]), Self.isName(parts[2]), Self.isName(parts[4])
        else {
            throw EngineError(
                .invalid,
                "unrecognised network interface sysctl '\(text)'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', "
                    + "'X' must be 'ipv4', 'ipv6' or 'mpls'")
        }
        return Setting(directory: "\(parts[1])/\(parts[2])", name: String(parts[4]), value: String(sides[1]))
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (97...122).contains($0 | 0x20) || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: "-")
            }
    }

    /// Before the device is up, and with its addresses. Blocking.
    ///
    /// - Throws: `invalid` where the kernel has no such setting, or does not take the value.
    func apply(to device: String, in container: Descriptor) throws(EngineError) {
        if isEmpty { return }
        let settings = settings
        do throws(KernelError) {
            try NetworkNamespace.run(in: container) { () throws(KernelError) in
                for setting in settings {
                    let path = "/proc/sys/net/\(setting.directory)/\(device)/\(setting.name)"
                    // What is so already needs no writing, which may be forbidden there.
                    let present = String(decoding: try FileContents.read(path, limitBytes: 4096), as: UTF8.self)
                    if present.split(whereSeparator: \.isWhitespace).joined(separator: " ") == setting.value {
                        continue
                    }
                    try FileContents.write(setting.value, to: path)
                }
            }
        } catch {
            guard error.errno == .noSuchFile else { throw EngineError(.invalid, "\(error)") }
            throw EngineError(.invalid, "\(error.object) is not a sysctl file")
        }
    }
}
