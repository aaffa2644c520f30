import EngineAPI
import Glibc
import Linux
import Netlink
import Synchronization

/// The devices of networks and containers, as the kernel has them. Blocking.
package struct HostLinks: Sendable {
    /// Written on every bridge of ours, so that it is known whose it is.
    let mark: String
    /// Where the host's part is; nil for this process's own namespace.
    let namespace: Descriptor?
    /// Held while a bridge is looked for and made, which are several requests to the kernel.
    private static let making = Mutex(())

    /// - Parameter mark: the engine's, an alias of at most 255 bytes.
    package init(mark: String, namespace: Descriptor? = nil) {
        self.mark = String(decoding: Array(mark.utf8.prefix(255)), as: UTF8.self)
        self.namespace = namespace
    }

    func socket() throws(EngineError) -> NetlinkSocket {
        do throws(KernelError) {
            if let namespace { return try NetlinkSocket(in: namespace) }
            return try NetlinkSocket()
        } catch { throw EngineError(.internal, "\(error)") }
    }

    /// Where the host's packets go, the default routes left out.
    package func routes() throws(EngineError) -> [Subnet] {
        var socket = try socket()
        do throws(NetlinkError) {
            let all = try socket.routes(.v4) + socket.routes(.v6)
            return all.map(\.destination).filter { $0.prefixLength > 0 }
        } catch { throw EngineError(error) }
    }

    /// Makes sure that a network's bridge is there, up, with the gateways' addresses; for macvlan, that its parent is.
    ///
    /// Containers that start at once, as after a reboot, find one bridge: who comes second waits until it is whole.
    ///
    /// - Returns: the index of the link.
    package func ensure(_ network: NetworkDefinition) throws(EngineError) -> Int32 {
        try Self.making.withLock { (_) throws(EngineError) in try ensureAlone(network) }
    }

    private func ensureAlone(_ network: NetworkDefinition) throws(EngineError) -> Int32 {
        let index = try ensureLink(network)
        guard network.driver == .bridge else { return index }
        // Of one that was made anew since others took it away, too.
        try NetworkGround(namespace: namespace).run { () throws(EngineError) in
            try Forwarding.routeLoopback(network.linkName)
        }
        return index
    }

    private func ensureLink(_ network: NetworkDefinition) throws(EngineError) -> Int32 {
        var socket = try socket()
        do throws(NetlinkError) {
            if let link = try found(network.linkName, &socket) { return try adopt(link, network, &socket) }
            guard network.driver == .bridge else {
                throw NetlinkError("find the parent", network.linkName, .noDevice)
            }
            return try make(network, &socket)
        } catch { throw EngineError(error) }
    }

    func found(_ name: String, _ socket: inout NetlinkSocket) throws(NetlinkError) -> Link? {
        do throws(NetlinkError) { return try socket.link(name) } catch  where error.errno == .noDevice { return nil }
    }

    private func adopt(
        _ link: Link, _ network: NetworkDefinition, _ socket: inout NetlinkSocket
    ) throws(NetlinkError) -> Int32 {
        guard network.driver == .bridge else { return link.index }
        guard link.kind == "bridge" else { throw NetlinkError("use as a bridge", network.linkName, .exists) }
        // A bridge of somebody else that the caller named is used as it is, as docker does.
        if Self.isHalfMade(link, network) { try socket.setAlias(mark, of: link.name) }
        guard link.alias == mark || Self.isHalfMade(link, network) else {
            if network.spec.options["com.docker.network.bridge.name"] == link.name { return link.index }
            throw NetlinkError("create bridge", network.linkName, .exists, detail: "it is not of this engine")
        }
        if link.isUp {
            // One of an earlier engine may not be.
            try restrict(network)
        } else {
            try finish(link.index, network, &socket)
        }
        return link.index
    }

    /// A kill between the two requests that make a bridge leaves one of a name that nobody else gives, down and unmarked.
    private static func isHalfMade(_ link: Link, _ network: NetworkDefinition) -> Bool {
        let isOwnName = link.name == "gt-\(network.id.prefix(12))" || network.isDefault && link.name.hasPrefix("gt0-")
        return isOwnName && link.alias.isEmpty && !link.isUp
    }

    private func make(_ network: NetworkDefinition, _ socket: inout NetlinkSocket) throws(NetlinkError) -> Int32 {
        let gateway = network.block(.v4)?.gateway ?? IPAddress(.v4, 0x0A00_0001)
        try socket.createBridge(
            network.linkName, address: MACAddress(for: gateway), mtu: network.mtu, alias: mark)
        do throws(NetlinkError) {
            let link = try socket.link(network.linkName)
            try finish(link.index, network, &socket)
            return link.index
        } catch {
            try? socket.deleteLink(network.linkName)  // The first failure is the one to tell of.
            throw error
        }
    }

    private func finish(
        _ index: Int32, _ network: NetworkDefinition, _ socket: inout NetlinkSocket
    ) throws(NetlinkError) {
        if network.block(.v6) == nil { try socket.keepSilent(network.linkName) }
        try restrict(network)
        let present = Set(try socket.addresses(of: index).map(\.address))
        for block in network.blocks where !present.contains(block.gateway) {
            try socket.addAddress(block.gateway, prefixLength: block.subnet.prefixLength, to: index)
        }
        try socket.setUp(index)
    }

    private func restrict(_ network: NetworkDefinition) throws(NetlinkError) {
        let usesVersion6 = network.block(.v6) != nil
        do throws(KernelError) {
            try Version6Settings.restrict(network.linkName, usesVersion6: usesVersion6, in: namespace)
        } catch { throw NetlinkError(error.operation, error.object, error.errno) }
    }

    /// Removes a bridge that this engine made. One that is gone, or somebody else's, is left alone.
    package func remove(_ network: NetworkDefinition) throws(EngineError) {
        guard network.driver == .bridge else { return }
        var socket = try socket()
        do throws(NetlinkError) {
            guard let link = try found(network.linkName, &socket), link.alias == mark else { return }
            try socket.deleteLink(network.linkName)
        } catch { throw EngineError(error) }
    }

    /// Ports of this engine's bridges that none of the endpoints has, and bridges that none of the networks has.
    package func strays(
        _ networks: [NetworkDefinition], endpoints: [EndpointRecord]
    ) throws(EngineError) -> [String] {
        var socket = try socket()
        let (known, used) = (Set(networks.map(\.linkName)), Set(endpoints.map(\.linkName)))
        do throws(NetlinkError) {
            let links = try socket.links()
            let bridges = links.filter { $0.kind == "bridge" && $0.alias == mark }
            let indices = Set(bridges.map(\.index))
            let ports = links.filter { link in
                link.kind == "veth" && link.name.hasPrefix("gv") && link.master.map(indices.contains) == true
            }
            return (ports.filter { !used.contains($0.name) } + bridges.filter { !known.contains($0.name) }).map(\.name)
        } catch { throw EngineError(error) }
    }

    package func delete(_ name: String) throws(EngineError) {
        var socket = try socket()
        do throws(NetlinkError) { try socket.deleteLink(name) } catch  where error.errno == .noDevice {
            return
        } catch { throw EngineError(error) }
    }
}

