import EngineAPI
import ImageFixtures
import LocalEngine
import PeerRegistry
import Testing

/// What an engine gets from the web by itself.
@Suite(
    .timeLimit(.minutes(2)),
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct AddressTests {
    @Test("An image is made from an archive that lies at an address, and says from where")
    func importing() async throws {
        var tar = TarBytes()
        tar.file("hello", "from afar")
        let archive = tar.finished
        let server = try FaultyServer { head, _ in
            head.hasPrefix("GET /root.tar ") ? [.answer("200 OK", [], archive)] : [.answer("404 Not Found")]
        }
        try await EngineBench.with { engine, _ in
            let address = "http://127.0.0.1:\(server.port)/root.tar"
            let id = try await engine.importImage(
                ImageImportRequest(from: address, name: "afar:1", changes: ["CMD [\"/hello\"]"]))
            let image = try await engine.inspectImage("afar:1")
            #expect(image.summary.id == id && image.comment == "Imported from \(address)" && image.layers.count == 1)
            let before = try await engine.images(ImageFilter()).count
            let error = await #expect(throws: EngineError.self) {
                try await engine.importImage(ImageImportRequest(from: "127.0.0.1:\(server.port)/other"))
            }
            #expect(error?.kind == .notFound)
            #expect(error?.message == "failed to GET http://127.0.0.1:\(server.port)/other with status 404")
            #expect(try await engine.images(ImageFilter()).count == before)
        }
    }

    @Test("A download that is cut makes no image")
    func cut() async throws {
        let server = try FaultyServer { _, _ in
            [.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), .bytes([UInt8](repeating: 0, count: 1024))]
        }
        try await EngineBench.with { engine, _ in
            let before = try await engine.images(ImageFilter()).map(\.id)
            let error = await #expect(throws: EngineError.self) {
                try await engine.importImage(ImageImportRequest(from: "http://127.0.0.1:\(server.port)/x"))
            }
            #expect(error?.message.contains("the connection was closed") == true, "\(error?.message ?? "")")
            #expect(try await engine.images(ImageFilter()).map(\.id) == before)
        }
    }

    @Test("What a registry finds is narrowed by stars, and by whether it is official")
    func searching() async throws {
        let body = #"""
            {"results": [{"name": "web", "star_count": 7, "is_official": true}, {"name": "me/web", "star_count": 9}]}
            """#
        let server = try FaultyServer { head, _ in
            [head.hasPrefix("GET /v1/search?q=web&n=25 ") ? .answer("200 OK", [], Array(body.utf8)) : .answer("404 No")]
        }
        try await EngineBench.with { engine, _ in
            var request = ImageSearchRequest("127.0.0.1:\(server.port)/web")
            let all = try await engine.searchImages(request).map(\.name)
            request.isOfficial = true
            let official = try await engine.searchImages(request).map(\.name)
            (request.isOfficial, request.minimumStars) = (nil, 8)
            let starred = try await engine.searchImages(request).map(\.name)
            #expect(all == ["web", "me/web"] && official == ["web"] && starred == ["me/web"])
        }
    }
}
