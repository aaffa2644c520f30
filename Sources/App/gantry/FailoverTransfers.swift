import EngineAPI

/// A pull and a push come to the same end however often they are begun: they are begun anew at the next host. The other
/// transfers are actions, made once.
extension FailoverEngine {
    func pullImage(_ request: ImagePullRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress> {
        try await resuming { _ throws(EngineError) in
            try await ask { engine throws(EngineError) in try await engine.pullImage(request) }
        }
    }

    func pushImage(_ request: ImagePushRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress> {
        try await resuming { _ throws(EngineError) in
            try await ask { engine throws(EngineError) in try await engine.pushImage(request) }
        }
    }

    func checkCredentials(
        _ credentials: ImageCredentials, at registry: String
    ) async throws(EngineError) -> String? {
        try await act { engine throws(EngineError) in try await engine.checkCredentials(credentials, at: registry) }
    }

    func imageDistribution(
        _ reference: String, credentials: ImageCredentials?
    ) async throws(EngineError) -> ImageDistribution {
        try await ask { engine throws(EngineError) in
            try await engine.imageDistribution(reference, credentials: credentials)
        }
    }

    func searchImages(_ request: ImageSearchRequest) async throws(EngineError) -> [ImageSearchResult] {
        try await ask { engine throws(EngineError) in try await engine.searchImages(request) }
    }

    func tagImage(_ reference: String, as name: String) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.tagImage(reference, as: name) }
    }

    func imageHistory(_ reference: String) async throws(EngineError) -> [ImageHistoryStep] {
        try await ask { engine throws(EngineError) in try await engine.imageHistory(reference) }
    }

    func saveImages(_ references: [String]) async throws(EngineError) -> EngineStream<[UInt8]> {
        try await act { engine throws(EngineError) in try await engine.saveImages(references) }
    }

    func importImage(_ request: ImageImportRequest) async throws(EngineError) -> String {
        try await act { engine throws(EngineError) in try await engine.importImage(request) }
    }

    func commitContainer(
        _ reference: String, _ request: ContainerCommitRequest
    ) async throws(EngineError) -> String {
        try await act { engine throws(EngineError) in try await engine.commitContainer(reference, request) }
    }

    func pruneImages(all: Bool, filter: ImageFilter) async throws(EngineError) -> ImagePruneResult {
        try await act { engine throws(EngineError) in try await engine.pruneImages(all: all, filter: filter) }
    }
}
