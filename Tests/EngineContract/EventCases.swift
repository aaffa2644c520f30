import EngineAPI

extension ContractCase {
    static let eventCases = [
        ContractCase("A volume and a network are told of as they come to a container and go from it, in order") {
            scene in
            let engine = scene.engine
            let begin = Timestamp.now()
            let id = try await scene.create("true") { spec in
                spec.networkMode = .bridge
                spec.mounts = [MountSpec(.volume, source: "contract-events-v", target: "/v")]
            }
            try await engine.start(id)
            _ = try await engine.wait(id, for: .notRunning)
            try await engine.remove(id, force: false, volumes: false)
            try await engine.removeVolume("contract-events-v", force: false)
            let told = try await actions(engine, since: begin) { event in
                event.actorID == id || event.attributes["container"] == id || event.actorID == "contract-events-v"
            }
            try expectEqual(
                told,
                [
                    "volume create", "container create", "volume mount", "network connect", "container start",
                    "container die", "network disconnect", "volume unmount", "container destroy", "volume destroy",
                ])
        },
        ContractCase("What is looked at and entered is told of") { scene in
            let engine = scene.engine
            let begin = Timestamp.now()
            let id = try await scene.start("exec sleep 60") { $0.openStdin = true }
            _ = try await engine.top(id, psArguments: [])
            let stream = try await engine.attach(id, AttachRequest(stdin: true))
            await stream.close()
            let exec = try await engine.createExec(id, ExecSpec(command: ["sleep", "60"]))
            let left = try await engine.startExec(exec, size: nil)
            await left.close()
            var told = try await actions(engine, since: begin) { $0.actorID == id }
            for word in ["top", "attach", "exec_create: sleep 60", "exec_start: sleep 60"] {
                try expect(told.contains("container \(word)"), "\(word) is missing in \(told)")
            }
            try await engine.stop(id, signal: "KILL", timeoutSeconds: 5)
            told = try await actions(engine, since: begin) { $0.actorID == id }
            try expect(told.contains("container exec_die"), "\(told)")
        },
        ContractCase("An image's life is told of by its id, and a prune by what it gave back") { scene in
            let engine = scene.engine
            let begin = Timestamp.now()
            let id = try await scene.create("echo x > /x") { $0.labels = ["contract-life": "1"] }
            try await engine.start(id)
            _ = try await engine.wait(id, for: .notRunning)
            let image = try await engine.commitContainer(id, ContainerCommitRequest(name: "contract-life:1"))
            try await engine.tagImage(image, as: "contract-life:2")
            _ = try await engine.removeImage("contract-life:2", force: false, prune: true)
            _ = try await engine.removeImage("contract-life:1", force: false, prune: true)
            var filter = ImageFilter()
            filter.labels = ["contract-none"]
            _ = try await engine.pruneImages(all: false, filter: filter)
            try expectEqual(
                try await actions(engine, since: begin) { $0.actorID == image },
                ["image tag", "image tag", "image untag", "image untag", "image delete"])
            var request = EventRequest()
            (request.since, request.until, request.kinds) = (begin, .now(), [.image])
            (request.actions, request.labels) = (["delete"], ["contract-life=1"])
            var count = 0
            for try await _ in try await engine.events(request) { count += 1 }
            try expectEqual(count, 1)
            (request.actions, request.labels) = (["prune"], ["reclaimed"])
            for try await _ in try await engine.events(request) { count += 1 }
            try expectEqual(count, 2)
        },
    ]

    /// The events since a time, as `kind action`, in their order.
    private static func actions(
        _ engine: any Engine, since: Timestamp, _ isMeant: (EngineEvent) -> Bool
    ) async throws -> [String] {
        var request = EventRequest()
        (request.since, request.until) = (since, .now())
        var found: [String] = []
        for try await event in try await engine.events(request) where isMeant(event) {
            found.append("\(event.kind.rawValue) \(event.action)")
        }
        return found
    }
}
