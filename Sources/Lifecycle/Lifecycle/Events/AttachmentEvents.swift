import EngineAPI
import Storage

/// A container's networks and volumes come and go with its process: docker tells of each.
extension Container {
    /// What a start connects and mounts; to be told together with it.
    func attachmentEvents() async -> [EngineEvent] {
        let mounts = volumeMounts.map { mount in
            volumeEvent(
                "mount", mount,
                [
                    "destination": mount.target, "read/write": mount.readOnly ? "false" : "true",
                    "propagation": mount.propagation ?? "",
                ])
        }
        return await mounts + networkEvents("connect")
    }

    /// The same backwards, at once.
    func tellOfDetachment() async {
        let events = await networkEvents("disconnect") + volumeMounts.map { volumeEvent("unmount", $0, [:]) }
        if !events.isEmpty { await record(events) }
    }

    private var volumeMounts: [MountSpec] { definition.spec.mounts.filter { $0.kind == .volume } }

    private func volumeEvent(_ action: String, _ mount: MountSpec, _ more: [String: String]) -> EngineEvent {
        let attributes = ["container": id, "driver": "local"].merging(more) { _, new in new }
        return EngineEvent(kind: .volume, action: action, actorID: mount.source, attributes: attributes, time: .now())
    }

    private func networkEvents(_ action: String) async -> [EngineEvent] {
        guard isNetworked else {
            let mode = definition.spec.networkMode?.rawValue
            return NetworkDetails.builtIn.filter { $0.spec.name == mode }.map { networkEvent(action, $0.id, $0.spec) }
        }
        var events: [EngineEvent] = []
        // What cannot be told of is connected all the same.
        for endpoint in (try? await context.networks.details(id)) ?? [] {
            guard let network = try? await context.networks.network(endpoint.networkID) else { continue }
            events.append(networkEvent(action, network.id, network.spec))
        }
        return events
    }

    private func networkEvent(_ action: String, _ networkID: String, _ network: NetworkSpec) -> EngineEvent {
        EngineEvent(
            kind: .network, action: action, actorID: networkID,
            attributes: ["container": id, "name": network.name, "type": network.driver], time: .now())
    }
}
