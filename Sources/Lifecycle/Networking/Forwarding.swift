import AsyncIO
import EngineAPI
import Linux

/// The kernel's switches without which packets do not pass between networks. Blocking.
///
/// They are the machine's: who sets them makes a router of it, for all that its other devices bring, too. So it is kept
/// which ones an engine has set, and what is no container's is shut out by the packet filter's rules then.
enum Forwarding {
    private static let version4 = "net.ipv4.ip_forward"
    private static let version6 = "net.ipv6.conf.all.forwarding"

    static func family(_ name: String) -> IPAddress.Family? {
        name == version4 ? .v4 : name == version6 ? .v6 : nil
    }

    /// The names of those that these networks need and that are not set.
    static func missing(_ networks: [NetworkDefinition]) throws(EngineError) -> [String] {
        var names: [String] = []
        if networks.contains(where: { $0.driver == .bridge && !$0.spec.isInternal }) { names.append(version4) }
        if networks.contains(where: { $0.block(.v6) != nil && !$0.spec.isInternal }) { names.append(version6) }
        var missing: [String] = []
        for name in names where try !isSet(name) { missing.append(name) }
        return missing
    }

    static func set(_ name: String) throws(EngineError) {
        do throws(KernelError) { try FileContents.write("1", to: path(name)) } catch { throw failure(name, error) }
    }

    /// Lets the host's own programs reach published ports by 127.0.0.1. It concerns our bridge alone, and a rule keeps
    /// the bridge's members from doing the reverse.
    static func routeLoopback(_ bridge: String) throws(EngineError) {
        let name = "net.ipv4.conf.\(bridge).route_localnet"
        let path = "/proc/sys/net/ipv4/conf/\(bridge)/route_localnet"
        do throws(KernelError) {
            guard try FileContents.read(path, limitBytes: 64).first != UInt8(ascii: "1") else { return }
            try FileContents.write("1", to: path)
        } catch { throw failure(name, error) }
    }

    /// What was kept by `keep`.
    static func opened(_ path: String) throws(KernelError) -> Set<String> {
        do throws(KernelError) {
            let text = String(decoding: try FileContents.read(path, limitBytes: 4096), as: UTF8.self)
            return Set(text.split(separator: "\n").map(String.init))
        } catch {
            guard error.errno == .noSuchFile else { throw error }
            return []
        }
    }

    /// Keeps the names of those that an engine sets, for the next one. Written before they are set.
    static func keep(_ names: Set<String>, in path: String) throws(EngineError) {
        do throws(KernelError) {
            try FileContents.replace(path, with: Array(names.sorted().joined(separator: "\n").utf8), durable: false)
        } catch { throw EngineError(.internal, "\(error)") }
    }

    private static func isSet(_ name: String) throws(EngineError) -> Bool {
        do throws(KernelError) {
            return try FileContents.read(path(name), limitBytes: 64).first != UInt8(ascii: "0")
        } catch { throw failure(name, error) }
    }

    private static func path(_ name: String) -> String {
        "/proc/sys/" + name.split(separator: ".").joined(separator: "/")
    }

    private static func failure(_ name: String, _ error: KernelError) -> EngineError {
        EngineError(.unavailable, "networks need \(name): \(error)")
    }
}

extension NetworkService {
    /// Sets what these networks need of the kernel.
    func setSwitches(_ networks: [NetworkDefinition]) async throws(EngineError) {
        let (ground, file, before) = (self.ground, roots.switches, openedSwitches)
        // In a namespace of its own nobody else is concerned.
        let isShared = ground.namespace == nil
        let missing = try await BlockingPool.shared.run { () throws(EngineError) in
            try ground.run { () throws(EngineError) in
                let missing = try Forwarding.missing(networks.filter { $0.driver == .bridge })
                if isShared, !missing.isEmpty { try Forwarding.keep(before.union(missing), in: file) }
                return missing
            }
        }
        guard !missing.isEmpty else { return }
        if isShared {
            openedSwitches.formUnion(missing)
            // Before the machine forwards anything.
            try await resetFilter()
            for name in missing { note("set \(name), which networks need; only what is a container's is forwarded") }
        }
        try await BlockingPool.shared.run { () throws(EngineError) in
            try ground.run { () throws(EngineError) in for name in missing { try Forwarding.set(name) } }
        }
    }

    /// What an engine has made of the machine, for who asks about it: empty where it forwarded by itself.
    package func forwardingNotes() async -> [String] {
        // What cannot be read is told by a network's first use.
        guard (try? await load()) != nil, ground.namespace == nil, !openedSwitches.isEmpty else { return [] }
        return [
            "\(openedSwitches.sorted().joined(separator: " and ")) was off and is on for containers' networks: what "
                + "neither comes from nor goes to a bridge or a veth is not forwarded (chain forward of table inet "
                + "\(rules.table)); once forwarding is the machine's own setting (sysctl.d), it is from its next start on"
        ]
    }
}
