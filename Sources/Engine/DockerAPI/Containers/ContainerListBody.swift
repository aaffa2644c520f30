import EngineAPI
import JSON

extension ContainerSummary {
    /// An entry of `GET /containers/json`. The member `Gantry` holds what docker's form leaves out; docker's clients
    /// pass over it.
    package func dockerBody(now: Timestamp) -> JSONValue {
        var body = lastingBody
        body["Status"] = .string(StatusText.text(state, now: now))
        return .object(body)
    }

    /// All but the words of the status, which alone change by themselves as time goes by.
    var lastingBody: JSONObject {
        var more = JSONObject()
        (more["State"], more["Tty"]) = (state.dockerBody, .bool(tty))
        more["CreatedAt"] = .string(WireTime.text(createdAt))
        if let logBytes { more["LogBytes"] = .integer(logBytes) }
        let base: JSONValue = [
            "Id": .string(id), "Names": .texts(([name] + linkNames).map { "/\($0)" }), "Image": .string(image),
            "ImageID": .string(imageID),
            "Command": .string(command), "Created": .integer(createdAt.secondsSinceEpoch),
            "Ports": .array(ports.map(\.dockerBody)),
            "Labels": .textMap(labels), "State": .string(state.status.rawValue),
            "HostConfig": ["NetworkMode": .string(networkMode)],
            "NetworkSettings": [
                "Networks": .object(
                    NetworkSettingsBody.networks(
                        hasLeftNone ? "" : networkMode, networks, running: state.isAlive ? id : nil))
            ],
            "Mounts": .array(mountPoints),
            "Gantry": .object(more),
        ]
        var body = base.object ?? JSONObject()
        if let writtenBytes { body["SizeRw"] = .integer(writtenBytes) }
        if let rootBytes { body["SizeRootFs"] = .integer(rootBytes) }
        return body
    }

    private var mountPoints: [JSONValue] {
        mounts.filter { $0.kind != .tmpfs || !$0.isShort }.map { $0.dockerMountPoint(volumes: volumesDirectory) }
    }

    /// Reads an entry of any engine's list; nil where it has no id.
    package init?(dockerBody body: JSONValue) {
        guard let id = body.filledText("Id") else { return nil }
        let more = body.field("Gantry")
        let created = Timestamp(seconds: body.whole("Created") ?? 0)
        self.init(
            id: id, name: Self.name(body.texts("Names")), image: body.text("Image"), imageID: body.text("ImageID"),
            command: body.text("Command"), createdAt: more.flatMap { WireTime.parse($0.text("CreatedAt")) } ?? created,
            state: more?.field("State").map { ContainerState(dockerBody: $0) } ?? Self.state(body),
            labels: body.textMap("Labels"), tty: more?.flag("Tty") ?? false,
            networkMode: body.field("HostConfig")?.text("NetworkMode") ?? "",
            mounts: body.elements("Mounts").compactMap { MountSpec(dockerMountPoint: $0) })
        linkNames = body.texts("Names").map { String($0.drop { $0 == "/" }) }.filter { $0.contains("/") }
        writtenBytes = body.whole("SizeRw")
        rootBytes = body.whole("SizeRootFs")
        logBytes = more?.whole("LogBytes")
        ports = body.elements("Ports").compactMap { PortMapping(dockerBody: $0) }
        networks = NetworkSettingsBody.endpoints(dockerBody: body.field("NetworkSettings")?.field("Networks"))
        hasLeftNone = NetworkSettingsBody.hasLeftNone(networkMode, dockerBody: body.field("NetworkSettings"))
    }

    /// A container's own name among its names: links add names with a second slash.
    private static func name(_ names: [String]) -> String {
        let plain = names.map { $0.hasPrefix("/") ? String($0.dropFirst()) : $0 }
        return plain.first { !$0.contains("/") } ?? plain.first ?? ""
    }

    private static func state(_ body: JSONValue) -> ContainerState {
        var state = ContainerState(status: ContainerState.status(body.text("State").lowercased()))
        state.exitCode = StatusText.exitCode(body.text("Status")) ?? 0
        return state
    }
}
