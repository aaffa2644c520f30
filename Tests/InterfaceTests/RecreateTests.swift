import EngineAPI
import Terminal
import Testing

@testable import Interface

@Suite struct RecreateTests {
    private struct Missing: Error {}

    private static func image() -> ImageDetails {
        var image = ImageDetails(summary: Sample.starter, architecture: "amd64", os: "linux")
        image.command = ["sh"]
        image.environment = ["PATH=/bin"]
        image.workingDirectory = "/"
        return image
    }

    /// What a container of the sample's image with this and that tells of itself.
    private static func details() -> ContainerDetails {
        var details = Sample.details(Sample.containers[0])
        details.spec.command = ["sh"]
        details.spec.environment = ["PATH=/bin", "A=1", "B=two words"]
        details.spec.environment += ["container=podman", "HOSTNAME=\(details.id.prefix(12))"]
        details.spec.workingDirectory = "/"
        details.spec.hostname = String(details.id.prefix(12))
        details.spec.labels = ["kept": "yes"]
        details.spec.limits.memorySwapBytes = 128 << 20
        details.spec.portBindings = [PortBinding(ContainerPort(80), hostPort: 8080)]
        details.spec.anonymousVolumes = ["/data"]
        var scratch = MountSpec(.tmpfs, target: "/scratch")
        scratch.options = ["size=1m"]
        details.spec.mounts = [scratch]
        var endpoint = EndpointSpec()
        endpoint.aliases = ["w", String(details.id.prefix(12))]
        details.networks = ["bridge", "back"].map { EndpointDetails(networkName: $0, networkID: $0, spec: endpoint) }
        return details
    }

    /// With the form open.
    private static func opened(
        _ details: ContainerDetails = details(), _ image: ImageDetails = image()
    ) throws -> Bench {
        var containers = Sample.containers
        containers[0].mounts = [MountSpec(.volume, source: "0123abcd", target: "/data")]
        var bench = try Bench.connected(80, 30, containers: containers)
        bench.type("c")
        #expect(bench.takeEffects().contains(.readOriginal(Sample.id(1))))
        bench.send(.original(details, image))
        return bench
    }

    private static func asked(_ bench: inout Bench) -> (spec: ContainerSpec, name: String)? {
        for case .perform(_, .recreate(_, let spec, let name, _)) in bench.takeEffects() { return (spec, name) }
        return nil
    }

    @Test("What the form cannot tell of a mount stays with it, and what the image says is said anew")
    func untold() throws {
        var (details, image) = (Self.details(), Self.image())
        var part = MountSpec(.volume, source: "files", target: "/part")
        part.subpath = "a/b"
        details.spec.mounts.append(part)
        details.spec.exposedPorts = [ContainerPort(80), ContainerPort(81), ContainerPort(82)]
        details.spec.anonymousVolumes = ["/data", "/own"]
        details.spec.labels["from"] = "image"
        (image.exposedPorts, image.volumes) = (["81/tcp"], ["/data"])
        image.summary.labels = ["from": "image", "kept": "no"]
        var bench = try Self.opened(details, image)
        bench.type(String(repeating: "<tab>", count: 8) + "<end> cache:/cache<enter>y")
        let spec = try #require(Self.asked(&bench)).spec
        #expect(spec.mounts.prefix(2) == details.spec.mounts[...])
        #expect(spec.mounts.map(\.target) == ["/scratch", "/part", "/data", "/cache"])
        #expect(spec.exposedPorts == [ContainerPort(82)] && spec.anonymousVolumes == ["/own"])
        #expect(spec.labels == ["kept": "yes"])
    }

