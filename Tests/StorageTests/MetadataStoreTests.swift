import Glibc
import Linux
import Testing

@testable import Storage

/// A file of its own for each test, gone afterwards.
struct TemporaryDatabase: ~Copyable {
    let directory: String
    var path: String { directory + "/gantry.db" }

    init() throws {
        var template = Array("/tmp/gantry-storage-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw StorageError(.other, "mkdtemp") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["gantry.db", "gantry.db-wal", "gantry.db-shm", "gantry.db-ballast"] {
            unlink(directory + "/" + name)
        }
        rmdir(directory)
    }
}

@Suite struct MetadataStoreTests {
    static func row(_ id: String, _ name: String, at time: Int64 = 1) -> ContainerRow {
        ContainerRow(id: id, name: name, createdAt: time, definition: "{}", state: .init(phase: .created))
    }

    @Test("A quota that is used up is a full disk, another failure of the disk is none")
    func quota() {
        let failed: Int32 = 10  // SQLITE_IOERR
        let full = DatabaseError(code: failed, message: "disk I/O error", systemError: EDQUOT)
        #expect(full.isFull)
        #expect(StorageError(full, doing: "write") == StorageError(.full, "write: disk quota exceeded"))
        let broken = DatabaseError(code: failed, message: "disk I/O error", systemError: EIO)
        #expect(!broken.isFull && StorageError(broken, doing: "write").kind == .other)
    }

    @Test("What was committed is there when the file is opened again")
    func durable() async throws {
        let file = try TemporaryDatabase()
        var state = ContainerRow.State(phase: .running)
        state.bootID = "boot"
        state.pid = 7
        state.pidStartTicks = .max
        state.startedAt = 5
        state.error = "\"quoted\" \u{1F600}"
        state.oomKilled = true
        do {
            let store = try await MetadataStore.open(file.path)
            _ = try await store.commit(.insert(Self.row("b", "second", at: 2)), [])
            _ = try await store.commit(.insert(Self.row("a", "first", at: 1)), [])
            _ = try await store.commit(.state(id: "a", state), [])
            _ = try await store.commit(.rename(id: "b", name: "other"), [])
            try store.close()
        }
        let store = try await MetadataStore.open(file.path)
        let rows = try await store.containers()
        #expect(rows.map(\.name) == ["first", "other"])
        #expect(rows[0].state == state)
        _ = try await store.commit(.delete(id: "a"), [])
        #expect(try await store.containers().map(\.id) == ["b"])
        try store.close()
    }

