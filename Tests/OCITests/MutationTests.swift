import JSON
import OCI
import SeededNumbers
import Testing

/// Readers meet what nobody wrote: whatever it is, they refuse it or read it as they will read it again. The mutations
/// come from a generator with a fixed seed, so that a failure can be looked at.
@Suite struct MutationTests {
    private static let hex = String(repeating: "5", count: 64)
    private static let config = """
        {"architecture":"arm","variant":"v7","os":"linux","created":"2024-01-02T03:04:05.6Z","author":"a",
         "config":{"Env":["A=b"],"Cmd":["sh"],"User":"1:2","ExposedPorts":{"80/tcp":{}},"Volumes":{"/d":{}},
          "Labels":{"k":"v"},"StopSignal":"SIGINT","Healthcheck":{"Test":["CMD","x"]}},
         "rootfs":{"type":"layers","diff_ids":["sha256:\(hex)"]},"history":[{"created_by":"x","empty_layer":true}]}
        """
    private static let manifest = """
        {"schemaVersion":2,"mediaType":"\(ImageMediaType.manifest)","annotations":{"a":"b"},
         "config":{"mediaType":"\(ImageMediaType.config)","size":7,"digest":"sha256:\(hex)"},
         "layers":[{"mediaType":"\(ImageMediaType.layerGzip)","size":9,"digest":"sha256:\(hex)","urls":["x"]}]}
        """
    private static let list = """
        {"schemaVersion":2,"mediaType":"\(ImageMediaType.index)","manifests":[
         {"mediaType":"\(ImageMediaType.manifest)","size":7,"digest":"sha256:\(hex)",
          "platform":{"architecture":"amd64","os":"linux"}}]}
        """

    @Test("A configuration, a manifest and a list that were damaged are refused, or written back as they were read")
    func documents() throws {
        var random = SplitMix(seed: 7)
        var readCount = 0
        for _ in 0..<6_000 {
            let text = [Self.config, Self.manifest, Self.list].randomElement(using: &random) ?? ""
            // Not JSON any more: that is the parser's to refuse, and the next mutation's turn.
            guard let json = try? JSONValue(parsing: Self.damaged(Array(text.utf8), &random)) else { continue }
            if let config = try? ImageConfig(json) {
                readCount += 1
                #expect(try ImageConfig(config.json) == config)
            }
            if let manifest = try? ImageManifest(json) {
                readCount += 1
                #expect(try ImageManifest(manifest.json) == manifest)
            }
            if let list = try? ManifestList(json) { _ = list.best(for: .host) }
        }
        #expect(readCount > 500, "hardly anything was read: \(readCount)")
    }

    @Test("A reference that can be read is read the same from what it is written as")
    func references() throws {
        var random = SplitMix(seed: 11)
        let pieces = [
            "a", "b1", "A", "localhost", ":", ":5000", "/", "//", "@", "@sha256:\(Self.hex)", ".", "-", "__", "_",
            "[::1]",
            "é", " ", "\u{0}", "latest", "docker.io", "library",
        ]
        var readCount = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...7, using: &random))
                .map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            guard let reference = try? Reference(text) else { continue }
            readCount += 1
            #expect(try Reference(reference.description) == reference, "\(text)")
            #expect(try Reference(reference.familiar) == reference, "\(text)")
        }
        #expect(readCount > 500, "hardly anything was read: \(readCount)")
    }

    /// A few bytes changed, removed, doubled, or replaced by what JSON is made of.
    private static func damaged(_ whole: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = whole
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 32...126, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(bytes[place], at: place)
            default:
                let digits = ["null", "-1", "1e400", "99999999999999999999", "{}", "[]", "\"\""]
                let end = min(bytes.count, place + Int.random(in: 1...8, using: &random))
                bytes.replaceSubrange(place..<end, with: Array((digits.randomElement(using: &random) ?? "").utf8))
            }
        }
        return bytes
    }
}
