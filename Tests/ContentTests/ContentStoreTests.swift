import Content
import Glibc
import ImageFixtures
import Linux
import OCI
import Testing

@Suite struct ContentStoreTests {
    private let root: TemporaryRoot
    private let store: ContentStore

    init() throws {
        root = try TemporaryRoot()
        store = try ContentStore(path: root.path)
    }

    private var ingests: [String] { get throws { try Directory.list("\(root.path)/ingest") } }

    @Test("Hashes are those of the specifications' examples")
    func hashes() {
        #expect(
            Digest.sha256(of: []).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Digest.sha256(of: Array("abc".utf8)).hex
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("A chain ID hashes the one below and the layer's own")
    func chainIDs() {
        let layers = ["a", "b", "c"].map { Digest.sha256(of: Array($0.utf8)) }
        let chain = Digest.chainIDs(layers)
        #expect(chain[0] == layers[0])
        #expect(chain[2] == Digest.sha256(of: Array("\(chain[1]) \(layers[2])".utf8)))
        #expect(Digest.chainIDs([]) == [])
    }

    @Test("A blob is there whole under its digest, once")
    func storing() throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let lease = store.lease()
        for _ in 0..<2 {
            let writer = try store.beginIngest()
            for start in stride(from: 0, to: bytes.count, by: 65_536) {
                try writer.write(Array(bytes[start..<min(start + 65_536, bytes.count)]))
            }
            #expect(try writer.commit(expected: .sha256(of: bytes), lease: lease) == .sha256(of: bytes))
        }
        #expect(try store.read(.sha256(of: bytes)) == bytes)
        #expect(try store.sizeBytes(.sha256(of: bytes)) == 3_000_000)
        #expect(try store.digests() == [.sha256(of: bytes)])
        #expect(try ingests == [])
    }

    @Test("SHA-512 blobs are kept beside")
    func sha512() throws {
        let writer = try store.beginIngest(.sha512)
        try writer.write([1, 2, 3])
        let digest = try writer.commit(lease: store.lease())
        #expect(digest.algorithm == .sha512)
        #expect(try store.read(digest) == [1, 2, 3])
    }

    @Test("Bytes that are not the expected ones are refused and not kept")
    func mismatch() throws {
        let wanted = Digest.sha256(of: [1])
        var writer: BlobWriter? = try store.beginIngest()
        try writer?.write([2])
        #expect(throws: ContentError.wrongDigest(expected: wanted, found: .sha256(of: [2]))) {
            try writer?.commit(expected: wanted, lease: store.lease())
        }
        writer = try store.beginIngest()
        try writer?.write([1])
        #expect(throws: ContentError.wrongSize(wanted, expectedBytes: 2, foundBytes: 1)) {
            try writer?.commit(expected: wanted, expectedSizeBytes: 2, lease: store.lease())
        }
        writer = nil
        #expect(try store.digests() == [])
        #expect(try ingests == [])
    }

    @Test("A writer that is dropped leaves nothing")
    func dropping() throws {
        var writer: BlobWriter? = try store.beginIngest()
        try writer?.write([1, 2, 3])
        #expect(try ingests.count == 1)
        writer = nil
        #expect(try ingests == [])
    }

    @Test("What a lease pins stays, and goes when the lease has ended")
    func leases() throws {
        let lease = store.lease()
        let digest = try store.add([1, 2], lease: lease)
        #expect(try store.delete(digest) == false)
        #expect(store.contains(digest))
        lease.release()
        #expect(try store.delete(digest))
        #expect(try store.delete(digest))
        #expect(throws: ContentError.notFound(digest)) { try store.read(digest) }
    }

    @Test("Eight writers of one blob at once all succeed")
    func concurrency() async throws {
        let bytes = [UInt8](repeating: 9, count: 300_000)
        let store = store
        try await withThrowingTaskGroup(of: Digest.self) { group in
            for _ in 0..<8 { group.addTask { try store.add(bytes, lease: store.lease()) } }
            for try await digest in group { #expect(digest == .sha256(of: bytes)) }
        }
        #expect(try ingests == [])
    }

    @Test("A blob that rotted is found out when it is read")
    func rot() throws {
        let digest = try store.add([1, 2, 3], lease: store.lease())
        let file = try Descriptor.open(store.blobPath(digest), O_WRONLY | O_TRUNC)
        try file.writeAll([1, 2, 4])
        file.close()
        #expect(throws: ContentError.wrongDigest(expected: digest, found: .sha256(of: [1, 2, 4]))) {
            try store.read(digest)
        }
    }

    @Test("What a killed process left is taken away")
    func stale() throws {
        _ = try root.write("ingest/99-1", [1])
        try store.removeStaleIngests()
        #expect(try ingests == [])
    }

    @Test("A writer that starts anew has forgotten what it was given, also what was refused")
    func anew() throws {
        let writer = try store.beginIngest()
        try writer.write([1, 2, 3, 4])
        try writer.startAnew()
        try writer.write([5])
        let lease = store.lease()
        #expect(throws: ContentError.wrongDigest(expected: .sha256(of: [6]), found: .sha256(of: [5]))) {
            try writer.commit(expected: .sha256(of: [6]), lease: lease)
        }
        try writer.startAnew()
        try writer.write([6])
        #expect(writer.sizeBytes == 1)
        #expect(try writer.commit(expected: .sha256(of: [6]), expectedSizeBytes: 1, lease: lease) == .sha256(of: [6]))
        #expect(try store.read(.sha256(of: [6])) == [6])
        #expect(try ingests == [])
    }

    @Test("A staged blob is no blob before it is published, and nothing where it never is")
    func staging() throws {
        func staged(_ bytes: [UInt8]) throws -> StagedBlob {
            let writer = try store.beginIngest()
            try writer.write(bytes)
            return try writer.stage()
        }
        let lease = store.lease()
        let kept = try staged([1])
        let (dropped, same) = (try staged([2]), try staged([1]))
        #expect(try store.digests() == [])
        for _ in 0..<2 { try kept.publish(lease: lease) }
        try same.publish(lease: lease)
        dropped.discard()
        do { _ = try staged([3]) }
        #expect(try store.digests() == [.sha256(of: [1])])
        #expect(try store.read(.sha256(of: [1])) == [1])
        #expect(lease.digests == [.sha256(of: [1])])
        #expect(try ingests == [])
    }

    @Test("Whoever has pinned a blob by a lease that others use finds it pinned")
    func sharedLease() async {
        let lease = store.lease()
        let unpinned = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask { [store] in
                    (0..<20_000).count { number in
                        let digest = Digest(.sha256, hex: String(repeating: "0", count: 58) + "\(100_000 + number)")
                        guard let digest else { return true }
                        lease.pin(digest)
                        return !store.isPinned(digest)
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(unpinned == 0)
    }
}
