import EngineAPI
import Glibc
import ImageFixtures
import Images
import Linux
import OCI
import Testing

@Suite struct KilledLoadTests {
    @Test(
        "A process killed at any moment of loading or removing leaves a store that is whole", .serialized,
        arguments: 0..<12)
    func killed(round: Int) async throws {
        let root = try TemporaryRoot(onTmpfs: round % 2 == 0)
        var lower = TarBytes()
        for number in 0..<60 { lower.file("lower/\(number)", String(repeating: "x", count: 3000)) }
        var upper = TarBytes()
        for number in 0..<60 { upper.file("upper/\(number)", "y") }
        upper.file("lower/.wh.7")
        var builder = ArchiveBuilder()
        builder.layer(lower.finished)
        builder.layer(upper.finished)
        let archive = try root.write("a.tar", builder.docker(tags: ["app:1"]))
        let (output, input) = try Descriptor.pipe()
        defer { output.close() }
        var spawn = Spawn(
            program: try Self.probe(), arguments: ["probe", root.path + "/data", root.path + "/index", archive])
        spawn.descriptors = [nil, input, .standardError]
        let pid = try spawn.start()
        input.close()
        // Killed a little later in each round: the moments differ, and so do those of one round on each machine.
        let clock = ContinuousClock()
        try await clock.sleep(until: clock.now + .milliseconds(20 + 17 * round))
        kill(pid, SIGKILL)
        var status: Int32 = 0
        try kernelCall("wait") { waitpid(pid, &status, 0) }
        #expect(status & 0x7f == SIGKILL, "the probe ended by itself: \(status)")

        let store = try await ImageStore(
            dataRoot: root.path + "/data", index: try FileImageIndex(path: root.path + "/index"))
        #expect(store.damaged == [])
        let images = try await store.list(ImageFilter())
        if images.isEmpty { #expect(try Leftovers.of(root.path + "/data") == []) }
        let image = try await store.load(from: .path(archive), progress: { _ in })[0]
        #expect(image.id == builder.id)
        for (chainID, count) in zip(image.chainIDs, [60, 61]) {
            let files = "\(root.path)/data/snapshots/\(chainID.hex)/fs"
            let (_, text) = try Command.run(["sh", "-c", "find \(files) ! -type d | wc -l"])
            #expect(text == "\(count)\n")
        }
        _ = try await store.remove("app:1", force: false, uses: [])
        #expect(try Leftovers.of(root.path + "/data") == [])
        let mounts = try FileContents.read("/proc/self/mountinfo")
        #expect(!String(decoding: mounts, as: UTF8.self).contains(root.path))
    }

    /// Beside the tests, where the build puts both.
    private static func probe() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, 4095)
        let own = String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        for place in [own] + CommandLine.arguments.filter({ $0.contains(".xctest") }) {
            let candidate = PathName.split(place).parent + "/image-load-probe"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw KernelError("find `image-load-probe` beside", own, .noSuchFile)
    }
}
