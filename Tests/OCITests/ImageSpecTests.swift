import JSON
import OCI
import Testing

@Suite struct ImageSpecTests {
    private static let hex = String(repeating: "1", count: 64)

    @Test("A configuration as docker writes it is read, and what is not known stays")
    func config() throws {
        let text = """
            {"architecture":"amd64","os":"linux","created":"2024-01-02T03:04:05.6Z","docker_version":"20",
             "config":{"Env":["A=b"],"Cmd":["sh","-c","x"],"Entrypoint":null,"WorkingDir":"/w","User":"1:2",
              "ExposedPorts":{"80/tcp":{}},"Volumes":{"/data":{}},"Labels":{"k":"v"},"StopSignal":"SIGINT",
              "OnBuild":["RUN y"]},
             "rootfs":{"type":"layers","diff_ids":["sha256:\(Self.hex)"]},
             "history":[{"created":"2024-01-02T03:04:05Z","created_by":"x"},{"empty_layer":true}]}
            """
        let config = try ImageConfig(try JSONValue(parsing: text))
        #expect(config.platform == Platform(os: "linux", architecture: "x86_64"))
        #expect(config.execution.command == ["sh", "-c", "x"])
        #expect(config.execution.entrypoint == [])
        #expect(config.execution.exposedPorts == ["80/tcp"])
        #expect(config.execution.volumes == ["/data"])
        #expect(config.execution.other["OnBuild"] == ["RUN y"])
        #expect(config.other["docker_version"] == "20")
        #expect(config.history.map(\.isEmptyLayer) == [false, true])
        #expect(try ImageConfig(config.json) == config)
    }

    @Test("A history that no image has is refused")
    func endlessHistory() throws {
        func config(steps: Int) throws -> ImageConfig {
            let list = Array(repeating: "{}", count: steps).joined(separator: ",")
            return try ImageConfig(try JSONValue(parsing: "{\"history\":[\(list)]}"))
        }
        #expect(try config(steps: 10_000).history.count == 10_000)
        let refusal = #expect(throws: RuntimeSpecError.self) { try config(steps: 10_001) }
        #expect(refusal?.description == "history: must not have more than 10000 elements")
    }

    @Test("A manifest of docker's and one of OCI's are read, and written back whole")
    func manifest() throws {
        let text = """
            {"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",
             "config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":7,"digest":"sha256:\(Self.hex)"},
             "layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":9,"digest":"sha256:\(Self.hex)",
              "urls":["x"]}],"subject":{"a":1}}
            """
        let manifest = try ImageManifest(try JSONValue(parsing: text))
        #expect(ImageMediaType.isManifest(manifest.mediaType))
        #expect(manifest.layers.allSatisfy { ImageMediaType.isLayer($0.mediaType) })
        #expect(manifest.layers[0].other["urls"] == ["x"])
        #expect(try ImageManifest(manifest.json) == manifest)
    }

    @Test(
        "A document that is wrong is refused, and the place is named",
        arguments: [
            (#"{"schemaVersion":1,"config":{}}"#, "schemaVersion"),
            (#"{"schemaVersion":2}"#, "config"),
            (#"{"config":{"digest":"sha256:1","size":1}}"#, "config.digest"),
            (#"{"config":{"digest":"sha256:\#(hex)","size":-1}}"#, "config.size"),
            (#"{"config":{"digest":"sha256:\#(hex)","size":1},"layers":[{"size":1}]}"#, "layers[0].digest"),
        ])
    func refused(text: String, place: String) throws {
        let json = try JSONValue(parsing: text)
        let error = #expect(throws: RuntimeSpecError.self) { try ImageManifest(json) }
        #expect(error?.property == place)
    }

    @Test("Of a list the manifest that runs best is chosen")
    func platforms() throws {
        let digest = try #require(Digest(.sha256, hex: Self.hex))
        func entry(_ size: Int64, _ os: String, _ architecture: String, _ variant: String? = nil) -> ContentDescriptor {
            var entry = ContentDescriptor(mediaType: ImageMediaType.manifest, digest: digest, sizeBytes: size)
            entry.platform = Platform(os: os, architecture: architecture, variant: variant)
            return entry
        }
        var list = try ManifestList(try JSONValue(parsing: #"{"manifests":[]}"#))
        list.manifests = [
            entry(1, "windows", "amd64"), entry(2, "linux", "arm", "v6"), entry(3, "linux", "arm", "v7"),
            entry(4, "linux", "arm64", "v8"), entry(5, "linux", "amd64"), entry(6, "unknown", "unknown"),
        ]
        func best(_ architecture: String, _ variant: String? = nil) -> Int64? {
            list.best(for: Platform(os: "linux", architecture: architecture, variant: variant))?.sizeBytes
        }
        #expect(best("x86_64") == 5)
        #expect(best("aarch64") == 4)
        #expect(best("armv7l") == 3)
        #expect(best("arm", "v6") == 2)
        #expect(best("riscv64") == nil)
        #expect(best("386") == nil)
        list.manifests = [
            entry(1, "linux", "386"), entry(2, "linux", "arm", "v5"), entry(3, "linux", "arm", "v7"),
            entry(4, "linux", "amd64", "v3"), entry(5, "linux", "riscv64"), entry(6, "linux", "arm64", "v9"),
        ]
        #expect(best("amd64") == 1, "what has 64 bits runs what has 32")
        #expect(best("aarch64") == 3)
        #expect(best("amd64", "v2") == 1)
        #expect(best("amd64", "v3") == 4)
        #expect(best("amd64", "v4") == 4)
        #expect(best("386") == 1)
        #expect(best("armv6l") == 2)
        #expect(best("arm64", "v9") == 6)
        list.manifests.append(entry(7, "linux", "amd64"))
        #expect(best("amd64") == 7 && best("amd64", "v2") == 7 && best("amd64", "v4") == 4)
    }
}
