import EngineAPI
import JSON
import Testing

@testable import DockerAPI

/// What is told of images, as clients of each version know it.
struct ImageBodyTests {
    private static func listed(_ image: ImageSummary, _ minor: Int) -> JSONValue {
        image.dockerBody(for: APIVersion(1, minor))
    }

    @Test("How many containers an image has is told from 1.51 on; what it is called where it has no name, before 1.43")
    func versions() {
        var image = ImageSummary(id: "sha256:1", tags: [], createdAt: nil, sizeBytes: 5, containerCount: 2)
        #expect(Self.listed(image, 51)["Containers"] == 2 && Self.listed(image, 50)["Containers"] == -1)
        #expect(image.usageBody(for: APIVersion(1, 24))["Containers"] == 2)
        #expect(Self.listed(image, 43)["RepoTags"] == [] && Self.listed(image, 43)["RepoDigests"] == [])
        #expect(Self.listed(image, 42)["RepoTags"] == ["<none>:<none>"])
        #expect(Self.listed(image, 42)["RepoDigests"] == ["<none>@<none>"])
        #expect(ImageSummary(dockerBody: Self.listed(image, 42))?.tags == [])
        image.tags = ["a:1"]
        #expect(Self.listed(image, 24)["RepoTags"] == ["a:1"] && Self.listed(image, 24)["RepoDigests"] == [])
    }

    @Test("From what an image was made, and when it was named, is told and comes back")
    func origin() {
        var image = ImageSummary(id: "sha256:1", tags: [], createdAt: nil, sizeBytes: 5)
        #expect(image.dockerBody["ParentId"] == "")
        image.parentID = "sha256:2"
        #expect(image.dockerBody["ParentId"] == "sha256:2")
        #expect(ImageSummary(dockerBody: image.dockerBody)?.parentID == "sha256:2")
        var details = ImageDetails(summary: image, architecture: "amd64", os: "linux")
        #expect(details.dockerBody["Metadata"]?["LastTagTime"] == "0001-01-01T00:00:00Z")
        #expect(ImageDetails(dockerBody: details.dockerBody)?.taggedAt == nil)
        details.taggedAt = Timestamp(seconds: 1_700_000_000)
        #expect(details.dockerBody["Metadata"]?["LastTagTime"] == "2023-11-14T22:13:20Z")
        #expect(details.dockerBody["Parent"] == "sha256:2")
        let read = ImageDetails(dockerBody: details.dockerBody)
        #expect(read?.taggedAt == details.taggedAt && read?.summary.parentID == "sha256:2")
    }

