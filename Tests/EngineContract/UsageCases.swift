import EngineAPI

extension ContractCase {
    static let usageCases = [
        ContractCase("The disk usage tells of what images share, containers write and volumes hold") { scene in
            let engine = scene.engine
            let volume = try await engine.createVolume(VolumeSpec(name: "contract-usage")).spec.name
            let script = "head -c 100000 /dev/zero > /big; ln /big /again; head -c 50000 /dev/zero > /v/file; echo done"
            let id = try await scene.create(script) { $0.mounts = [MountSpec(.volume, source: volume, target: "/v")] }
            try await engine.start(id)
            _ = try await engine.wait(id, for: .notRunning)
            let image = try await engine.commitContainer(id, ContainerCommitRequest(name: "contract-usage:1"))
            try await removing("contract-usage:1", engine) {
                let usage = try await engine.diskUsage()
                let made = try one(usage.images.filter { $0.id == image })
                let base = try one(usage.images.filter { $0.tags.contains(scene.image) })
                try expectEqual(made.sharedBytes, base.sizeBytes)
                try expectEqual(made.sizeBytes, base.sizeBytes + 100_000)
                try expect(usage.layersBytes >= made.sizeBytes, "\(usage.layersBytes)")
                try expect(base.containerCount > 0, "no container is of the base")
                let container = try one(usage.containers.filter { $0.id == id })
                try expectEqual(container.writtenBytes, 100_000)
                try expectEqual(container.rootBytes, base.sizeBytes + 100_000)
                try expect((50..<500).contains(container.logBytes ?? 0), "\(String(describing: container.logBytes))")
                let held = try one(usage.volumes.filter { $0.spec.name == volume })
                try expect(held.sizeBytes ?? 0 >= 50_000, "\(String(describing: held.sizeBytes))")
                try expectEqual(held.users, [id])
                try expectEqual(try await engine.diskUsage(of: [.volume]).images, [])
            }
            var filter = ContainerFilter(all: true)
            (filter.withSizes, filter.ids) = (true, [id])
            try expectEqual(try await engine.containers(filter).map(\.writtenBytes), [100_000])
            filter.withSizes = false
            try expectEqual(try await engine.containers(filter).map(\.writtenBytes), [nil])
        },
        ContractCase("Images are listed by their age, their labels and their lack of a name") { scene in
            let engine = scene.engine
            let id = try await scene.create("true")
            var request = ContainerCommitRequest(name: "contract-filter:1")
            request.changes = ["LABEL contract-filter=yes", "HEALTHCHECK --interval=5s CMD true", "ONBUILD RUN make"]
            let image = try await engine.commitContainer(id, request)
            try await removing("contract-filter:1", engine) {
                let details = try await engine.inspectImage(image)
                try expectEqual(details.triggers, ["RUN make"])
                try expectEqual(details.healthCheck?.interval, .seconds(5))
                try expectEqual(details.healthCheck?.test, ["CMD-SHELL", "true"])
                func ids(_ change: (inout ImageFilter) -> Void) async throws -> [String] {
                    var filter = ImageFilter()
                    change(&filter)
                    return try await engine.images(filter).map(\.id)
                }
                try expectEqual(try await ids { $0.labels = ["contract-filter=yes"] }, [image])
                try expect(try await !ids { $0.before = "contract-filter:1" }.contains(image), "it is before itself")
                try expect(try await ids { $0.since = scene.image }.contains(image), "it is not since its base")
                try expect(try await !ids { $0.until = details.summary.createdAt }.contains(image), "it is too old")
                try expect(
                    try await !ids { $0.withoutLabels = ["contract-filter"] }.contains(image), "the label is there")
                try expect(try await !ids { $0.dangling = true }.contains(image), "it has a name")
            }
        },
    ]

    private static func one<Value>(_ values: [Value]) throws -> Value {
        guard let value = values.first, values.count == 1 else {
            throw ContractFailure(description: "\(values.count) where one is expected")
        }
        return value
    }
}
