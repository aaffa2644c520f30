import EngineAPI
import JSON
import Testing

@testable import DockerAPI

/// What an inspection tells of a container's wishes, and what of the engine's doing.
struct InspectionTests {
    private let time = Timestamp(seconds: 1_800_000_000)

    @Test("What an engine came to by itself is told among the mounts, and not as asked for; it is found again there")
    func additions() throws {
        var spec = ContainerSpec(image: "a:1")
        var unnamed = MountSpec(.volume, source: "0a1b", target: "/unnamed")
        unnamed.addition = .source
        var short = MountSpec(.volume, source: "2c3d", target: "/short")
        (short.isShort, short.addition) = (true, .source)
        var image = MountSpec(.volume, source: "4e5f", target: "/image")
        image.addition = .whole
        var lent = MountSpec(.bind, source: "/h", target: "/lent")
        (lent.isShort, lent.addition) = (true, .whole)
        var scratch = MountSpec(.tmpfs, target: "/t")
        scratch.options = ["size=1048576", "mode=1770", "exec"]
        (spec.mounts, spec.networkMode) = ([unnamed, short, image, lent, scratch], NetworkMode.none)
        var details = ContainerDetails(
            id: "abc", name: "web", spec: spec, imageID: "sha256:1", createdAt: time,
            state: ContainerState(status: .running), arguments: ["x"], environment: [], workingDirectory: "/",
            user: "", hostname: "h")
        details.places.volumesDirectory = "/vs"
        let body = details.dockerBody
        #expect(body["HostConfig"]?["Binds"] == ["/short"])
        #expect(
            body["HostConfig"]?["Mounts"] == [
                ["Type": "volume", "Target": "/unnamed"],
                [
                    "Type": "tmpfs", "Target": "/t",
                    "TmpfsOptions": ["SizeBytes": 1_048_576, "Mode": 1016, "Options": [["exec"]]],
                ],
            ])
        let told = body["Mounts"]?.array ?? []
        #expect(told.map { $0["Destination"] } == ["/unnamed", "/short", "/image", "/lent", "/t"])
        #expect(told.map { $0["Mode"] } == ["z", "z", "", "", ""])
        let back = try #require(ContainerDetails(dockerBody: body)).spec.mounts
        #expect(Set(back.map(\.target)) == Set(spec.mounts.map(\.target)))
        for mount in spec.mounts where mount.kind == .volume {
            let found = back.first { $0.target == mount.target }
            #expect(found?.source == mount.source && found?.addition == mount.addition, "\(mount.target)")
        }
        // Whoever makes another container of it wants these very volumes.
        spec.mounts = back
        let request = spec.dockerCreateBody["HostConfig"]
        #expect(request?["Binds"] == ["2c3d:/short"])
        let asked = request?["Mounts"]?.array ?? []
        #expect(Set(asked.compactMap { $0["Source"]?.string }) == ["0a1b", "4e5f", "/h"])
    }

    @Test(
        "A mount in short form is told of as it was said, but for what was changed since",
        arguments: [
            ("v:/d:rw", "rw"), ("v:/d", "z"), ("/h:/d:z,ro", "z,ro"), ("/h:/d:rslave,ro", "rslave,ro"), ("/h:/d", ""),
            ("/h:/d:ro", "ro"), ("v:/d:nocopy,cached", "nocopy,cached"), ("/h:/d:rw,Z", "rw,Z"),
        ])
    func shortForms(text: String, mode: String) throws {
        var spec = ContainerSpec(image: "a")
        spec.mounts = [try MountReading.bind(text)]
        let details = ContainerDetails(
            id: "abc", name: "web", spec: spec, imageID: "sha256:1", createdAt: time,
            state: ContainerState(status: .running), arguments: ["x"], environment: [], workingDirectory: "/",
            user: "", hostname: "h")
        let body = details.dockerBody
        #expect(body["HostConfig"]?["Binds"] == [.string(text)])
        #expect(body["Mounts"]?.array?.first?["Mode"] == .string(mode))
        #expect(ContainerDetails(dockerBody: body)?.spec.mounts.first?.shortMode == spec.mounts[0].shortMode)
        spec.mounts[0].readOnly.toggle()
        let changed = spec.dockerCreateBody["HostConfig"]?["Binds"]?.array?.first?.string ?? ""
        #expect(try MountReading.bind(changed).readOnly == spec.mounts[0].readOnly)
    }

    @Test("That nothing labels a privileged container is told once, also of one that was made from an inspection")
    func labels() throws {
        var spec = ContainerSpec(image: "a:1")
        (spec.privileged, spec.noNewPrivileges) = (true, true)
        for _ in 0..<3 {
            let details = ContainerDetails(
                id: "abc", name: "web", spec: spec, imageID: "sha256:1", createdAt: time,
                state: ContainerState(status: .created), arguments: ["x"], environment: [], workingDirectory: "/",
                user: "", hostname: "h")
            let options = details.dockerBody["HostConfig"]?["SecurityOpt"]?.array?.compactMap(\.string) ?? []
            #expect(options.sorted() == ["label=disable", "no-new-privileges"])
            spec = try #require(ContainerDetails(dockerBody: details.dockerBody)).spec
        }
    }

    @Test("Who is in a network that needs nothing is there under an id while it runs")
    func builtInNetworks() {
        var summary = ContainerSummary(
            id: "abc", name: "web", image: "a", imageID: "b", command: "c", createdAt: time,
            state: ContainerState(status: .running), labels: [:], tty: false, networkMode: "none", mounts: [])
        func end() -> JSONValue? {
            summary.dockerBody(now: time)["NetworkSettings"]?["Networks"]?["none"]?["EndpointID"]
        }
        #expect(end() == "abc")
        summary.state = ContainerState(status: .exited)
        #expect(end() == "")
    }
}
