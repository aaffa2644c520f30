import EngineAPI
import Linux

/// Chooses a network's subnets, or checks those that were asked for.
struct SubnetChoice {
    /// What other networks of this engine have.
    let networks: [NetworkDefinition]
    /// Where the host's routes lead, the default route left out.
    let routes: [Subnet]

    /// Docker's pools: sixteen bits of 172.16/12, then twenty of 192.168/16.
    static let pools: [Subnet] =
        (17...31).compactMap { Subnet("172.\($0).0.0/16") }
        + stride(from: 0, to: 256, by: 16).compactMap { Subnet("192.168.\($0).0/20") }

    /// - Parameter id: the network's, of which an unasked subnet of version 6 is made.
    func blocks(_ spec: NetworkSpec, id: String) throws(EngineError) -> [NetworkDefinition.Block] {
        var blocks: [NetworkDefinition.Block] = []
        for pool in spec.pools {
            let block = try asked(pool)
            guard !blocks.contains(where: { $0.subnet.family == block.subnet.family }) else {
                throw EngineError(.unsupported, "a network of more than one subnet of a family is not supported")
            }
            guard block.subnet.family == .v4 || spec.enablesIPv6 else {
                throw EngineError(.invalid, "IPv6 is not enabled, but the subnet \(block.subnet) was given")
            }
            blocks.append(block)
        }
        if !blocks.contains(where: { $0.subnet.family == .v4 }) { blocks.insert(try chosen(), at: 0) }
        if spec.enablesIPv6, !blocks.contains(where: { $0.subnet.family == .v6 }) { blocks.append(try unique(id)) }
        return blocks
    }

    /// Refuses subnets that no network could have; nothing is chosen.
    func check(_ spec: NetworkSpec) throws(EngineError) {
        for pool in spec.pools { _ = try asked(pool) }
    }

    /// The first of docker's pools that nobody uses: neither a network nor a route of the host.
    private func chosen() throws(EngineError) -> NetworkDefinition.Block {
        let used = networks.flatMap(\.blocks).map(\.subnet) + routes
        guard let subnet = Self.pools.first(where: { pool in !used.contains { $0.overlaps(pool) } }),
            let gateway = subnet.base.advanced(by: 1)
        else {
            throw EngineError(
                .unavailable,
                "could not find an available, non-overlapping IPv4 address pool among the defaults to "
                    + "assign to the network")
        }
        return NetworkDefinition.Block(subnet: subnet, range: subnet, gateway: gateway)
    }

    /// A unique local subnet (RFC 4193) whose forty and sixteen free bits are the network's own random ones.
    private func unique(_ id: String) throws(EngineError) -> NetworkDefinition.Block {
        let digits = String(id.prefix(14))
        guard let bits = UInt64(digits, radix: 16) else { throw EngineError(.internal, "`\(id)` is no network's id") }
        let base = IPAddress(.v6, UInt128(0xFD) << 120 | UInt128(bits) << 64)
        guard let subnet = Subnet(containing: base, prefixLength: 64), let gateway = base.advanced(by: 1) else {
            throw EngineError(.internal, "no subnet can be made of \(base)")
        }
        return NetworkDefinition.Block(subnet: subnet, range: subnet, gateway: gateway)
    }

    private func asked(_ pool: AddressPool) throws(EngineError) -> NetworkDefinition.Block {
        guard let subnet = Subnet(pool.subnet) else {
            throw EngineError(.invalid, "invalid subnet \(pool.subnet): invalid CIDR block notation")
        }
        guard pool.subnet.split(separator: "/").first.map({ IPAddress(String($0)) }) == subnet.base else {
            throw EngineError(.invalid, "invalid subnet \(pool.subnet): it should be \(subnet)")
        }
        guard subnet.prefixLength <= subnet.family.bitCount - 2, !subnet.base.isMulticast, !subnet.base.isLoopback
        else {
            throw EngineError(.invalid, "invalid subnet \(pool.subnet): it has no addresses for containers")
        }
        if networks.flatMap(\.blocks).contains(where: { $0.subnet.overlaps(subnet) }) {
            throw EngineError(
                .denied, "invalid pool request: Pool overlaps with other one on this address space", object: pool.subnet
            )
        }
        let range = try range(pool, in: subnet)
        let first = subnet.base.advanced(by: 1) ?? subnet.base
        let gateway = try pool.gateway.map { text throws(EngineError) in try address(text, in: subnet, "gateway") }
        if let gateway, gateway == subnet.base || gateway == subnet.broadcast {
            throw EngineError(
                .invalid, "invalid gateway \(gateway): it is the address of the subnet \(subnet) itself or of all in it"
            )
        }
        var block = NetworkDefinition.Block(subnet: subnet, range: range, gateway: gateway ?? first)
        for (name, text) in pool.auxiliary.sorted(by: { $0.key < $1.key }) {
            let other = try address(text, in: subnet, "auxiliary-address")
            guard other != block.gateway else {
                throw EngineError(.invalid, "invalid auxiliary-address \(name)=\(text): it is the gateway's")
            }
            block.auxiliary[name] = other
        }
        return block
    }

    private func range(_ pool: AddressPool, in subnet: Subnet) throws(EngineError) -> Subnet {
        guard let text = pool.range, !text.isEmpty else { return subnet }
        guard let range = Subnet(text) else {
            throw EngineError(.invalid, "invalid ip-range \(text): invalid CIDR block notation")
        }
        guard subnet.contains(range) else {
            throw EngineError(.invalid, "invalid ip-range \(text): it is not within the subnet \(subnet)")
        }
        return range
    }

    private func address(_ text: String, in subnet: Subnet, _ role: String) throws(EngineError) -> IPAddress {
        guard let address = IPAddress(text) else { throw EngineError(.invalid, "invalid \(role) \(text)") }
        guard subnet.contains(address) else {
            throw EngineError(.invalid, "no matching subnet for \(role) \(text)")
        }
        return address
    }
}
