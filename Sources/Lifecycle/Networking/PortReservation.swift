import EngineAPI
import Glibc
import Linux

/// Ports of the host, held by sockets so that nobody else gets them. Blocking.
///
/// The sockets are for the container's shim, which keeps them as long as the container runs, whoever else ends, and
/// serves by them what packets cannot do.
package enum PortReservation {
    /// A port with the socket that holds it.
    package struct Held: Sendable {
        package var published: PublishedPort
        package var socket: Descriptor
    }

    /// Binds all, or none.
    ///
    /// - Parameters:
    ///   - address: for bindings that name none; nil for every address of the machine.
    ///   - owner: who of this engine's containers has a port, for the refusal.
    package static func hold(
        _ bindings: [PortBinding], address: IPAddress?, owner: (PublishedPort) -> String?
    ) throws(EngineError) -> [Held] {
        var held: [Held] = []
        do throws(EngineError) {
            for binding in bindings {
                held += try hold(binding, addresses(binding, address), Set(held.map(\.published)), owner)
            }
        } catch {
            release(held)
            throw error
        }
        return held
    }

    package static func release(_ held: [Held]) { for one in held { one.socket.close() } }

    private static func addresses(_ binding: PortBinding, _ preset: IPAddress?) throws(EngineError) -> [IPAddress] {
        if binding.hostAddress.isEmpty {
            if let preset { return [preset] }
            return [IPAddress(.v4, 0)] + (access("/proc/net/if_inet6", F_OK) == 0 ? [IPAddress(.v6, 0)] : [])
        }
        let text =
            binding.hostAddress.hasPrefix("[")
            ? String(binding.hostAddress.dropFirst().dropLast()) : binding.hostAddress
        guard let address = IPAddress(text) else {
            throw EngineError(.invalid, "invalid IP address: \(binding.hostAddress)", object: binding.hostAddress)
        }
        return [address]
    }

    /// The same number on all addresses: the first of the range that is free on each.
    private static func hold(
        _ binding: PortBinding, _ addresses: [IPAddress], _ mine: Set<PublishedPort>,
        _ owner: (PublishedPort) -> String?
    ) throws(EngineError) -> [Held] {
        let numbers =
            binding.hostPort == 0 ? [0] : Array(binding.hostPort...max(binding.hostPort, binding.lastHostPort))
        var refusal: EngineError?
        // Any free port: one that is free on the first address may be taken on the second.
        for number in binding.hostPort == 0 ? [UInt16](repeating: 0, count: 16) : numbers {
            do throws(EngineError) {
                return try hold(binding.port, number, addresses, mine, owner)
            } catch { refusal = refusal ?? error }
        }
        throw refusal.map { named($0, binding.port.transport) } ?? EngineError(.invalid, "invalid range of ports")
    }

    /// The refusal with who holds the port, for which all processes are looked through: of a range, once.
    private static func named(_ refusal: EngineError, _ transport: ContainerPort.Transport) -> EngineError {
        guard let port = UInt16(refusal.object ?? ""), refusal.kind == .conflict,
            let holder = PortHolder.name(port, transport)
        else { return refusal }
        return EngineError(refusal.kind, "\(refusal.message) (held by \(holder))", object: refusal.object)
    }

    private static func hold(
        _ port: ContainerPort, _ number: UInt16, _ addresses: [IPAddress], _ mine: Set<PublishedPort>,
        _ owner: (PublishedPort) -> String?
    ) throws(EngineError) -> [Held] {
        var held: [Held] = []
        var number = number
        do throws(EngineError) {
            for address in addresses {
                let wanted = PublishedPort(port, hostAddress: address, hostPort: number)
                if mine.contains(where: { $0.isSameOnHost(as: wanted) }) {
                    throw EngineError(
                        .conflict,
                        "Bind for \(SocketEndpoint(address, number)) failed: port is already allocated")
                }
                if number != 0, let name = owner(wanted) {
                    throw EngineError(
                        .conflict,
                        "Bind for \(SocketEndpoint(address, number)) failed: port is already allocated "
                            + "(by container \(name))")
                }
                let one = try bind(wanted)
                number = one.published.hostPort
                held.append(one)
            }
        } catch {
            release(held)
            throw error
        }
        return held
    }

    private static func bind(_ wanted: PublishedPort) throws(EngineError) -> Held {
        let kind: InternetSocket.Kind =
            switch wanted.port.transport {
            case .tcp: .stream
            case .udp: .datagram
            case .sctp: .sctp
            }
        let local = SocketEndpoint(wanted.hostAddress, wanted.hostPort)
        do throws(KernelError) {
            let socket = try InternetSocket.bound(kind, local)
            var published = wanted
            published.hostPort = try InternetSocket.port(socket)
            return Held(published: published, socket: socket)
        } catch {
            if kind == .sctp, error.errno.rawValue == EPROTONOSUPPORT || error.errno.rawValue == ESOCKTNOSUPPORT {
                // Nor could the container serve it: the kernel is the same.
                throw EngineError(
                    .unsupported,
                    "failed to bind host port \(local)/sctp: \(error.errno): this machine's kernel has no SCTP "
                        + "(its module is `sctp`)", object: "\(local.port)")
            }
            if error.errno == .accessDenied { throw privileged(local, wanted.port.transport) }
            // By its number it can be told who holds it.
            throw EngineError(
                .conflict, "failed to bind host port \(local)/\(wanted.port.transport.rawValue): \(error.errno)",
                object: error.errno.rawValue == EADDRINUSE ? "\(local.port)" : nil)
        }
    }

    /// What an ordinary user may not have, and whose it is to change.
    private static func privileged(_ local: SocketEndpoint, _ transport: ContainerPort.Transport) -> EngineError {
        // Without the file the kernel has its default.
        let text = (try? FileContents.read("/proc/sys/net/ipv4/ip_unprivileged_port_start", limitBytes: 64)) ?? []
        let start = String(decoding: text.prefix { $0 != 10 }, as: UTF8.self)
        return EngineError(
            .denied,
            "cannot expose privileged port \(local)/\(transport.rawValue): choose a port from "
                + "\(start.isEmpty ? "1024" : start) on, or let the machine's root set "
                + "net.ipv4.ip_unprivileged_port_start=\(local.port) (sysctl)", object: "\(local.port)")
    }
}

extension PublishedPort {
    fileprivate func isSameOnHost(as other: PublishedPort) -> Bool {
        port.transport == other.port.transport && hostAddress == other.hostAddress && hostPort == other.hostPort
    }
}
