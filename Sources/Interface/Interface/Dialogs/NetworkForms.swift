import EngineAPI
import Terminal

extension Form {
    static func newNetwork() -> Form {
        var name = Field(name: .name, label: "Name", kind: .text(LineEditor()))
        name.isRequired = true
        return Form(
            .newNetwork, title: "new network",
            fields: [
                name,
                Field(name: .driver, label: "Driver", kind: .choice(["bridge", "macvlan"], 0)),
                Field(
                    name: .subnet, label: "Subnet", placeholder: "a free one; 10.7.0.0/24", kind: .text(LineEditor())),
                Field(name: .address, label: "Gateway", placeholder: "the first address", kind: .text(LineEditor())),
                Field(name: .device, label: "Parent", placeholder: "macvlan's device; eth0", kind: .text(LineEditor())),
                Field(name: .version6, label: "IPv6", kind: .toggle(false)),
                Field(name: .isInternal, label: "Internal", kind: .toggle(false)),
            ])
    }

    func networkSpec() throws(FormError) -> NetworkSpec {
        var spec = NetworkSpec(name: text(.name) ?? "")
        spec.driver = self[.driver]?.text ?? "bridge"
        spec.enablesIPv6 = self[.version6]?.isOn ?? false
        spec.isInternal = self[.isInternal]?.isOn ?? false
        if let parent = text(.device) { spec.options["parent"] = parent }
        if let subnet = text(.subnet) {
            spec.pools = [AddressPool(subnet: subnet, gateway: text(.address))]
        } else if text(.address) != nil {
            throw FormError("a gateway needs its subnet")
        }
        return spec
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
