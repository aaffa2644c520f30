import EngineAPI
import Faults
import Glibc
import ImageFixtures
import Images
import Linux
import OCI
import PeerRegistry
import Testing

@testable import Registry
@testable import Web

@Suite(.serialized, .disabled(if: RegistryProcess.isMissing, "docker-registry is not installed"))
struct KilledPullTests {
    private static func image() -> ArchiveBuilder {
        var builder = ArchiveBuilder()
        for layer in ["lower", "upper"] {
            var tar = TarBytes()
            for number in 0..<40 { tar.file("\(layer)/\(number)", String(repeating: layer, count: 600)) }
            builder.layer(tar.finished)
        }
        return builder
    }

    /// A registry that has the image `app:1`.
    private func registry(_ root: TemporaryRoot) async throws -> RegistryProcess {
        let registry = try await RegistryProcess()
        let source = try await ImageStore(dataRoot: "\(root.path)/source", index: MemoryImageIndex())
        let name = "\(registry.host)/app:1"
        let archive = try root.write("a.tar", Self.image().docker(tags: [name]))
        _ = try await source.load(from: .path(archive)) { _ in }
        _ = try await source.push(session(name, .push)) { _ in }
        return registry
    }

    private func session(_ name: String, _ purpose: RegistrySession.Purpose) throws -> RegistrySession {
        let client = RegistryClient(transport: SocketTransport())
        return RegistrySession(client, try Reference(name), purpose: purpose, credentials: nil)
    }

    private func startProbe(
        _ root: TemporaryRoot, _ registry: RegistryProcess, fault: String?, archive: String? = nil
    ) throws -> Int32 {
        var spawn = Spawn(
            program: try Self.probe(),
            arguments: ["probe", "\(root.path)/data", "\(root.path)/index", "\(registry.host)/app:1"]
                + (archive.map { [$0] } ?? []))
        spawn.environment = fault.map { ["GANTRY_FAULT=\($0):kill"] } ?? []
        spawn.descriptors = [nil, nil, .standardError]
        return try spawn.start()
    }

    /// The store that a killed probe left is whole, and a pull brings the image.
    private func check(_ root: TemporaryRoot, _ registry: RegistryProcess) async throws {
        let data = "\(root.path)/data"
        let store = try await ImageStore(dataRoot: data, index: try FileImageIndex(path: "\(root.path)/index"))
        #expect(store.damaged == [])
        if try await store.list(ImageFilter()).isEmpty { #expect(try Self.leftovers(data) == []) }
        let pulled = try await store.pull(session("\(registry.host)/app:1", .pull), platform: nil) { _ in }
        #expect(pulled.record.id == Self.image().id)
        for chainID in pulled.record.chainIDs {
            let (_, text) = try Command.run(["sh", "-c", "find \(data)/snapshots/\(chainID.hex)/fs ! -type d | wc -l"])
            #expect(text == "40\n")
        }
        _ = try await store.remove(pulled.record.id.description, force: true, uses: [])
        #expect(try Self.leftovers(data) == [])
    }

    private static func leftovers(_ data: String) throws -> [String] {
        try ["content/ingest", "content/blobs/sha256", "snapshots/l"].flatMap { try Directory.list("\(data)/\($0)") }
    }

    /// From the first answer of the registry to the last step of the removal that the probe makes next.
    private static let points: [FaultPoint] = [
        .pullAfterManifest, .pullAfterConfig, .pullAfterLayer, .loadAfterBlobs, .loadAfterLayer, .loadAfterRow,
        .removeImageAfterRow, .removeImageAfterLayers, .removeImageAfterBlobs,
    ]

    @Test("A process killed at a named step of a pull leaves a store that is whole", arguments: points)
    func namedSteps(point: FaultPoint) async throws {
        let root = try TemporaryRoot(onTmpfs: true)
        let registry = try await registry(root)
        let pid = try startProbe(root, registry, fault: point.rawValue)
        var status: Int32 = 0
        try kernelCall("wait") { waitpid(pid, &status, 0) }
        #expect(status & 0x7f == SIGKILL, "the probe ended by itself: \(status)")
        try await check(root, registry)
    }

    @Test(
        "A process killed at a named step of a push leaves the image as it was, or packed",
        arguments: [FaultPoint.pushAfterPacking, .pushAfterRow])
    func push(point: FaultPoint) async throws {
        let root = try TemporaryRoot(onTmpfs: true)
        let registry = try await RegistryProcess()
        let name = "\(registry.host)/app:1"
        let archive = try root.write("a.tar", Self.image().docker(tags: [name]))
        let pid = try startProbe(root, registry, fault: point.rawValue, archive: archive)
        var status: Int32 = 0
        try kernelCall("wait") { waitpid(pid, &status, 0) }
        #expect(status & 0x7f == SIGKILL, "the probe ended by itself: \(status)")
        let store = try await ImageStore(
            dataRoot: "\(root.path)/data", index: try FileImageIndex(path: "\(root.path)/index"))
        #expect(store.damaged == [])
        let record = try await store.resolve(name)
        let isPacked = record.layers.allSatisfy { $0.blob != $0.diffID }
        #expect(isPacked == (point == .pushAfterRow))
        #expect(try Directory.list("\(root.path)/data/content/blobs/sha256").count == 4)
        _ = try await store.push(session(name, .push)) { _ in }
        try await check(root, registry)
    }

    @Test("A process killed at any moment of pulling or removing leaves a store that is whole", arguments: 0..<6)
    func anyMoment(round: Int) async throws {
        let root = try TemporaryRoot(onTmpfs: round % 2 == 0)
        let registry = try await registry(root)
        let pid = try startProbe(root, registry, fault: nil)
        // Killed a little later in each round: the moments differ, and so do those of one round on each machine.
        let clock = ContinuousClock()
        try await clock.sleep(until: clock.now + .milliseconds(40 + 31 * round))
        kill(pid, SIGKILL)
        var status: Int32 = 0
        try kernelCall("wait") { waitpid(pid, &status, 0) }
        #expect(status & 0x7f == SIGKILL, "the probe ended by itself: \(status)")
        try await check(root, registry)
    }

    /// Beside the tests, where the build puts both.
    private static func probe() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, 4095)
        let own = String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        for place in [own] + CommandLine.arguments.filter({ $0.contains(".xctest") }) {
            let candidate = PathName.split(place).parent + "/image-pull-probe"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw KernelError("find `image-pull-probe` beside", own, .noSuchFile)
    }
}
