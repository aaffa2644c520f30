import EngineAPI
import Images
import Lifecycle
import OCI
import Registry

/// Images between this engine, registries and archives.
extension GantryEngine {
    public func pullImage(_ request: ImagePullRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress>
    {
        let core = core
        let reference = try Self.reference(request.reference)
        let platform = try request.platform.map { (text) throws(EngineError) in try Platform(specifier: text) }
        let session = try await core.registries.session(reference, for: .pull, request.credentials)
        guard !request.allTags else { return try await pullTags(of: session, platform) }
        let transfer = TransferSession<ImageTransferProgress> { progress throws(EngineError) in
            try await core.pull(session, platform, progress)
        }
        return EngineStream { try await transfer.next() }
    }

    private func pullTags(
        of session: RegistrySession, _ platform: Platform?
    ) async throws(EngineError) -> EngineStream<ImageTransferProgress> {
        let core = core
        let tags: [String]
        do throws(RegistryError) { tags = try await session.tags() } catch {
            throw EngineError(error, object: session.reference.familiarName)
        }
        let transfer = TransferSession<ImageTransferProgress> { progress throws(EngineError) in
            for tag in tags {
                var reference = session.reference
                reference.tag = tag
                try await core.pull(session.other(reference), platform, progress)
            }
        }
        return EngineStream { try await transfer.next() }
    }

    public func pushImage(_ request: ImagePushRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress>
    {
        let core = core
        let reference = try Self.reference(request.reference)
        guard reference.digest == nil else {
            throw EngineError(.invalid, "cannot push a digest reference", object: request.reference)
        }
        let session = try await core.registries.session(reference, for: .push, request.credentials)
        let transfer = TransferSession<ImageTransferProgress> { progress throws(EngineError) in
            // As docker, before anything is looked for: whose push it was is told also of one that fails.
            progress(.pushing(repository: reference.name, tag: request.allTags ? "" : reference.tag ?? ""))
            let references = if request.allTags { try await core.tags(of: reference) } else { [reference] }
            for reference in references {
                _ = try await core.context.images.push(session.other(reference), progress: progress)
                await core.tell([core.imageEvent("push", reference.familiar, name: reference.familiarName)])
            }
        }
        return EngineStream { try await transfer.next() }
    }

    public func checkCredentials(
        _ credentials: ImageCredentials, at registry: String
    ) async throws(EngineError) -> String? {
        let client = try await core.registries.client()
        do throws(RegistryError) { return try await client.login(registry, RegistryCredentials(credentials)) } catch {
            throw EngineError(error, object: registry)
        }
    }

    public func imageDistribution(
        _ reference: String, credentials: ImageCredentials?
    ) async throws(EngineError) -> ImageDistribution {
        let name = try Self.reference(reference)
        let session = try await core.registries.session(name, for: .pull, credentials)
        do throws(RegistryError) { return try await ImageDistribution(session) } catch {
            throw EngineError(error, object: reference)
        }
    }

    public func searchImages(_ request: ImageSearchRequest) async throws(EngineError) -> [ImageSearchResult] {
        let client = try await core.registries.client()
        let found: [FoundRepository]
        do throws(RegistryError) {
            found = try await client.search(
                RepositorySearch(request.term), limit: request.limit,
                request.credentials.map { RegistryCredentials($0) })
        } catch { throw EngineError(error, object: request.term) }
        return found.map {
            ImageSearchResult(
                name: $0.name, text: $0.text, stars: $0.stars, isOfficial: $0.isOfficial, isAutomated: $0.isAutomated)
        }.filter(request.accepts)
    }

    public func tagImage(_ reference: String, as name: String) async throws(EngineError) {
        try await whole { (core) throws(EngineError) in
            let (record, name) = try await core.context.images.tag(reference, as: name)
            await core.tell([core.imageEvent("tag", record, name: name)])
        }
    }

    public func imageHistory(_ reference: String) async throws(EngineError) -> [ImageHistoryStep] {
        var image = try await core.context.images.resolve(reference)
        var steps = image.historySteps
        // As docker: of an image that was made here, the steps before its own are those of the images before it.
        for place in steps.indices.dropFirst() {
            guard let parent = image.parent else { break }
            do throws(EngineError) { image = try await core.context.images.resolve(parent.description) } catch { break }
            (steps[place].id, steps[place].tags) = (image.id.description, image.summary.tags)
        }
        return steps
    }

    public func saveImages(_ references: [String]) async throws(EngineError) -> EngineStream<[UInt8]> {
        let saved = try await core.context.images.save(references)
        for (_, record) in saved.images {
            await core.tell([core.imageEvent("save", record, name: record.id.description)])
        }
        return saved.bytes
    }

    public func importImage(_ request: ImageImportRequest) async throws(EngineError) -> String {
        var request = request
        if let address = request.address { request.archive = try await archive(at: address) }
        let record = try await core.context.images.importImage(request)
        let id = record.id.description
        let named = record.familiarNames.first.map { [core.imageEvent("tag", record, name: $0)] } ?? []
        await core.tell(named + [core.imageEvent("import", record, name: id)])
        return id
    }

    private func archive(at address: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        let client = try await core.registries.client()
        let response: WebResponse
        do throws(RegistryError) { response = try await client.fetch(address) } catch {
            throw EngineError(error, object: address)
        }
        return EngineStream {
            do throws(WebFailure) { return try await response.next() } catch {
                throw EngineError(.unavailable, "import: \(address): \(error)", object: address)
            }
        }
    }

    public func commitContainer(
        _ reference: String, _ request: ContainerCommitRequest
    ) async throws(EngineError) -> String {
        try await whole { (core) throws(EngineError) in
            let container = try core.context.index.find(reference)
            let record = try await container.commit(reference, request) { record in
                guard let name = request.name else { return }
                await core.tell([core.imageEvent("tag", record, name: ImageRecord.familiar(name))])
            }
            return record.id.description
        }
    }

    public func pruneImages(all: Bool, filter: ImageFilter) async throws(EngineError) -> ImagePruneResult {
        try await whole { (core) throws(EngineError) in
            let uses = await core.containers.imageUses()
            let before = try await ImagesBefore(core)
            let result = try await core.context.images.prune(all: all, filter: filter, uses: uses)
            await core.tell(before.events(of: result.removals))
            await core.tellOfPrune(.image, result.reclaimedBytes)
            return result
        }
    }

    private static func reference(_ text: String) throws(EngineError) -> Reference {
        do throws(ReferenceError) { return try Reference(text).withDefaultTag } catch {
            throw EngineError(.invalid, error.description, object: text)
        }
    }
}

extension EngineCore {
    /// The tags of a repository that are here, in their order.
    fileprivate func tags(of repository: Reference) async throws(EngineError) -> [Reference] {
        let names = try await context.images.list(ImageFilter()).flatMap(\.tags).sorted()
        // What stands in a record is a reference.
        let found = names.compactMap { try? Reference($0) }.filter { $0.name == repository.name }
        guard !found.isEmpty else {
            throw EngineError(
                .notFound, "An image does not exist locally with the tag: \(repository.familiarName)",
                object: repository.familiarName)
        }
        return found
    }

    fileprivate func pull(
        _ session: RegistrySession, _ platform: Platform?,
        _ progress: @escaping @Sendable (ImageTransferProgress) -> Void
    ) async throws(EngineError) {
        let reference = session.reference
        progress(.pulling(repository: reference.path, tag: reference.digest?.description ?? reference.tag ?? ""))
        let image = try await context.images.pull(session, platform: platform, progress: progress)
        var event = imageEvent("pull", image.record, name: reference.familiarName)
        event.actorID = reference.familiar
        await tell([event])
    }
}
