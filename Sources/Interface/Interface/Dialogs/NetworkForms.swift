import EngineAPI
import Terminal

extension Form {
    static func newNetwork() -> Form {
        Form(.newNetwork, title: "new network", fields: networkFields(NetworkDriver.bridge))
    }

    /// What an engine here can make of itself, with what each has to be told beside addresses.
    private enum NetworkDriver: String, CaseIterable {
        case bridge, macvlan, ipvlan

        /// How containers on the parent see one another and the world; the driver's own choice first.
        var modes: [String] {
            switch self {
            case .bridge: []
            case .macvlan: ["bridge", "private", "vepa", "passthru"]
            case .ipvlan: ["l2", "l3", "l3s"]
            }
        }
    }

    private static func networkFields(_ driver: NetworkDriver) -> [Field] {
        let drivers = NetworkDriver.allCases
        var name = Field(name: .name, label: "Name", kind: .text(LineEditor()))
        name.isRequired = true
        let choice = Field.Kind.choice(drivers.map(\.rawValue), drivers.firstIndex(of: driver) ?? 0)
        var fields = [name, Field(name: .driver, label: "Driver", kind: choice)]
        if driver != .bridge {
            fields += [
                Field(
                    name: .device, label: "Parent", placeholder: "the machine's device; eth0, eth0.10",
                    kind: .text(LineEditor())),
                Field(name: .mode, label: "Mode", kind: .choice(driver.modes, 0)),
            ]
        }
        return fields + [
            Field(
                name: .subnet, label: "Subnet", placeholder: "a free one; 10.7.0.0/24 fd07::/64",
                kind: .text(LineEditor())),
            Field(name: .address, label: "Gateway", placeholder: "the first address", kind: .text(LineEditor())),
            Field(
                name: .range, label: "IP range", placeholder: "all of the subnet; 10.7.0.128/25",
                kind: .text(LineEditor())),
            Field(name: .version6, label: "IPv6", kind: .toggle(false)),
            Field(name: .isInternal, label: "Internal", kind: .toggle(false)),
            Field(name: .isAttachable, label: "Attachable", kind: .toggle(false)),
            Field(
                name: .options, label: "Options", placeholder: "com.docker.network.driver.mtu=1400",
                kind: .text(LineEditor())),
        ]
    }

    /// Asks what the chosen driver has to be told, and keeps what is there already.
    mutating func adaptToDriver() {
        guard purpose == .newNetwork, let driver = self[.driver].flatMap({ NetworkDriver(rawValue: $0.text) }) else {
            return
        }
        let focused = fields.indices.contains(focus) ? fields[focus].name : .name
        let adapted = Self.networkFields(driver).map { fresh in
            guard let field = self[fresh.name] else { return fresh }
            // The modes of another driver are others.
            if fresh.name == .mode, case .choice(let modes, _) = field.kind, modes != driver.modes { return fresh }
            return field
        }
        guard adapted != fields else { return }
        fields = adapted
        focus = fields.firstIndex { $0.name == focused } ?? 0
    }

    func networkSpec() throws(FormError) -> NetworkSpec {
        var spec = NetworkSpec(name: text(.name) ?? "")
        let driver = self[.driver].flatMap { NetworkDriver(rawValue: $0.text) } ?? .bridge
        spec.driver = driver.rawValue
        (spec.enablesIPv6, spec.isInternal) = (self[.version6]?.isOn ?? false, self[.isInternal]?.isOn ?? false)
        spec.isAttachable = self[.isAttachable]?.isOn ?? false
        for word in try FormValidation.words(of: text(.options) ?? "") {
            let sides = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, !sides[0].isEmpty else { throw FormError("`\(word)`: NAME=value", at: .options) }
            spec.options[sides[0]] = sides[1]
        }
        if let parent = text(.device) { spec.options["parent"] = parent }
        if let mode = self[.mode]?.text, mode != driver.modes.first { spec.options["\(driver.rawValue)_mode"] = mode }
        let (subnets, ranges, gateways) = (try words(.subnet), try words(.range), try words(.address))
        do throws(EngineError) {
            spec.pools = try AddressPool.pools(of: subnets, ranges: ranges, gateways: gateways)
        } catch {
            throw FormError(error.message, at: gateways.isEmpty ? .range : .address)
        }
        return spec
    }

    private func words(_ name: Field.Name) throws(FormError) -> [String] {
        try FormValidation.words(of: text(name) ?? "")
    }

    /// - Parameters:
    ///   - candidates: the containers that are not in the network.
    ///   - preferred: the one that is meant, where it is among them.
    static func connect(_ network: EngineAction.Target, candidates: [String], preferred: String?) -> Form {
        let place = preferred.flatMap { candidates.firstIndex(of: $0) } ?? 0
        return Form(
            .connect(network), title: "connect a container to \(network.name)",
            fields: [
                Field(name: .container, label: "Container", kind: .choice(candidates, place)),
                Field(
                    name: .aliases, label: "Aliases", placeholder: "further names, parted by spaces",
                    kind: .text(LineEditor())),
                Field(name: .address, label: "Address", placeholder: "a free one", kind: .text(LineEditor())),
            ])
    }

    func endpointSpec() throws(FormError) -> EndpointSpec {
        var spec = EndpointSpec()
        if let aliases = text(.aliases) { spec.aliases = try FormValidation.words(of: aliases) }
        if let address = text(.address) {
            if address.contains(":") { spec.ipv6Address = address } else { spec.ipv4Address = address }
        }
        return spec
    }

    static func newVolume() -> Form {
        Form(
            .newVolume, title: "new volume",
            fields: [
                Field(name: .name, label: "Name", placeholder: "made up by the engine", kind: .text(LineEditor())),
                Field(name: .driver, label: "Files", kind: .choice(VolumeKind.allCases.map(\.rawValue), 0)),
                Field(
                    name: .device, label: "Device", placeholder: "/directory, or :/export", kind: .text(LineEditor())),
                Field(
                    name: .options, label: "Options", placeholder: "size=64m; addr=10.0.0.9,rw",
                    kind: .text(LineEditor())),
            ])
    }

    private enum VolumeKind: String, CaseIterable {
        case local = "the engine's"
        case memory = "in memory"
        case directory = "a directory"
        case nfs
    }

    func volumeSpec() throws(FormError) -> VolumeSpec {
        var spec = VolumeSpec(name: text(.name) ?? "")
        let options = text(.options)
        let kind = self[.driver].flatMap { VolumeKind(rawValue: $0.text) } ?? .local
        switch kind {
        case .local:
            guard text(.device) == nil, options == nil else {
                throw FormError("the engine's own takes no device and options")
            }
            return spec
        case .memory: spec.options = ["type": "tmpfs", "device": "tmpfs"]
        case .directory: spec.options = ["type": "none", "device": text(.device) ?? ""]
        case .nfs: spec.options = ["type": "nfs", "device": text(.device) ?? ""]
        }
        guard spec.options["device"]?.isEmpty == false else { throw FormError("which device?") }
        let words = (kind == .directory ? ["bind"] : []) + [options].compactMap { $0 }
        if !words.isEmpty { spec.options["o"] = words.joined(separator: ",") }
        return spec
    }
}
