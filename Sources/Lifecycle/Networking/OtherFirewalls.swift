import AsyncIO
import EngineAPI
import Linux

/// Chains of others that drop what this machine forwards: docker's, ufw's, firewalld's. A packet must pass them all, and
/// what one accepts another still drops; so nothing of ours can let a bridge through them, and they are not ours to
/// change. All there is to do is to say so.
struct ForwardChain: Hashable, Sendable {
    var family: String
    var table: String
    var name: String

    /// Those that drop by their policy, and firewalld's, which does by its last rule, in what `list chains` prints.
    static func dropping(in listing: String, except own: String) -> [ForwardChain] {
        var found: [ForwardChain] = []
        var (table, chain) = (["", ""], "")
        for line in listing.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" || $0 == ";" }.map(String.init)
            if words.first == "table", words.count > 2 {
                table = [words[1], words[2]]
            } else if words.first == "chain", words.count > 1 {
                chain = words[1]
            } else if let hook = words.firstIndex(of: "hook"), words.dropFirst(hook + 1).first == "forward",
                words.starts(with: ["type", "filter"]), ["ip", "ip6", "inet"].contains(table[0]), table[1] != own,
                words.suffix(2) == ["policy", "drop"] || table[1] == "firewalld"
            {
                found.append(ForwardChain(family: table[0], table: table[1], name: chain))
            }
        }
        return found
    }

    /// The devices that the rules of a chain's table name, `*` at the end of one standing for all that begin so.
    static func devices(in rules: String) -> Set<String> {
        var found: Set<String> = []
        for line in rules.split(separator: "\n") where line.contains("ifname") {
            // Names stand in quotes: each second part.
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            for place in stride(from: 1, to: parts.count, by: 2) { found.insert(String(parts[place])) }
        }
        return found
    }

    /// Whether the device is among them.
    static func names(_ link: String, in devices: Set<String>) -> Bool {
        devices.contains(link) || devices.contains { $0.hasSuffix("*") && link.hasPrefix($0.dropLast()) }
    }

    /// Who looks after a chain. Each has a way of its own to let a bridge through, which outlasts its next reload.
    enum Keeper: Hashable, Sendable {
        case firewalld, ufw, docker, nobody
    }

    /// - Parameter rules: the chain's table as nft(8) lists it.
    func keeper(rules: String) -> Keeper {
        if table == "firewalld" { return .firewalld }
        if rules.contains("chain ufw-user-forward {") || rules.contains("chain ufw6-user-forward {") { return .ufw }
        return rules.contains("chain DOCKER-USER {") ? .docker : .nobody
    }

    private func remedy(_ link: String, _ keeper: Keeper) -> String {
        func insertion(_ chain: String) -> String {
            ["iifname", "oifname"].map { "nft insert rule \(family) \(table) \(chain) \($0) \(link) accept" }
                .joined(separator: "; ")
        }
        return switch keeper {
        case .firewalld: "firewall-cmd --permanent --zone=trusted --add-interface=\(link); firewall-cmd --reload"
        case .ufw: "ufw route allow in on \(link); ufw route allow out on \(link)"
        case .docker: insertion("DOCKER-USER")
        case .nobody: insertion(name)
        }
    }

    /// What is the matter, and what helps.
    ///
    /// - Parameter seesBridges: what containers of a network send each other goes through it, too.
    func warning(_ link: String, network: String, keeper: Keeper, seesBridges: Bool) -> String {
        "chain \(name) of the packet filter's table \(family) \(table) drops what is forwarded: network "
            + "\(network) (\(link)) reaches no other machine, "
            // firewalld lets published ports through.
            + (keeper == .firewalld ? "" : "none reaches it, ")
            + (seesBridges ? "nor do its containers each other, " : "") + "until: \(remedy(link, keeper))"
    }
}

/// What others' chains were when they were last looked at: their tables may be large, and are read again only where somebody
/// else has changed the packet filter since.
struct SeenChains: Sendable {
    fileprivate struct Chain: Sendable {
        var chain: ForwardChain
        var keeper: ForwardChain.Keeper
        var devices: Set<String>
    }

