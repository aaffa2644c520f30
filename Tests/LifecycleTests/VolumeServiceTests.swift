import CLinux
import EngineAPI
import Glibc
import Linux
import Storage
import Synchronization
import Testing

@testable import Lifecycle

/// Volumes without an engine.
@Suite struct VolumeServiceTests {
    private final class Notes: Sendable {
        let texts = Mutex<[String]>([])
        func add(_ text: String) { texts.withLock { $0.append(text) } }
    }

    private let root: String
    private let notes = Notes()

    init() throws { root = "/tmp/gantry-volumes-\(getpid())-\(UInt64.random(in: 0...UInt64.max))" }

    private func with(_ body: (VolumeService, MetadataStore) async throws -> Void) async throws {
        try Directory.create(root + "/volumes")
        defer { try? Directory.removeTree(root) }  // What stays is found by LeftoverTests.
        let store = try await MetadataStore.open(root + "/db")
        let notes = notes
        let service = VolumeService(
            store: store, directory: root + "/volumes", index: ContainerIndex(), note: { notes.add($0) })
        try await body(service, store)
        try store.close()
    }

    private func mode(_ path: String) throws -> mode_t {
        var facts = stat()
        try kernelCall("stat", path) { stat(path, &facts) }
        return facts.st_mode & 0o7777
    }

    @Test("Nothing is kept in memory of volumes that nobody has any more")
    func nothingKept() async throws {
        try await with { service, _ in
            for _ in 0..<3 {
                let (mounts, new) = try await service.prepare([MountSpec(.volume, target: "/v")])
                let name = try #require(new.first)
                let seen = await service.inTurn(name) { 7 }
                #expect(seen == 7)
                await service.settle(mounts)
                #expect(try await service.remove(name, force: false))
            }
            #expect(await service.turns.isEmpty)
            #expect(await service.holders.isEmpty)
            #expect(notes.texts.withLock { $0 } == [])
        }
    }

    @Test("A new volume is open to containers' users, whatever umask the engine's command has")
    func umask() async throws {
        try await with { service, _ in
            let own = Glibc.umask(0o077)
            defer { _ = Glibc.umask(own) }
            _ = try await service.create(VolumeSpec(name: "vol"))
            #expect(try mode("\(root)/volumes/vol/_data") == 0o755)
            #expect(try mode("\(root)/volumes/vol") == 0o701)
        }
    }

    @Test("A server that is called by its name is mounted by its address, which is all that the kernel takes")
    func serverNames() throws {
        // Type, source and options, and what is mounted: source and data.
        let rows = [
            ("nfs", ":/x", "addr=nas.lan,rw,vers=4", ":/x", "addr=192.0.2.7,vers=4"),
            ("nfs4", ":/x", "vers=4,addr=nas.lan", ":/x", "vers=4,addr=192.0.2.7"),
            ("cifs", "//nas.lan/a/b", "username=u", "//192.0.2.7/a/b", "username=u"),
            ("cifs", "//nas.lan/a", "addr=nas.lan", "//nas.lan/a", "addr=192.0.2.7"),
            // What is an address already, or has no server.
            ("nfs", ":/x", "addr=10.0.0.9", ":/x", "addr=10.0.0.9"),
            ("nfs", ":/x", "addr=fd00::9", ":/x", "addr=fd00::9"),
            ("nfs", "nas.lan:/x", "vers=4", "nas.lan:/x", "vers=4"),
            ("cifs", "//10.0.0.9/a", "", "//10.0.0.9/a", ""),
            ("tmpfs", "tmpfs", "addr=nas.lan", "tmpfs", "addr=nas.lan"),
        ]
        for (type, source, options, wantedSource, wantedData) in rows {
            let words = options.split(separator: ",").map(String.init)
            let plan = VolumeMountPlan(type: type, source: source, options: words)
            let found = try plan.withAddress { (name) throws(EngineError) in
                guard name == "nas.lan", let address = IPAddress("192.0.2.7") else {
                    throw EngineError(.notFound, name)
                }
                return address
            }
            #expect(found.source == wantedSource && found.data == wantedData, "\(source) \(options)")
        }
    }

    @Test("This machine's own name has an address, and one that nobody has is told of in docker's words")
    func hostAddress() throws {
        #expect(try HostAddress.find("localhost").isLoopback)
        let refusal = #expect(throws: HostLookupFailure.self) { try HostAddress.find("nowhere.invalid") }
        #expect(refusal?.description.hasPrefix("lookup nowhere.invalid: ") == true)
    }

    @Test("A row that cannot be read is kept, with its directory, and the other volumes can be used")
    func unreadRow() async throws {
        try await with { service, store in
            try Directory.create("\(root)/volumes/odd/_data")
            try await store.insert(VolumeRow(name: "odd", document: "{}"))
            _ = try await service.create(VolumeSpec(name: "vol"))
            #expect(try await service.all().map(\.spec.name) == ["vol"])
            await #expect(throws: EngineError.self) { try await service.create(VolumeSpec(name: "odd")) }
            await #expect(throws: EngineError.self) {
                try await service.create(VolumeSpec(name: "odd"), forContainer: true)
            }
            #expect(access("\(root)/volumes/odd/_data", F_OK) == 0)
            #expect(try await store.volumes().map(\.name) == ["odd", "vol"])
            #expect(notes.texts.withLock { $0.filter { $0.contains("volume odd") } }.count == 1)
        }
    }

    @Test("Rows of networks that cannot be read are told, and hide no others")
    func unreadNetworks() async throws {
        try await with { _, store in
            try await store.apply([
                .put(NetworkRow(id: "a", name: "odd", document: "{")),
                .putEndpoint(EndpointRow(container: "c", network: "a", document: "[]")),
            ])
            let notes = notes
            let index = StoredNetworkIndex(store: store, note: { notes.add($0) })
            #expect(try await index.networks().isEmpty)
            #expect(try await index.endpoints().isEmpty)
            let unread = try await index.unread()
            #expect(unread.networks == ["a": "odd"] && unread.memberships == ["c": ["a"]])
            #expect(notes.texts.withLock { $0 }.count == 2)
        }
    }

    @Test("The files of a volume count in its size whatever their names are, and however deep they lie")
    func sizes() async throws {
        try await with { service, _ in
            _ = try await service.create(VolumeSpec(name: "vol"))
            var place = OwnedDescriptor(try Descriptor.open("\(root)/volumes/vol/_data", O_RDONLY | O_DIRECTORY))
            let empty = try #require(await service.sizeBytes("vol"))
            for _ in 0..<40 {
                let name = [CChar](repeating: -23, count: 200) + [0]
                try kernelCall("mkdir") { mkdirat(place.descriptor.rawValue, name, 0o755) }
                let below = try kernelCall("open") {
                    gantry_openat(place.descriptor.rawValue, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
                }
                place = OwnedDescriptor(Descriptor(rawValue: below))
            }
            let file = OwnedDescriptor(try place.descriptor.open("file", O_WRONLY | O_CREAT, mode: 0o600))
            try file.descriptor.writeAll([UInt8](repeating: 1, count: 1 << 20))
            #expect(try #require(await service.sizeBytes("vol")) - empty >= 1 << 20)
        }
    }
}
