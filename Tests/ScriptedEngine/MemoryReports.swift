import EngineAPI

extension MemoryEngine {
    package func logs(_ reference: String, _ request: LogRequest) async throws(EngineError) -> EngineStream<LogBatch> {
        let process = try find(reference).process
        let chunks = await process.output
        let entries = chunks.enumerated().map { index, chunk in
            let time = Timestamp(nanosecondsSinceEpoch: 1_700_000_000_000_000_000 + Int64(index))
            return switch chunk {
            case .stdout(let bytes): LogEntry(time: time, source: .stdout, bytes: bytes)
            case .stderr(let bytes): LogEntry(time: time, source: .stderr, bytes: bytes)
            case .lost: LogEntry(time: time, source: .stderr, bytes: [])
            }
        }
        let wanted = request.tail.map { Array(entries.suffix($0)) } ?? entries
        let (stream, continuation) = AsyncStream<LogBatch>.makeStream()
        continuation.yield(LogBatch(wanted))
        if !request.follow { continuation.finish() }
        return EngineStream(stream)
    }

    package func stats(
        _ references: [String], every interval: Duration?
    ) async throws(EngineError) -> EngineStream<[ContainerStats]> {
        var containers: [Container] = []
        for reference in references { containers.append(try find(reference)) }
        let (stream, continuation) = AsyncStream<[ContainerStats]>.makeStream()
        for tick in 0..<(interval == nil ? 1 : 3) {
            continuation.yield(containers.filter { $0.state.isAlive }.map { Self.sample($0, tick: UInt64(tick)) })
        }
        continuation.finish()
        return EngineStream(stream)
    }

    /// Half a core of four, 30 of 100 MiB with 10 MiB of cache.
    private static func sample(_ container: Container, tick: UInt64) -> ContainerStats {
        let second: UInt64 = 1_000_000_000
        var stats = ContainerStats(
            id: container.id, name: container.name,
            time: Timestamp(nanosecondsSinceEpoch: 1_700_000_000_000_000_000 + Int64(tick * second)))
        stats.cpuNanoseconds = tick * second / 2
        stats.cpuUserNanoseconds = tick * second / 4
        stats.cpuSystemNanoseconds = tick * second / 4
        stats.hostCPUNanoseconds = tick * second * 4
        stats.onlineCPUs = 4
        stats.memoryTotalBytes = 40 << 20
        stats.memoryInactiveFileBytes = 10 << 20
        stats.memoryCounters = ["inactive_file": 10 << 20, "anon": 30 << 20]
        stats.memoryLimitBytes = 100 << 20
        stats.pids = 3
        stats.pidsLimit = 64
        stats.blockReadBytes = 1000
        stats.blockWriteBytes = 2000
        stats.outOfMemoryKills = 1
        var network = NetworkStats()
        network.receivedBytes = 5
        network.sentBytes = 6
        stats.networks = ["eth0": network]
        return stats
    }

    package func top(_ reference: String, psArguments: [String]) async throws(EngineError) -> ProcessTable {
        let container = try find(reference)
        guard container.state.isAlive else {
            throw EngineError(.conflict, "container \(container.id) is not running", object: reference)
        }
        return ProcessTable(titles: ["PID", "ARGS"], rows: [["4242", psArguments.joined(separator: " ")]])
    }

    package func processes(_ reference: String) async throws(EngineError) -> [ProcessNode] {
        let container = try find(reference)
        return [
            ProcessNode(
                role: .shim, pid: 4241, parentPID: 7, containerPID: nil, state: "S", residentBytes: 1 << 20,
                startedAt: container.createdAt, command: "gantry-shim", threadCount: 1, cpuNanoseconds: 12),
            ProcessNode(
                role: .initial, pid: 4242, parentPID: 4241, containerPID: 1, state: "R", residentBytes: 2 << 20,
                startedAt: container.createdAt, command: "sleep", threadCount: 2, cpuNanoseconds: 34),
        ]
    }

    package func images(_ filter: ImageFilter) async throws(EngineError) -> [ImageSummary] {
        [summary].filter { image in
            filter.references.isEmpty || filter.references.contains { image.tags.contains($0) }
        }
    }

    package func diskUsage(of parts: Set<DiskUsagePart>) async throws(EngineError) -> DiskUsage {
        var usage = DiskUsage()
        usage.layersBytes = summary.sizeBytes
        if parts.contains(.image) { usage.images = [summary] }
        return usage
    }

    private var summary: ImageSummary {
        ImageSummary(
            id: Self.imageID, tags: [Self.image], digests: ["gantry/scripted@\(Self.imageID)"],
            createdAt: Timestamp(nanosecondsSinceEpoch: 1_700_000_000_000_000_000), sizeBytes: 123,
            labels: ["a": "b"], containerCount: 2)
    }

    package func inspectImage(_ reference: String) async throws(EngineError) -> ImageDetails {
        guard [Self.image, "gantry/scripted", Self.imageID].contains(reference) else { throw .noSuchImage(reference) }
        var details = ImageDetails(summary: summary, architecture: "amd64", os: "linux")
        details.command = ["sh"]
        details.environment = ["PATH=/bin"]
        details.layers = [Self.imageID]
        details.exposedPorts = ["80/tcp"]
        return details
    }

    package func loadImages(
        _ source: ImageLoadSource
    ) async throws(EngineError) -> EngineStream<ImageLoadProgress> {
        guard case .bytes(let bytes) = source else {
            throw EngineError(.unsupported, "only bytes are loaded here")
        }
        var total = 0
        var isBad = false
        do {
            for try await piece in bytes {
                if total == 0 { isBad = piece.starts(with: Array("bad".utf8)) }
                total += piece.count
            }
        } catch {
            throw EngineError(.invalid, "the archive was cut: \(error)")
        }
        loadedBytes = total
        let (stream, continuation) = AsyncThrowingStream<ImageLoadProgress, any Error>.makeStream()
        continuation.yield(.layer(digest: Self.imageID, doneBytes: Int64(total), totalBytes: nil))
        if isBad {
            continuation.finish(throwing: EngineError(.invalid, "archive/tar: invalid tar header"))
        } else {
            continuation.yield(.loaded(name: Self.image, id: Self.imageID))
            continuation.finish()
        }
        return EngineStream(stream)
    }

    package var bytesLoaded: Int { loadedBytes }

    package func removeImage(
        _ reference: String, force: Bool, prune: Bool
    ) async throws(EngineError) -> [ImageRemoval] {
        guard reference == Self.image else { throw .noSuchImage(reference) }
        recordRemoval(reference)
        return [.untagged(reference), .deleted(Self.imageID)]
    }
}
