// Does one thing with an engine, so that a test can let it die on the way: engine-probe ROOT VERB NAME.
import EngineAPI
import Glibc
import Linux
import LocalEngine

func spec(_ script: String) -> ContainerSpec {
    var spec = ContainerSpec(image: "gantry/starter")
    spec.command = ["sh", "-c", script]
    spec.networkMode = NetworkMode.none
    return spec
}

func act(_ verb: String, _ name: String, _ engine: GantryEngine) async throws {
    switch verb {
    case "create": _ = try await engine.create(spec("sleep 600"), name: name)
    case "start": try await engine.start(name)
    case "stop": try await engine.stop(name, signal: "KILL", timeoutSeconds: 5)
    case "stop-with-volumes":
        // Known before the end: who has them mounted is known by the containers that run.
        _ = try await engine.volumes(VolumeFilter())
        try await engine.stop(name, signal: "KILL", timeoutSeconds: 5)
    case "kill-after-time": try await engine.stop(name, signal: "HUP", timeoutSeconds: 0)
    case "update":
        var update = ContainerUpdate()
        update.limits.pids = 77
        update.restartPolicy = RestartPolicy(.onFailure, maximumRetries: 2)
        _ = try await engine.update(name, update)
    case "run-to-end":
        try await engine.start(name)
        kill(try await engine.inspect(name).state.pid, SIGKILL)
        _ = try await engine.wait(name, for: .removed)
    case "load": for try await _ in try await engine.loadImages(.path(name)) {}
    case "remove-image": _ = try await engine.removeImage(name, force: true, prune: true)
    case "image-prune": _ = try await engine.pruneImages(all: true, filter: ImageFilter())
    case "container-prune": _ = try await engine.pruneContainers(PruneFilter())
    case "commit":
        _ = try await engine.commitContainer(name, ContainerCommitRequest(name: "made:1"))
    case "network-create": _ = try await engine.createNetwork(NetworkSpec(name: name))
    case "network-remove": try await engine.removeNetwork(name)
    case "network-prune": _ = try await engine.pruneNetworks(NetworkFilter())
    case "connect": try await engine.connect("victim", to: name, EndpointSpec())
    case "disconnect": try await engine.disconnect("victim", from: name, force: false)
    case "volume-create": _ = try await engine.createVolume(VolumeSpec(name: name))
    case "volume-remove": try await engine.removeVolume(name, force: false)
    case "volume-import": try await engine.importVolume(name, archive: try await engine.exportVolume("source"))
    case "create-with-volumes":
        var wanted = spec("sleep 600")
        wanted.mounts = [MountSpec(.volume, source: name, target: "/etc")]
        wanted.anonymousVolumes = ["/anonymous"]
        _ = try await engine.create(wanted, name: "victim")
    case "volume-prune":
        var filter = VolumeFilter()
        filter.all = true
        _ = try await engine.pruneVolumes(filter)
    case "remove-with-volumes": try await engine.remove(name, force: true, volumes: true)
    case "remove": try await engine.remove(name, force: true, volumes: false)
    // Its first process takes no notice of that.
    case "restart-unheard": try await engine.restart(name, signal: "TERM", timeoutSeconds: 600)
    case "restart": try await engine.restart(name, signal: "KILL", timeoutSeconds: 5)
    default: throw EngineError(.invalid, "unknown verb \(verb)")
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 4 else { exit(64) }
do {
    let engine = try await GantryEngine(LocalEngineConfiguration(root: arguments[1]))
    try await act(arguments[2], arguments[3], engine)
    await engine.close()
} catch {
    try Descriptor.standardError.writeAll(Array("engine-probe: \(error)\n".utf8))
    exit(1)
}