    fileprivate var chains: [Chain] = []
    /// How often others had changed the packet filter.
    private var changes: UInt32?

    /// Those that drop, as they are now. Blocking.
    ///
    /// - Parameters:
    ///   - filter: of which nobody else waits: to list what others have may take long.
    ///   - changes: how often others have changed the packet filter.
    fileprivate func now(
        _ filter: PacketFilter, except own: String, changes: UInt32
    ) throws(EngineError) -> SeenChains {
        if changes == self.changes { return self }
        var seen = SeenChains()
        seen.changes = changes
        for chain in ForwardChain.dropping(in: try filter.run("list chains"), except: own) {
            let rules = try filter.run("list table \(chain.family) \(chain.table)")
            seen.chains.append(
                Chain(chain: chain, keeper: chain.keeper(rules: rules), devices: ForwardChain.devices(in: rules)))
        }
        return seen
    }
}

extension NetworkService {
    /// What hinders packets between containers' networks and other machines; empty where nothing does.
    ///
    /// - Parameter containerID: whose networks are in question; nil for all networks.
    package func forwardingWarnings(of containerID: String? = nil) async -> [String] {
        do throws(EngineError) {
            try await load()
            // In a namespace of its own nobody else filters.
            guard ground.namespace == nil else { return [] }
            let wanted = containerID.map { Set((endpoints[$0] ?? []).map(\.networkID)) }
            let outward = definitions.values.filter {
                $0.driver == .bridge && !$0.spec.isInternal && wanted?.contains($0.id) != false
            }
            if outward.isEmpty { return [] }
            let bridges = outward.sorted { $0.name < $1.name }.map { ($0.linkName, $0.name) }
            let version6 = Set(outward.filter { $0.block(.v6) != nil }.map(\.linkName))
            let changes = try await othersChanges()
            let (former, filter, own) = (seenChains, lookingFilter, rules.table)
            let (seen, legacy) = try await BlockingPool.shared.run { () throws(EngineError) in
                (
                    try former.now(filter, except: own, changes: changes),
                    try Self.legacyWarnings(of: bridges, version6: version6)
                )
            }
            seenChains = seen
            return Self.warnings(of: bridges, version6: version6, seen) + legacy
        } catch {
            // Without the filter's library there is more to tell than this, and a network's first use tells it.
            return []
        }
    }

    private static func warnings(
        of bridges: [(link: String, network: String)], version6: Set<String>, _ seen: SeenChains
    ) -> [String] {
        var warnings: [String] = []
        for found in seen.chains {
            let family = found.chain.family
            let concerned = family == "ip6" ? bridges.filter { version6.contains($0.link) } : bridges
            for (link, network) in concerned where !ForwardChain.names(link, in: found.devices) {
                warnings.append(
                    found.chain.warning(
                        link, network: network, keeper: found.keeper, seesBridges: seesBridges(family)))
            }
        }
        return warnings
    }

    private static func seesBridges(_ family: String) -> Bool {
        let names = family == "ip6" ? ["ip6tables"] : family == "ip" ? ["iptables"] : ["iptables", "ip6tables"]
        return names.contains { BridgedPackets.areShown(to: $0) }
    }

    /// The elder filter beside nftables does not tell its rules by nftables.
    private static func legacyWarnings(
        of bridges: [(link: String, network: String)], version6: Set<String>
    ) throws(EngineError) -> [String] {
        do throws(KernelError) {
            let first = try LegacyForwardChain.read(.v4)
            let second = version6.isEmpty ? nil : try LegacyForwardChain.read(.v6)
            return bridges.compactMap { first?.warning($0.link, network: $0.network) }
                + bridges.filter { version6.contains($0.link) }.compactMap {
                    second?.warning($0.link, network: $0.network)
                }
        } catch { throw EngineError(.internal, "\(error)") }
    }
}
