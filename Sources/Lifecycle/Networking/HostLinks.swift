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

    /// Makes sure that a network's bridge is there, up, with the gateways' addresses; else that its parent is.
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
        var link: Link?
        do throws(NetlinkError) { link = try found(network.linkName, &socket) } catch { throw EngineError(error) }
        if link == nil, network.driver != .bridge, !network.hasOwnParent {
            link = try makeVLAN(network.linkName, &socket)
        }
        do throws(NetlinkError) {
            if let link { return try adopt(link, network, &socket) }
            if network.driver == .bridge { return try make(network, &socket) }
            try socket.createDummy(network.linkName, alias: mark)
            return try adopt(try socket.link(network.linkName), network, &socket)
        } catch { throw EngineError(error) }
    }

    func found(_ name: String, _ socket: inout NetlinkSocket) throws(NetlinkError) -> Link? {
        do throws(NetlinkError) { return try socket.link(name) } catch  where error.errno == .noDevice { return nil }
    }

    private func adopt(
        _ link: Link, _ network: NetworkDefinition, _ socket: inout NetlinkSocket
    ) throws(NetlinkError) -> Int32 {
        guard network.driver == .bridge else {
            if network.hasOwnParent || link.alias == mark, !link.isUp { try socket.setUp(link.index) }
            return link.index
        }
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

    /// Removes a network's device that this engine made. One that is gone, or somebody else's, or another network's
    /// bridge, is left alone.
    package func remove(_ network: NetworkDefinition) throws(EngineError) {
        var socket = try socket()
        do throws(NetlinkError) {
            guard let link = try found(network.linkName, &socket), link.alias == mark,
                network.driver == .bridge || network.hasOwnParent || link.kind == "vlan"
            else { return }
            try socket.deleteLink(network.linkName)
        } catch { throw EngineError(error) }
    }

    /// Ports of this engine's bridges that none of the endpoints has, and devices of networks that none of them has.
    package func strays(
        _ networks: [NetworkDefinition], endpoints: [EndpointRecord]
    ) throws(EngineError) -> [String] {
        var socket = try socket()
        let (known, used) = (Set(networks.map(\.linkName)), Set(endpoints.map(\.linkName)))
        do throws(NetlinkError) {
            let links = try socket.links()
            let bridges = links.filter { ["bridge", "dummy", "vlan"].contains($0.kind) && $0.alias == mark }
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
