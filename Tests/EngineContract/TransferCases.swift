import EngineAPI

extension ContractCase {
    static let transferCases = [
        ContractCase("An image that is saved and loaded again is the same, with all its names") { scene in
            let engine = scene.engine
            let id = try await scene.create("echo saved > /file")
            try await engine.start(id)
            _ = try await engine.wait(id, for: .notRunning)
            let image = try await engine.commitContainer(id, ContainerCommitRequest(name: "contract-save:1"))
            try await engine.tagImage(image, as: "contract-save-more:2")
            let archive = try await whole(
                try await engine.saveImages(["contract-save:1", "contract-save-more:2"]))
            _ = try await engine.removeImage(image, force: true, prune: true)
            try await expectRefusal(.notFound, "No such image: contract-save:1") {
                _ = try await engine.inspectImage("contract-save:1")
            }
            var loaded: [String] = []
            for try await step in try await engine.loadImages(.bytes(stream(of: archive))) {
                if case .loaded(let name, _) = step { loaded.append(name ?? "") }
            }
            try await removing(image, engine) {
                try expectEqual(loaded.sorted(), ["contract-save-more:2", "contract-save:1"])
                let details = try await engine.inspectImage("contract-save-more:2")
                try expectEqual(details.summary.id, image)
                try expectEqual(try await engine.imageHistory(image).count, details.layers.count)
                let output = try await scene.run("cat /file") { $0.image = "contract-save:1" }
                try expectEqual(output.stdout, "saved\n")
            }
        },
        ContractCase("What is exported of a container can be imported, and runs as it was told") { scene in
            let engine = scene.engine
            let id = try await scene.create("echo imported > /file")
            try await engine.start(id)
            _ = try await engine.wait(id, for: .notRunning)
            let archive = try await whole(try await engine.export(id))
            let request = ImageImportRequest(
                stream(of: archive), name: "contract-import:1", message: "a word",
                changes: ["CMD [\"cat\", \"/file\"]", "ENV PATH=/bin:/usr/bin"])
            let image = try await engine.importImage(request)
            try await removing(image, engine) {
                let details = try await engine.inspectImage("contract-import:1")
                try expectEqual([details.comment, String(details.layers.count)], ["a word", "1"])
                let output = try await scene.run("") { spec in
                    (spec.image, spec.command) = ("contract-import:1", nil)
                }
                try expectEqual(output.stdout, "imported\n")
            }
        },
        ContractCase("An archive that is none, or is cut off, is refused, and nothing of it is kept") { scene in
            let engine = scene.engine
            let before = try await engine.images(ImageFilter()).map(\.id)
            let archive = try await whole(try await engine.saveImages([scene.image]))
            for bad in [Array("no archive at all".utf8), Array(archive.prefix(archive.count / 2)), []] {
                try await expectRefusal(.invalid) {
                    for try await _ in try await engine.loadImages(.bytes(stream(of: bad))) {}
                }
            }
            try await expectRefusal(.invalid) {
                _ = try await engine.importImage(ImageImportRequest(stream(of: Array("no archive".utf8))))
            }
            try expectEqual(try await engine.images(ImageFilter()).map(\.id), before)
        },
        ContractCase("A name is one image's: given to another it leaves the first") { scene in
            let engine = scene.engine
            let id = try await scene.create("true")
            let first = try await engine.commitContainer(id, ContainerCommitRequest(name: "contract-name:1"))
            var request = ContainerCommitRequest(name: "contract-name:1")
            request.message = "another"
            let second = try await engine.commitContainer(id, request)
            try await removing(first, engine) {
                try await removing(second, engine) {
                    try expectEqual(try await engine.inspectImage("contract-name:1").summary.id, second)
                    try expectEqual(try await engine.inspectImage(first).summary.tags, [])
                    try await engine.tagImage(first, as: "contract-name:1")
                    try expectEqual(try await engine.inspectImage("contract-name:1").summary.id, first)
                }
            }
            try await expectRefusal(.notFound) { try await engine.tagImage("contract-none", as: "x:1") }
            try await expectRefusal(.invalid) { try await engine.tagImage(scene.image, as: "Not/A Name") }
        },
    ]

    private static func whole(_ stream: EngineStream<[UInt8]>) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in stream { bytes += piece }
        return bytes
    }

    /// In pieces that end anywhere.
    private static func stream(of bytes: [UInt8]) -> EngineStream<[UInt8]> {
        let source = PieceSource(bytes)
        return EngineStream { await source.next() }
    }
}

private actor PieceSource {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    func next() -> [UInt8]? {
        if rest.isEmpty { return nil }
        let piece = rest.prefix(100_003)
        rest = rest.dropFirst(piece.count)
        return Array(piece)
    }
}
