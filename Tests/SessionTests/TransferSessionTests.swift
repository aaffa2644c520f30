import Glibc
import ImageFixtures
import OCI
import PeerRegistry
import Synchronization
import Testing

/// Images on their way while the process that hosts the engine goes.
@Suite(.serialized, .enabled(if: SessionBench.missing == nil, "\(SessionBench.missing ?? "")"))
struct TransferSessionTests {
    private static func image() -> ArchiveBuilder {
        var (builder, tar) = (ArchiveBuilder(), TarBytes())
        tar.file("file", String(repeating: "layer", count: 40_000))
        builder.layer(tar.finished)
        return builder
    }

    /// A registry that stands still in the middle of the layer when that is fetched for the first time.
    private static func registry(of image: ArchiveBuilder) throws -> FaultyServer {
        let layer = try #require(image.layers.last).bytes
        let fetches = Mutex(0)
        return try FaultyServer { head, _ in
            if head.contains("/manifests/") {
                return [.answer("200 OK", ["Content-Type: \(ImageMediaType.manifest)"], image.manifestBytes)]
            }
            if head.contains(image.id.description) { return [.answer("200 OK", [], image.configBytes)] }
            guard head.contains("/blobs/") else { return [.answer("200 OK")] }
            let number = fetches.withLock { count in
                count += 1
                return count
            }
            guard number == 1 else { return [.answer("200 OK", [], layer)] }
            let start = "HTTP/1.1 200 OK\r\nContent-Length: \(layer.count)\r\n\r\n"
            return [.send(start), .bytes(Array(layer.prefix(layer.count / 2))), .stall]
        }
    }

    @Test("A pull whose host is killed is begun anew at the next one")
    func pullGoesOn() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        let image = Self.image()
        let server = try Self.registry(of: image)
        let name = "localhost:\(server.port)/app:1"
        let pull = try bench.start(["pull", name])
        func layerRequests() -> Int { server.requests.count { $0.contains(image.layers[0].diffID.description) } }
        #expect(eventually { layerRequests() == 1 }, "\(pull.errors)")
        host.kill(SIGKILL)
        let outcome = try pull.outcome()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(layerRequests() == 2, "\(server.requests)")
        #expect(try bench.succeed("images", "-q", "--no-trunc", name) == image.id.description)
    }

    /// A registry that has nothing, and stands still once it is sent the layer for the first time.
    private static func emptyRegistry(config: String) throws -> FaultyServer {
        let uploads = Mutex(0)
        return try FaultyServer { head, number in
            let length =
                head.split(separator: "\r\n").compactMap { line -> Int? in
                    let field = line.lowercased()
                    return field.hasPrefix("content-length: ") ? Int(field.dropFirst(16)) : nil
                }.first ?? 0
            if head.hasPrefix("HEAD ") { return [.answer("404 Not Found")] }
            if head.hasPrefix("POST ") {
                return [.answer("202 Accepted", ["Location: /v2/app/blobs/uploads/\(number)"])]
            }
            guard head.hasPrefix("PUT ") else { return [.answer("200 OK")] }
            let isLayer = head.contains("/blobs/") && !head.prefix { $0 != "\r\n" }.contains(config)
            guard isLayer else { return [.take(length), .answer("201 Created")] }
            let place = uploads.withLock { count in
                count += 1
                return count
            }
            return place == 1 ? [.stall] : [.take(length), .answer("201 Created")]
        }
    }

    @Test("A push whose host is killed is begun anew at the next one")
    func pushGoesOn() throws {
        let bench = try SessionBench()
        defer { bench.close() }
        let host = try bench.daemon()
        let id = try bench.succeed("images", "-q", "--no-trunc", "gantry/starter")
        let config = String(id.dropFirst("sha256:".count))
        let server = try Self.emptyRegistry(config: config)
        let name = "localhost:\(server.port)/app:1"
        _ = try bench.succeed("tag", "gantry/starter", name)
        let push = try bench.start(["push", name])
        func layerRequests() -> Int {
            server.requests.count { $0.hasPrefix("PUT ") && $0.contains("/blobs/") && !$0.contains(config) }
        }
        #expect(eventually { layerRequests() == 1 }, "\(push.errors)")
        host.kill(SIGKILL)
        let outcome = try push.outcome()
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(layerRequests() == 2, "\(server.requests)")
        #expect(server.requests.count { $0.hasPrefix("PUT /v2/app/manifests/1 ") } == 1, "\(server.requests)")
    }
}
