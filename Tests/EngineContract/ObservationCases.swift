import EngineAPI

extension ContractCase {
    static let observationCases = [
        ContractCase("Events tell what happened to a container, in order") { scene in
            let engine = scene.engine
            var request = EventRequest()
            request.kinds = [.container]
            request.containers = ["contract-events"]
            request.since = Timestamp.now()
            let id = try await scene.create("exit 1", name: "contract-events")
            let wait = try await engine.beginWait(id, for: .nextExit)
            try await engine.start(id)
            _ = try await wait.result()
            try await engine.remove(id, force: false, volumes: false)
            var actions: [String] = []
            for try await event in try await engine.events(request) {
                try expectEqual(event.actorID, id)
                actions.append(event.action)
                if event.action == "die" { try expectEqual(event.attributes["exitCode"], "1") }
                if event.action == "destroy" { break }
            }
            try expectEqual(actions, ["create", "start", "die", "destroy"])
        },
        ContractCase("Samples tell of a running container's use, and leave out one that does not run") { scene in
            let engine = scene.engine
            let busy = try await scene.start("while :; do :; done") { $0.limits.memoryBytes = 64 << 20 }
            let idle = try await scene.create("true")
            let stream = try await engine.stats([busy, idle], every: .milliseconds(200))
            var samples: [ContainerStats] = []
            for try await array in stream {
                try expect(array.count <= 1, "a container that does not run is sampled")
                samples += array
                if samples.count == 3 { break }
            }
            let (first, last) = (samples[0], samples[2])
            try expectEqual(first.id, busy)
            try expect(last.cpuNanoseconds > first.cpuNanoseconds, "no CPU time is used")
            try expectEqual(last.memoryLimitBytes, 64 << 20)
            try expect(last.memoryTotalBytes > 0 && last.pids >= 1, "no memory or no process")
            var count = 0
            for try await _ in try await engine.stats([busy], every: nil) { count += 1 }
            try expectEqual(count, 1)
        },
        ContractCase("The process table has the container's processes and no others") { scene in
            let id = try await scene.start("sleep 61 & sleep 62; true")
            var table = try await scene.engine.top(id, psArguments: [])
            // The shell's children are shells until they have executed their program, which nobody tells of.
            let clock = ContinuousClock()
            let end = clock.now + .seconds(20)
            while table.rows.filter({ $0.last?.hasPrefix("sleep 6") == true }).count < 2, clock.now < end {
                try await clock.sleep(for: .milliseconds(10))
                table = try await scene.engine.top(id, psArguments: [])
            }
            try expect(table.titles.contains("PID"), "\(table.titles)")
            let commands = table.rows.compactMap(\.last)
            try expect(commands.contains("sleep 61") && commands.contains("sleep 62"), "\(commands)")
            try expect(commands.count == 3, "\(commands)")
            let nodes = try await scene.engine.processes(id)
            try expect(nodes.contains { $0.command.hasPrefix("sleep 6") }, "\(nodes.map(\.command))")
            let idle = try await scene.create("true")
            try await expectRefusal(.conflict, "is not running") {
                _ = try await scene.engine.top(idle, psArguments: [])
            }
        },
        ContractCase("The list is filtered by name, state, label and image") { scene in
            let engine = scene.engine
            let id = try await scene.create("true", name: "contract-filter") { $0.labels = ["contract": "yes"] }
            func found(_ change: (inout ContainerFilter) -> Void) async throws -> Bool {
                var filter = ContainerFilter(all: true)
                change(&filter)
                return try await engine.containers(filter).contains { $0.id == id }
            }
            try expect(try await found { $0.names = ["^/?contract-fil"] }, "by name")
            try expect(try await !found { $0.names = ["^filter"] }, "by another name")
            try expect(try await found { $0.statuses = [.created] }, "by state")
            try expect(try await !found { $0.statuses = [.running] }, "by another state")
            try expect(try await found { $0.labels = ["contract", "contract=yes"] }, "by label")
            try expect(try await !found { $0.labels = ["contract=no"] }, "by another label")
            try expect(try await found { $0.ancestors = [scene.image] }, "by image")
            try expect(try await found { $0.ids = [String(id.prefix(12))] }, "by id")
        },
        ContractCase("The engine tells of itself") { scene in
            let version = try await scene.engine.version()
            try expect(!version.version.isEmpty && !version.apiVersion.isEmpty, "no version")
            let info = try await scene.engine.info()
            try expect(info.images >= 1 && info.cpuCount >= 1 && info.memoryBytes > 0, "\(info)")
        },
    ]

    static let imageCases = [
        ContractCase("The starter image is listed and inspected, and one that is not there is said not to be") {
            scene in
            let images = try await scene.engine.images(ImageFilter())
            let starter = images.first { $0.tags.contains(scene.image) }
            try expect(starter?.id.hasPrefix("sha256:") == true, "\(images.map(\.tags))")
            let details = try await scene.engine.inspectImage(scene.image)
            try expectEqual(details.summary.id, starter?.id)
            try expectEqual(details.os, "linux")
            try expect(!details.layers.isEmpty, "no layers")
            try await expectRefusal(.notFound, "No such image") {
                _ = try await scene.engine.inspectImage("contract/absent:1")
            }
            try await expectRefusal(.notFound, "No such image") {
                _ = try await scene.create("true") { $0.image = "contract/absent:1" }
            }
        },
        ContractCase("An image that a container needs is not removed") { scene in
            let id = try await scene.start("sleep 60")
            let imageID = try await scene.engine.inspect(id).imageID
            try await expectRefusal(.conflict) {
                _ = try await scene.engine.removeImage(imageID, force: false, prune: true)
            }
            try expectEqual(try await scene.engine.inspectImage(scene.image).summary.id, imageID)
        },
    ]
}