    @Test("What podman gives every container is not asked for again; elsewhere the same words are somebody's own")
    func podmansVariables() throws {
        let given = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "HOME=/root",
            "HOSTNAME=box", "A=1",
        ]
        var details = Self.details()
        for (marks, left) in [(["container=podman"], ["A=1"]), ([], given)] {
            details.spec.environment = given + marks
            #expect(Original(details, Self.image(), mounts: []).spec.environment == left)
        }
    }

    @Test("One whose settings are not all known is not made anew: what is not known would be lost")
    func incomplete() throws {
        var details = Self.details()
        details.specGap = "logger: no log driver named 'gcplogs' is registered"
        let bench = try Self.opened(details)
        #expect(bench.model.dialogs.isEmpty && bench.model.status?.kind == .error)
        #expect(bench.model.status?.text.contains("gcplogs") == true)
    }

    @Test("c asks with what the container has, and what is not changed stays as it was")
    func form() throws {
        var bench = try Self.opened()
        for text in ["recreate web", "gantry/starter:latest", "64m", "A=1 'B=two words'", "8080:80", "0123abcd:/data"] {
            #expect(bench.text.contains(text), "\(text)")
        }
        bench.type(String(repeating: "<tab>", count: 11) + "<ctrl-u>9090:80<enter>")
        #expect(bench.text.contains("recreate web?") && bench.text.contains("stop and recreate"))
        bench.type("<enter>")
        #expect(Self.asked(&bench) == nil && bench.model.keyContext == .form, "Enter alone loses nothing")
        bench.type("<enter>y")
        let (spec, name) = try #require(Self.asked(&bench))
        #expect(name == "web" && spec.image == "gantry/starter:latest")
        #expect(spec.portBindings == [PortBinding(ContainerPort(80), hostPort: 9090)])
        #expect(spec.environment == ["A=1", "B=two words"] && spec.labels == ["kept": "yes"])
        #expect(spec.command == nil && spec.workingDirectory == nil && spec.hostname == nil, "the image says them anew")
        #expect(spec.limits.memoryBytes == 64 << 20 && spec.limits.memorySwapBytes == 128 << 20)
        #expect(spec.mounts.first?.options == ["size=1m"], "the form could not tell it")
        #expect(spec.mounts.last == MountSpec(.volume, source: "0123abcd", target: "/data"))
        #expect(Array(spec.networksBeside.keys) == ["back"] && spec.networks["bridge"]?.aliases == ["w"])
    }

    @Test("What is changed counts, and a limit of swap goes with that of memory")
    func changes() throws {
        var bench = try Self.opened()
        bench.type("<tab><ctrl-u>web2<tab>top -d 1<tab><tab><tab><ctrl-u>32m<tab><tab><tab><ctrl-u>")
        bench.type("data:/data<tab><ctrl-u>A=2<tab><right><enter>y")
        let (spec, name) = try #require(Self.asked(&bench))
        #expect(name == "web2" && spec.command == ["top", "-d", "1"] && spec.environment == ["A=2"])
        #expect(spec.limits.memoryBytes == 32 << 20 && spec.limits.memorySwapBytes == nil)
        #expect(spec.mounts == [MountSpec(.volume, source: "data", target: "/data")])
        #expect(spec.networkMode == NetworkMode.none && spec.networks.isEmpty)
    }

    @Test("The form waits for the new one, and tells why there is none")
    func waiting() throws {
        var bench = try Self.opened()
        bench.type("<enter>y")
        let job = try #require(bench.model.jobs.first?.id)
        #expect(bench.text.contains("recreate web…"))
        bench.send(
            .job(job, .failed(EngineError(.internal, "Bind for 0.0.0.0:8080 failed: port is already allocated"))))
        guard case .form(let form)? = bench.model.dialogs.last else { throw Missing() }
        #expect(form.job == nil && form.fields[form.focus].name == .ports)
        bench.type("<enter>y")
        let second = try #require(bench.model.jobs.first?.id)
        let made = Sample.container(id: Sample.id(9), name: "web", .running, age: 1)
        bench.send(.job(second, .succeeded(.created(made, warnings: []))))
        #expect(bench.model.dialogs.isEmpty && bench.model.selectedContainer?.id == Sample.id(9))
    }
}
