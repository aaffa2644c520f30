import EngineAPI
import Linux

/// The kernel's switches without which packets do not pass between networks. Blocking.
enum Forwarding {
    /// Sets what these networks need and is not set; gives the names of what was changed.
    static func enable(_ networks: [NetworkDefinition]) throws(EngineError) -> [String] {
        var names: [String] = []
        if networks.contains(where: { $0.driver == .bridge && !$0.spec.isInternal }) {
            names.append("net/ipv4/ip_forward")
        }
        if networks.contains(where: { $0.block(.v6) != nil && !$0.spec.isInternal }) {
            names.append("net/ipv6/conf/all/forwarding")
        }
        var changed: [String] = []
        for name in names where try set(name) { changed.append(name.split(separator: "/").joined(separator: ".")) }
        return changed
    }

    /// Lets the host's own programs reach published ports by 127.0.0.1. It concerns our bridge alone, and a rule keeps
    /// the bridge's members from doing the reverse.
    static func routeLoopback(_ bridge: String) throws(EngineError) {
        _ = try set("net/ipv4/conf/\(bridge)/route_localnet")
    }

    private static func set(_ name: String) throws(EngineError) -> Bool {
        let path = "/proc/sys/\(name)"
        do throws(KernelError) {
            if try FileContents.read(path, limitBytes: 64).first == UInt8(ascii: "1") { return false }
            try FileContents.write("1", to: path)
            return true
        } catch {
            throw EngineError(
                .unavailable, "networks need \(name.split(separator: "/").joined(separator: ".")): \(error)")
        }
    }
}
