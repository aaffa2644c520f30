import EngineAPI
import Terminal

extension Canvas {
    mutating func draw(_ screen: NetworksScreen, _ model: Model) {
        let rows = model.networkRows
        let note = "n makes one · c connects a container · d removes"
        var rest = drawScreenTitle("networks · \(model.networks?.count ?? 0)", note, model)
        drawColumns(
            NetworkColumns(rest.columns), name: "NAME", detail: "SUBNET, ADDRESS", more: "DRIVER, PORTS",
            received: "IN", sent: "OUT", roles: (.header, .header), in: rest.takeTop(1))
        guard model.networks != nil else {
            return putCentered("asking the engine…", .muted, row: rest.rows / 3, in: rest)
        }
        let page = rest.rows
        let scroll = scrollToShow(screen.selection, from: screen.scroll, count: rows.count, page: page)
        for index in min(scroll, rows.count)..<min(rows.count, scroll + page) {
            let line = rest.takeTop(1)
            draw(rows[index], model, in: line)
            if index == screen.selection { highlight(line, .selection) }
        }
    }

    private mutating func draw(_ row: NetworkRow, _ model: Model, in line: Region) {
        let columns = NetworkColumns(line.columns)
        switch row {
        case .network(let network):
            let rates = model.members(of: network).compactMap { model.traffic(of: $0, in: network) }
            let sum = rates.isEmpty ? nil : rates.reduce(NetworkRate()) { $0 + $1 }
            var kind = network.spec.driver
            if network.spec.isInternal { kind += ", internal" }
            drawColumns(
                columns, name: network.spec.name,
                detail: network.spec.pools.map(\.subnet).joined(separator: " "), more: kind,
                received: Quantity.rate(sum?.receivedBytes), sent: Quantity.rate(sum?.sentBytes),
                roles: (.text, .muted), in: line)
        case .member(let network, let member):
            let rate = model.traffic(of: member, in: network)
            let endpoint = member.endpoint(in: network)
            let addresses = [endpoint?.ipv4Address, endpoint?.ipv6Address].compactMap { $0 }.filter { !$0.isEmpty }
            drawColumns(
                columns, name: "  \(member.name)", detail: addresses.joined(separator: " "),
                more: member.portText, received: Quantity.rate(rate?.receivedBytes),
                sent: Quantity.rate(rate?.sentBytes), roles: (.stateRunning, .muted), in: line)
        }
    }

    private mutating func drawColumns(
        _ columns: NetworkColumns, name: String, detail: String, more: String, received: String, sent: String,
        roles: (name: Role, rest: Role), in line: Region
    ) {
        var rest = line
        putRight(sent, roles.rest, in: rest.takeRight(columns.rate))
        putRight(received, roles.rest, in: rest.takeRight(columns.rate))
        put(name, roles.name, in: rest.takeLeft(columns.name))
        _ = rest.takeLeft(1)
        put(detail, roles.rest, in: rest.takeLeft(columns.detail))
        _ = rest.takeLeft(1)
        put(more, roles.rest, in: rest)
    }
}

/// How the screen's width is shared.
private struct NetworkColumns {
    let name: Int
    let detail: Int
    let rate: Int

    init(_ width: Int) {
        rate = width < 60 ? 0 : 11
        name = max(8, min(24, width / 4))
        detail = max(8, min(40, (width - name - 2 * rate) / 2))
    }
}

extension ContainerSummary {
    /// The published ports, each once: `8080:80 5353:53/udp`.
    var portText: String {
        var seen: Set<String> = []
        return ports.filter { $0.hostPort != 0 }.sorted { ($0.hostPort, $0.port) < ($1.hostPort, $1.port) }
            .map { "\($0.hostPort):\($0.port.number)" + ($0.port.transport == .tcp ? "" : "/\($0.port.transport)") }
            .filter { seen.insert($0).inserted }.joined(separator: " ")
    }

    /// Where the published ports of streams are reached from this machine, each once.
    var portAddresses: [String] {
        var seen: Set<String> = []
        return ports.filter { $0.hostPort != 0 && $0.port.transport == .tcp }.sorted { $0.port < $1.port }
            .map { mapping in
                let isAny = ["", "0.0.0.0", "::"].contains(mapping.hostAddress)
                let host = isAny ? "127.0.0.1" : mapping.hostAddress
                return (host.contains(":") ? "[\(host)]" : host) + ":\(mapping.hostPort)"
            }
            .filter { seen.insert($0).inserted }
    }
}