extension HostLinks {
    /// Gives a container its device in a network: made inside its namespace, with addresses, up.
    ///
    /// - Parameter hasDefaultRoute: by this device the container reaches the world.
    package func connect(
        _ endpoint: EndpointRecord, to network: NetworkDefinition, in container: Descriptor, hasDefaultRoute: Bool
    ) throws(EngineError) {
        let index = try ensure(network)
        var socket = try socket()
        let peer = EndpointLink(name: endpoint.deviceName, address: endpoint.mac, mtu: network.mtu)
        do throws(NetlinkError) {
            if network.driver == .bridge {
                try createVeth(endpoint, port: index, peer, container, &socket)
                if network.isolatesMembers { try socket.isolatePort(endpoint.linkName) }
            } else {
                try socket.createMacvlan(peer, over: index, mode: network.macvlanMode, in: container)
            }
        } catch { throw EngineError(error) }
        do throws(EngineError) {
            try configure(endpoint, network, container, hasDefaultRoute)
        } catch {
            // The first failure is the one to tell of; the device goes with its namespace at the latest.
            if network.driver == .bridge { try? delete(endpoint.linkName) }
            throw error
        }
    }

    /// A connection that was cut short may have made its device already.
    private func createVeth(
        _ endpoint: EndpointRecord, port: Int32, _ peer: EndpointLink, _ container: Descriptor,
        _ socket: inout NetlinkSocket
    ) throws(NetlinkError) {
        do throws(NetlinkError) {
            try socket.createVeth(endpoint.linkName, port: port, mtu: peer.mtu, peer: peer, in: container)
        } catch  where error.errno == .exists {
            do throws(NetlinkError) { try socket.deleteLink(endpoint.linkName) } catch  where error.errno == .noDevice {
                // Just gone.
            }
            try socket.createVeth(endpoint.linkName, port: port, mtu: peer.mtu, peer: peer, in: container)
        }
    }