    @Test("A name is given once, and a refused change leaves nothing, not even its event")
    func uniqueNames() async throws {
        let file = try TemporaryDatabase()
        let store = try await MetadataStore.open(file.path)
        _ = try await store.commit(.insert(Self.row("a", "web")), [])
        let event = EventRow(time: 1, kind: "container", action: "create", actor: "b", attributes: "{}")
        let failure = await #expect(throws: StorageError.self) {
            _ = try await store.commit(.insert(Self.row("b", "web")), [event])
        }
        #expect(failure?.kind == .duplicate)
        #expect(try await store.lastEventNumber() == 0)
        #expect(try await store.containers().count == 1)
        try store.close()
    }

    @Test("The journal gives events in order and within the times asked for, and stays bounded")
    func journal() async throws {
        let file = try TemporaryDatabase()
        let store = try await MetadataStore.open(file.path)
        let events = (1...5000).map {
            EventRow(time: Int64($0), kind: "container", action: "start", actor: "a", attributes: "{}")
        }
        let numbers = try await store.journal(events)
        #expect(numbers == Array(1...5000))
        let some = try await store.events(since: 4000, until: 4002, upTo: 4001)
        #expect(some.map(\.event.time) == [4000, 4001])
        let all = try await store.events(since: nil, until: nil, upTo: .max)
        #expect(all.count <= MetadataStore.journalCapacity + 256)
        #expect(all.last?.number == 5000)
        try store.close()
    }

    @Test("A full disk is said to be full, and what was there before stays")
    func fullDisk() async throws {
        let file = try TemporaryDatabase()
        let store = try await MetadataStore.open(file.path)
        _ = try await store.commit(.insert(Self.row("a", "web")), [])
        try await store.queue.use { database in
            let pages: Int = try database.value(sql: "PRAGMA page_count") ?? 0
            try database.execute(sql: "PRAGMA max_page_count = \(pages)")
        }
        var large = Self.row("b", "large")
        large.definition = String(repeating: "x", count: 1 << 20)
        let failure = await #expect(throws: StorageError.self) { _ = try await store.commit(.insert(large), []) }
        #expect(failure?.kind == .full)
        #expect(failure?.message.contains("no space left on device") == true)
        #expect(try await store.containers().map(\.id) == ["a"])
        try store.close()
    }

    @Test("On a full disk what is to go can be written, and the room for that is held again later")
    func ballast() async throws {
        let place = "/tmp/gantry-storage-full-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(place)
        defer { rmdir(place) }
        try Mount.mount("tmpfs", at: place, type: "tmpfs", data: "size=8m")
        defer { try? Mount.unmount(place, detach: true) }  // Else the folder stays, which LeftoverTests finds.
        let store = try await MetadataStore.open("\(place)/gantry.db")
        for id in ["a", "b", "c"] { _ = try await store.commit(.insert(Self.row(id, id)), []) }
        try await store.apply([ImageChange.put(id: "i", storedAt: 1, document: "{}")])
        try Self.fill("\(place)/filler")
        // All that the log has room for without growing.
        var refusal: StorageError?
        for number in 0..<1000 where refusal == nil {
            do throws(StorageError) {
                _ = try await store.commit(.insert(Self.row("n\(number)", "n\(number)")), [])
            } catch { refusal = error }
        }
        #expect(refusal?.kind == .full)
        // More than what the log has room for.
        func state(_ phase: ContainerRow.Phase) -> ContainerChange {
            var state = ContainerRow.State(phase: phase)
            state.error = String(repeating: "x", count: 400_000)
            return .state(id: "c", state)
        }
        for phase in [ContainerRow.Phase.created, .running, .paused] {
            let error = await #expect(throws: StorageError.self, "what begins does not take that room") {
                _ = try await store.commit(state(phase), [])
            }
            #expect(error?.kind == .full)
        }
        #expect(access("\(place)/gantry.db-ballast", F_OK) == 0)
        _ = try await store.commit(state(.exited), [])
        #expect(access("\(place)/gantry.db-ballast", F_OK) != 0)
        #expect(try await store.containers().contains { $0.id == "c" && $0.state.phase == .exited })
        try await store.apply([ImageChange.delete(id: "i")])
        _ = try await store.commit(.delete(id: "a"), [])
        #expect(access("\(place)/gantry.db-ballast", F_OK) != 0)
        #expect(try await store.images() == [])
        #expect(try await !store.containers().contains { $0.id == "a" })
        unlink("\(place)/filler")
        _ = try await store.commit(.delete(id: "b"), [])
        #expect(access("\(place)/gantry.db-ballast", F_OK) == 0)
        try store.close()
    }

    /// Takes all that is left of a file system.
    private static func fill(_ path: String) throws {
        let file = OwnedDescriptor(try Descriptor.open(path, O_CREAT | O_WRONLY, mode: 0o600))
        for size in [1 << 20, 1 << 16, 4096] {
            let piece = [UInt8](repeating: 1, count: size)
            do throws(KernelError) { while true { try file.descriptor.writeAll(piece) } } catch {
                guard error.errno == .noSpace else { throw error }
            }
        }
    }

    @Test("What containers are part of outlasts their networks, also in a file of a former version")
    func memberships() async throws {
        let file = try TemporaryDatabase()
        do {
            let store = try await MetadataStore.open(file.path)
            try await store.queue.use { database in
                let version: Int = try database.value(sql: "PRAGMA user_version") ?? 0
                for statement in [
                    "DROP TABLE endpoint",
                    """
                    CREATE TABLE endpoint (
                        container TEXT NOT NULL, network TEXT NOT NULL REFERENCES network (id) ON DELETE CASCADE,
                        document TEXT NOT NULL, PRIMARY KEY (container, network)) WITHOUT ROWID
                    """,
                    "INSERT INTO network (id, name, document) VALUES ('n', 'front', '{}')",
                    "INSERT INTO endpoint (container, network, document) VALUES ('c', 'n', 'kept')",
                    "PRAGMA user_version = \(version - 1)",
                ] { try database.execute(sql: statement) }
            }
            try store.close()
        }
        let store = try await MetadataStore.open(file.path)
        #expect(try await store.endpoints().map(\.document) == ["kept"])
        try await store.apply([NetworkRowChange.delete(id: "n")])
        #expect(try await store.endpoints().map(\.container) == ["c"])
        try await store.apply([NetworkRowChange.deleteEndpoint(container: "c", network: "n")])
        #expect(try await store.endpoints().isEmpty)
        try store.close()
    }

    @Test("A file of a later version, and one that is no database, are refused in words")
    func foreignFiles() async throws {
        let file = try TemporaryDatabase()
        do {
            let store = try await MetadataStore.open(file.path)
            try await store.queue.use { try $0.execute(sql: "PRAGMA user_version = 99") }
            try store.close()
        }
        let newer = await #expect(throws: StorageError.self) { _ = try await MetadataStore.open(file.path) }
        #expect(newer?.kind == .newer)
        let other = try TemporaryDatabase()
        let descriptor = try Descriptor.open(other.path, O_CREAT | O_WRONLY, mode: 0o600)
        try descriptor.writeAll([UInt8](repeating: 65, count: 8192))
        descriptor.close()
        let corrupt = await #expect(throws: StorageError.self) { _ = try await MetadataStore.open(other.path) }
        #expect(corrupt?.kind == .corrupt)
    }
}
