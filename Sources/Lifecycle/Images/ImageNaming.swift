import EngineAPI
import OCI

extension ImageStore {
    package func tag(
        _ reference: String, as name: String
    ) async throws(EngineError) -> (record: ImageRecord, name: String) {
        let record = try resolve(reference)
        let wanted = try Self.newName(name) { "Error parsing reference: \"\(name)\": \($0)" }
        return (try await self.name(record.id, [wanted.description]), wanted.familiar)
    }

    /// The name for a new image, if it is to have one.
    static func newNames(_ text: String?) throws(EngineError) -> [String] {
        guard let text else { return [] }
        return [try newName(text).description]
    }

    /// A name that an image may be given.
    ///
    /// - Parameter refusal: what is said of a text that is none, with the reason.
    static func newName(
        _ text: String, refusal: (String) -> String = { $0 }
    ) throws(EngineError) -> Reference {
        let name: Reference
        do throws(ReferenceError) { name = try Reference(text).withDefaultTag } catch {
            throw EngineError(.invalid, refusal(error.description), object: text)
        }
        guard name.digest == nil else {
            throw EngineError(.invalid, "refusing to create a tag with a digest reference", object: text)
        }
        guard name.familiarName != "sha256" else {
            throw EngineError(
                .invalid, "refusing to create an ambiguous tag using digest algorithm as name", object: text)
        }
        return name
    }

    package func prune(
        all: Bool, filter: ImageFilter, uses: [ImageUse]
    ) async throws(EngineError) -> ImagePruneResult {
        let used = Set((uses + newUses(besides: uses)).map(\.imageID))
        var result = ImagePruneResult()
        let matching = try ImageMatching(filter: filter, records: records)
        let candidates = records.values.filter { record in
            !used.contains(record.id.description) && (all || record.isDangling) && matching.matches(record)
        }
        for candidate in candidates.sorted(by: { $0.storedAt > $1.storedAt }) {
            // Gone or named meanwhile: then it is not what was asked for.
            guard let record = records[candidate.id], record.names == candidate.names else { continue }
            // What another was made from that stays, stays with it, but without its names.
            if hasChildren(record.id) {
                result.removals += try await removeNames(of: record, uses)
                continue
            }
            let removals = try await removeUnused(record.id.description, uses)
            result.removals += removals
            let gone = Set(removals)
            for layer in record.layers where gone.contains(.deleted(layer.chainID.description)) {
                result.reclaimedBytes += layer.sizeBytes
            }
        }
        return result
    }

    /// Nothing where a container of it was made meanwhile, or it went.
    private func removeUnused(_ reference: String, _ uses: [ImageUse]) async throws(EngineError) -> [ImageRemoval] {
        do throws(EngineError) {
            return try await remove(reference, force: true, prune: true, uses: uses, sparingUsed: true)
        } catch  where error.kind == .conflict || error.kind == .notFound {
            return []
        }
    }

    private func removeNames(
        of record: ImageRecord, _ uses: [ImageUse]
    ) async throws(EngineError) -> [ImageRemoval] {
        var removals: [ImageRemoval] = []
        // A digest's name goes with the last tag of its repository.
        for name in record.names where records[record.id]?.names.contains(name) == true {
            removals += try await removeUnused(name, uses)
        }
        return removals
    }
}

extension ImageRecord {
    /// Docker's `history`: newest first, the sizes taken from the layers in their order.
    package var historySteps: [ImageHistoryStep] {
        var sizes = layers.map(\.sizeBytes)[...]
        var steps: [ImageHistoryStep] = []
        for step in config.history {
            let size = step.isEmptyLayer ? 0 : sizes.popFirst() ?? 0
            steps.append(
                ImageHistoryStep(
                    createdAt: step.created, createdBy: step.createdBy, comment: step.comment, sizeBytes: size))
        }
        // Layers that no step tells of: images are made without a history, too.
        for size in sizes { steps.append(ImageHistoryStep(createdAt: config.created, createdBy: "", sizeBytes: size)) }
        steps.reverse()
        if steps.isEmpty { steps = [ImageHistoryStep(createdAt: config.created, createdBy: "", sizeBytes: 0)] }
        steps[0].id = id.description
        steps[0].tags = summary.tags
        return steps
    }
}