    @Test("Manifests are told of where they were asked for, in docker's form, and come back")
    func manifests() throws {
        var image = ImageSummary(id: "sha256:1", tags: [], createdAt: nil, sizeBytes: 400)
        #expect(image.dockerBody["Manifests"] == nil)
        var manifest = ImageManifestSummary(
            digest: "sha256:3", mediaType: "application/x", sizeBytes: 7, platform: "linux/arm/v7", contentBytes: 100,
            unpackedBytes: 250)
        manifest.containerIDs = ["c"]
        image.manifests = [manifest]
        let platform: JSONValue = ["architecture": "arm", "os": "linux", "variant": "v7"]
        #expect(
            image.dockerBody["Manifests"] == [
                [
                    "ID": "sha256:3",
                    "Descriptor": [
                        "mediaType": "application/x", "digest": "sha256:3", "size": 7, "platform": platform,
                    ],
                    "Available": true, "Kind": "image", "Size": ["Content": 100, "Total": 350],
                    "ImageData": ["Platform": platform, "Size": ["Unpacked": 250], "Containers": ["c"]],
                ]
            ])
        #expect(ImageSummary(dockerBody: image.dockerBody) == image)
        // Beside them an image is told to take what they take, packed and unpacked; without them, what is unpacked.
        image.sizeBytes = 250
        #expect(image.dockerBody["Size"] == 350)
        image.manifests = nil
        #expect(image.dockerBody["Size"] == 250)
        var filter = ImageFilter()
        #expect(filter.dockerQuery["manifests"] == nil)
        filter.withManifests = true
        #expect(try ImageFilter(dockerQuery: filter.dockerQuery).withManifests)
    }

    @Test(
        "A machine runs what its processor does: of its own kind, and of 32 bits",
        arguments: [
            ("linux", true), ("linux/amd64", true), ("linux/x86_64", true), ("linux/386", true), ("linux/i386", true),
            ("linux/arm64", false), ("linux/amd64/v3", false), ("windows/amd64", false), ("", false),
        ])
    func platforms(text: String, runs: Bool) {
        var version = EngineVersion(name: "", version: "1", apiVersion: "1.51", minimumAPIVersion: "1.24")
        version.architecture = "x86_64"
        if runs {
            #expect(throws: Never.self) { try version.checkPlatform(text) }
        } else {
            let error = #expect(throws: EngineError.self) { try version.checkPlatform(text) }
            #expect(error?.kind == .unsupported && error?.message.contains("(linux/amd64)") == true)
        }
    }

    @Test(
        "An image provides its own platform, and each whose machines run it: of a later variant, or of 64 bits",
        arguments: [
            ("amd64", nil, "linux", true), ("amd64", nil, "linux/amd64", true), ("amd64", nil, "linux/386", false),
            ("386", nil, "linux/386", true), ("386", nil, "linux/amd64", true), ("amd64", nil, "linux/amd64/v2", true),
            ("amd64", "v3", "linux/amd64/v2", false), ("arm", "v6", "linux/arm/v7", true),
            ("arm", "v7", "linux/arm/v6", false), ("arm64", "v8", "linux/arm64", true),
            ("arm", "v7", "linux/arm64", true), ("arm64", nil, "linux/arm/v7", false),
        ] as [(String, String?, String, Bool)])
    func provided(architecture: String, variant: String?, asked: String, isSo: Bool) {
        let image = ImageSummary(id: "sha256:1", tags: [], createdAt: nil, sizeBytes: 5)
        var details = ImageDetails(summary: image, architecture: architecture, os: "linux")
        details.variant = variant
        let complaint: String?
        do throws(EngineError) {
            try details.check(isFor: asked, calledBy: "x")
            complaint = nil
        } catch { complaint = error.message }
        let words = "image with reference x was found but does not provide the specified platform (\(asked))"
        #expect(complaint == (isSo ? nil : words))
    }
}

@Suite struct ImageSearchTests {
    @Test("A search goes over the wire as it was meant, and what is no search is refused")
    func search() throws {
        var request = ImageSearchRequest("a/b")
        (request.limit, request.isOfficial, request.isAutomated, request.minimumStars) = (3, true, false, 5)
        #expect(try ImageSearchRequest(dockerQuery: request.dockerQuery, credentials: nil) == request)
        let result = ImageSearchResult(name: "n", text: "d", stars: 3, isOfficial: true, isAutomated: false)
        #expect(ImageSearchResult(dockerBody: result.dockerBody) == result)
        for (text, words) in [
            ("limit=101", "limit 101 is outside the range of [1, 100]"),
            ("limit=-1", "limit -1 is outside the range of [1, 100]"),
            ("limit=x", "strconv.Atoi: parsing \"x\": invalid syntax"),
            (#"filters={"stars":["x"]}"#, "invalid filter 'stars=[x]'"),
            (#"filters={"is-official":["x"]}"#, "invalid filter 'is-official=[x]'"),
            (#"filters={"huh":["x"]}"#, "invalid filter 'huh'"),
        ] {
            #expect(throws: EngineError(.invalid, words)) {
                try ImageSearchRequest(dockerQuery: QueryString(parsing: text), credentials: nil)
            }
        }
        let unsaid = QueryString(parsing: "term=x&limit=0")
        #expect(try ImageSearchRequest(dockerQuery: unsaid, credentials: nil).limit == 25)
    }
}
