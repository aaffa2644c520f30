import EngineAPI
import Linux
import Netlink

/// Containers' devices in networks.
extension HostLinks {
    /// Gives a container its device in a network: made inside its namespace, with addresses, up.
    ///
    /// - Parameter routes: the versions of IP by which the container reaches the world over this device.
    package func connect(
        _ endpoint: EndpointRecord, to network: NetworkDefinition, in container: Descriptor,
        routes: Set<IPAddress.Family>
    ) throws(EngineError) {
        let index = try ensure(network)
        var socket = try socket()
        let peer = EndpointLink(name: endpoint.deviceName, address: endpoint.mac, mtu: network.mtu)
        do throws(NetlinkError) {
            switch network.driver {
            case .bridge:
                try createVeth(endpoint, port: index, peer, container, &socket)
                if network.isolatesMembers { try socket.isolatePort(endpoint.linkName) }
            case .macvlan: try socket.createMacvlan(peer, over: index, mode: network.macvlanMode, in: container)
            case .ipvlan:
                try socket.createIPvlan(
                    peer, over: index, mode: network.ipvlanMode, flag: network.ipvlanFlag, in: container)
            case .configuration: throw NetlinkError("join the configuration", network.name, .notSupported)
            }
        } catch { throw EngineError(error) }
        do throws(EngineError) {
            try configure(endpoint, network, container, routes)
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
        _ endpoint: EndpointRecord, _ network: NetworkDefinition, _ container: Descriptor,
        _ routes: Set<IPAddress.Family>
    ) throws(EngineError) {
        let settings = try DeviceSettings(endpoint.spec)
        do {
            // What is on the machine's own link, as a macvlan is, may listen to its routers.
            let isRestricted = !endpoint.usesVersion6 || network.driver == .bridge
            var inside = try NetlinkSocket(in: container) { () throws(KernelError) in
                guard isRestricted else { return }
                try Version6Settings.restrict(endpoint.deviceName, usesVersion6: endpoint.usesVersion6, in: nil)
            }
            let index = try inside.link(endpoint.deviceName).index
            if !endpoint.usesVersion6 { try inside.keepSilent(endpoint.deviceName) }
            for address in endpoint.addresses {
                guard let block = network.block(address.family) else { continue }
                try inside.addAddress(address, prefixLength: block.subnet.prefixLength, to: index)
            }
            for address in endpoint.linkLocalAddresses {
                try inside.addAddress(address, prefixLength: address.family == .v4 ? 16 : 64, to: index)
            }
            try settings.apply(to: endpoint.deviceName, in: container)
            try inside.setUp(index)
            try Self.setDefaultRoutes(routes, by: endpoint, of: network, index, &inside)
        } catch let error as NetlinkError {
            throw EngineError(error)
        } catch let error as EngineError { throw error } catch {
            throw EngineError(.internal, "configure \(endpoint.deviceName): \(error)")
        }
    }

    /// Another network may have led there until now.
    private static func setDefaultRoutes(
        _ families: Set<IPAddress.Family>, by endpoint: EndpointRecord, of network: NetworkDefinition,
        _ index: Int32, _ inside: inout NetlinkSocket
    ) throws {
        // What its settings took from the device is no way out.
        let present = Set(try inside.addresses(of: index).map(\.address))
        for address in endpoint.addresses where families.contains(address.family) && present.contains(address) {
            guard let block = network.block(address.family),
                let everything = Subnet(containing: IPAddress(address.family, 0), prefixLength: 0)
            else { continue }
            let gateway = network.isRoutedByDevice ? nil : block.gateway
            try inside.setRoute(to: everything, gateway: gateway, linkIndex: index)
        }
    }

    /// Gives a container its default routes by another of its devices.
    package func routeDefault(
        _ families: Set<IPAddress.Family>, by endpoint: EndpointRecord, of network: NetworkDefinition,
        in container: Descriptor
    ) throws(EngineError) {
        do {
            var inside = try NetlinkSocket(in: container)
            let index = try inside.link(endpoint.deviceName).index
            try Self.setDefaultRoutes(families, by: endpoint, of: network, index, &inside)
        } catch { throw EngineError(.internal, "\(error)") }
    }
}

extension EndpointRecord {
    fileprivate var linkLocalAddresses: [IPAddress] { spec.linkLocalAddresses.compactMap { IPAddress($0) } }
    fileprivate var usesVersion6: Bool { (addresses + linkLocalAddresses).contains { $0.family == .v6 } }
}

extension NetworkDefinition {
    fileprivate var ipvlanMode: IPvlanMode { spec.options["ipvlan_mode"].flatMap(IPvlanMode.init) ?? .l2 }
    fileprivate var ipvlanFlag: IPvlanFlag { spec.options["ipvlan_flag"].flatMap(IPvlanFlag.init) ?? .bridge }
    /// Nobody is asked for the way there: the device below routes what leaves.
    fileprivate var isRoutedByDevice: Bool { driver == .ipvlan && ipvlanMode != .l2 }

    fileprivate var macvlanMode: MacvlanMode {
        switch spec.options["macvlan_mode"] ?? "" {
        case "private": .isolated
        case "vepa": .vepa
        case "passthru": .passthrough
        default: .bridge
        }
    }
}