    private func configure(
        _ endpoint: EndpointRecord, _ network: NetworkDefinition, _ container: Descriptor, _ hasDefaultRoute: Bool
    ) throws(EngineError) {
        do {
            // What is on the machine's own link, as a macvlan is, may listen to its routers.
            let isRestricted = endpoint.ipv6 == nil || network.driver == .bridge
            var inside = try NetlinkSocket(in: container) { () throws(KernelError) in
                guard isRestricted else { return }
                try Version6Settings.restrict(endpoint.deviceName, usesVersion6: endpoint.ipv6 != nil, in: nil)
            }
            let index = try inside.link(endpoint.deviceName).index
            if endpoint.ipv6 == nil { try inside.keepSilent(endpoint.deviceName) }
            for address in endpoint.addresses {
                guard let block = network.block(address.family) else { continue }
                try inside.addAddress(address, prefixLength: block.subnet.prefixLength, to: index)
            }
            try inside.setUp(index)
            guard hasDefaultRoute else { return }
            for address in endpoint.addresses {
                guard let block = network.block(address.family),
                    let everything = Subnet(containing: IPAddress(address.family, 0), prefixLength: 0)
                else { continue }
                // Another network may have led there until now.
                try inside.setRoute(to: everything, gateway: block.gateway, linkIndex: index)
            }
        } catch let error as NetlinkError {
            throw EngineError(error)
        } catch { throw EngineError(.internal, "configure \(endpoint.deviceName): \(error)") }
    }

    /// Gives a container the default route by another of its devices.
    package func routeDefault(
        by endpoint: EndpointRecord, of network: NetworkDefinition, in container: Descriptor
    ) throws(EngineError) {
        do {
            var inside = try NetlinkSocket(in: container)
            let index = try inside.link(endpoint.deviceName).index
            for address in endpoint.addresses {
                guard let block = network.block(address.family),
                    let everything = Subnet(containing: IPAddress(address.family, 0), prefixLength: 0)
                else { continue }
                try inside.addRoute(to: everything, gateway: block.gateway, linkIndex: index)
            }
        } catch let error as NetlinkError where error.errno == .exists {
            return
        } catch { throw EngineError(.internal, "\(error)") }
    }
}

extension NetworkDefinition {
    fileprivate var macvlanMode: MacvlanMode {
        switch spec.options["macvlan_mode"] ?? "" {
        case "private": .isolated
        case "vepa": .vepa
        case "passthru": .passthrough
        default: .bridge
        }
    }
}

extension EngineError {
    init(_ error: NetlinkError) {
        let kind: Kind =
            switch error.errno {
            case .exists, .busy: .conflict
            case .noDevice: .notFound
            case .notPermitted, .accessDenied: .denied
            case .notSupported: .unsupported
            default: .internal
            }
        self.init(kind, error.description, object: error.object)
    }
}
