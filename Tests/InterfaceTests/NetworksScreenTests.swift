import EngineAPI
import Terminal
import Testing

@testable import Interface

/// The screens of networks and volumes, and the keys for ports.
@Suite struct NetworksScreenTests {
    static let networks: [NetworkDetails] = [("bridge", "bridge", "172.17.0.0/16"), ("front", "bridge", "10.7.0.0/24")]
        .enumerated().map { index, facts in
            var spec = NetworkSpec(name: facts.0)
            spec.driver = facts.1
            spec.pools = [AddressPool(subnet: facts.2)]
            return NetworkDetails(id: "net\(index)", spec: spec, createdAt: Sample.now)
        }

    /// The sample's containers; the first is in `front`, or in both.
    static func containers(inBoth: Bool = false) -> [ContainerSummary] {
        var list = Sample.containers
        list[0].networkMode = "front"
        list[1].networkMode = "bridge"
        let joined = inBoth ? [0, 1] : [1]
        for index in joined.indices {
            let network = networks[joined[index]]
            var endpoint = EndpointDetails(
                networkName: network.spec.name, networkID: network.id, spec: EndpointSpec())
            endpoint.endpointID = "endpoint\(index)"
            endpoint.ipv4Address = "10.7.0.\(2 + index)"
            list[0].networks.append(endpoint)
        }
        list[0].ports = [
            PortMapping(ContainerPort(80), hostAddress: "0.0.0.0", hostPort: 8080),
            PortMapping(ContainerPort(80), hostAddress: "::", hostPort: 8080),
            PortMapping(ContainerPort(53, .udp), hostAddress: "0.0.0.0", hostPort: 5353),
        ]
        return list
    }

    static let volumes: [VolumeDetails] = ["cache", "pages"].map { name in
        var volume = VolumeDetails(spec: VolumeSpec(name: name), createdAt: Sample.now, mountpoint: "/v/\(name)")
        volume.users = name == "pages" ? [Sample.id(1)] : []
        return volume
    }

    static func open(_ key: String, inBoth: Bool = false) throws -> Bench {
        var bench = try Bench.connected(containers: containers(inBoth: inBoth))
        bench.type(key)
        bench.send(.networks(networks))
        bench.send(.volumes(volumes))
        return bench
    }

    @Test("Keys of the screens ask the engine for what the row allows")
    func actions() throws {
        let front = EngineAction.Target(id: "net1", name: "front")
        let web = EngineAction.Target(id: Sample.id(1), name: "web")
        var made = NetworkSpec(name: "back")
        made.pools = [AddressPool(subnet: "10.8.0.0/24")]
        made.isInternal = true
        var memory = VolumeSpec(name: "memory")
        memory.options = ["type": "tmpfs", "device": "tmpfs", "o": "size=1m"]
        let cases: [(keys: String, action: EngineAction?)] = [
            ("Ndy", nil), ("Njdy", nil), ("Njjdy", .disconnect(web, from: front)), ("NPy", .pruneNetworks),
            ("Nnback<tab><tab>10.8.0.0/24<tab><tab><tab><tab> <enter>", .createNetwork(made)),
            ("Nn<enter>", nil), ("Nnback<tab><tab><tab>10.8.0.1<enter>", nil),
            ("Njc<enter>", .connect("database", to: front, EndpointSpec())),
            ("Vdy", .removeVolume("cache")), ("Vjdy", nil), ("VPy", .pruneVolumes),
            ("Vnmemory<tab> <tab><tab>size=1m<enter>", .createVolume(memory)),
            ("Vnplace<tab>  <enter>", nil),
        ]
        for (keys, wanted) in cases {
            var bench = try Self.open(String(keys.prefix(1)))
            _ = bench.takeEffects()
            bench.type(String(keys.dropFirst()))
            let asked = bench.takeEffects().compactMap { effect -> EngineAction? in
                if case .perform(_, let action) = effect { action } else { nil }
            }
            #expect(asked == (wanted.map { [$0] } ?? []), "\(keys)")
        }
    }

    @Test("A network of the machine's own device is asked what its driver has to be told, and keeps the rest")
    func parents() throws {
        var bench = try Self.open("N")
        bench.type("nlan<tab>")
        #expect(!bench.text.contains("Parent") && !bench.text.contains("Mode"))
        bench.type("ipv")
        #expect(bench.text.contains("‹ ipvlan ›") && bench.text.contains("Parent") && bench.text.contains("‹ l2 ›"))
        bench.type("<tab>eth0<tab><right><tab>10.9.0.0/24 fd09::/64<tab>10.9.0.254<tab>10.9.0.128/25")
        bench.type("<tab> <tab> <tab> <tab>com.docker.network.driver.mtu=1400")
        for _ in 0..<7 { bench.type("<shift-tab>") }
        #expect(bench.text.contains("‹ l3 ›"), "the mode is kept")
        bench.type("<shift-tab><shift-tab><left>")
        #expect(bench.text.contains("‹ macvlan ›") && bench.text.contains("‹ bridge ›  1/4"), "its modes are others")
        #expect(bench.text.contains("eth0") && bench.text.contains("10.9.0.254"))
        bench.type("<right><tab><tab>l3s")
        _ = bench.takeEffects()
        bench.type("<enter>")
        var spec = NetworkSpec(name: "lan")
        (spec.driver, spec.enablesIPv6, spec.isInternal, spec.isAttachable) = ("ipvlan", true, true, true)
        spec.options = ["parent": "eth0", "ipvlan_mode": "l3s", "com.docker.network.driver.mtu": "1400"]
        spec.pools = [
            AddressPool(subnet: "10.9.0.0/24", range: "10.9.0.128/25", gateway: "10.9.0.254"),
            AddressPool(subnet: "fd09::/64"),
        ]
        let asked = bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
        #expect(asked == [.createNetwork(spec)])
        let line = bench.model.commands.entries.first?.line() ?? ""
        for words in [
            "-d ipvlan", "--ip-range 10.9.0.128/25", "--internal --attachable", "-o ipvlan_mode=l3s -o parent=eth0",
        ] { #expect(line.contains(words), "\(line)") }
        bench = try Self.open("N")
        bench.type("nlan<tab><tab><tab>fd09::1<enter>")
        #expect(bench.text.contains("must have a corresponding subnet"))
        bench.type("<shift-tab>10.9.0.0/24<enter>")
        #expect(bench.text.contains("no matching subnet for fd09::1"))
    }

    @Test("i tells all of a network, of a container in it, and of a volume")
    func inspection() throws {
        var bench = try Self.open("N")
        _ = bench.takeEffects()
        bench.type("ji")
        #expect(bench.takeEffects() == [.inspectObject(.network("net1"))])
        var front = Self.networks[1]
        front.spec.pools[0].gateway = "10.7.0.1"
        front.spec.pools[0].auxiliary = ["printer": "10.7.0.9"]
        front.spec.isInternal = true
        front.spec.options = ["com.docker.network.driver.mtu": "1400"]
        front.hostInterface = "br-front"
        front.members[Sample.id(1)] = NetworkMember(
            name: "web", endpointID: "e", macAddress: "02:42:0a:07:00:02", ipv4Address: "10.7.0.2/24", ipv6Address: "")
        bench.send(.networkInspected(front))
        #expect(bench.row(0).hasPrefix(" inspect front"))
        for words in [
            "id        net1", "driver    bridge", "internal  yes: no way out", "device    br-front",
            "subnet     10.7.0.0/24", "  gateway  10.7.0.1", "  printer  10.7.0.9",
            "web  10.7.0.2/24  02:42:0a:07:00:02", "com.docker.network.dri", "1400",
        ] { #expect(bench.text.contains(words), "\(words)") }
        #expect(bench.model.commands.entries.first?.line() == "docker network inspect front")
        bench.type("qji")
        #expect(bench.takeEffects().last == .inspect(Sample.id(1), .show))
        bench.send(.notInspected(Sample.id(1), "No such container: web"))
        #expect(bench.model.status?.text == "No such container: web" && bench.model.keyContext == .networks)

        var list = Self.containers()
        var mount = MountSpec(.volume, source: "pages", target: "/srv")
        mount.readOnly = true
        list[0].mounts = [mount]
        bench = try Bench.connected(containers: list)
        bench.type("V")
        bench.send(.volumes(Self.volumes))
        bench.model.volumes?[1].sizeBytes = 3 << 20
        _ = bench.takeEffects()
        bench.type("ji")
        #expect(bench.takeEffects() == [.inspectObject(.volume("pages"))])
        var pages = Self.volumes[1]
        pages.spec.labels = ["of": "tests"]
        bench.send(.volumeInspected(pages))
        for words in ["mountpoint  /v/pages", "size        3.0MiB", "web  /srv (read only)", "of  tests"] {
            #expect(bench.text.contains(words), "\(words)")
        }
        #expect(!bench.text.contains("options"))
        #expect(bench.model.commands.entries.first?.line() == "docker volume inspect pages")
    }

    @Test("Opening a screen asks for its list, and so does what changes it while it is open")
    func refreshes() throws {
        var bench = try Bench.connected()
        bench.type("N")
        #expect(bench.takeEffects().contains(.refreshNetworks))
        bench.send(
            .event(EngineEvent(kind: .network, action: "create", actorID: "x", attributes: [:], time: Sample.now)))
        #expect(bench.takeEffects().contains(.refreshNetworks))
        bench.type("<esc>V")
        #expect(bench.takeEffects().contains(.refreshVolumes(measuring: true)))
        bench.send(
            .event(EngineEvent(kind: .network, action: "create", actorID: "x", attributes: [:], time: Sample.now)))
        #expect(!bench.takeEffects().contains(.refreshNetworks))
    }

    @Test("What happens to containers does not have all volumes measured; what is done to volumes does")
    func volumeRefreshes() throws {
        var bench = try Bench.connected()
        bench.type("V")
        _ = bench.takeEffects()
        for (kind, action) in [(EngineEvent.Kind.container, "die"), (.volume, "mount"), (.volume, "create")] {
            bench.send(.event(EngineEvent(kind: kind, action: action, actorID: "x", attributes: [:], time: Sample.now)))
            let effects = bench.takeEffects()
            #expect(effects.contains(.refreshVolumes(measuring: false)))
            #expect(!effects.contains(.refreshVolumes(measuring: true)))
        }
        bench.type("ndata<enter>")
        bench.send(.job(try #require(bench.model.jobs.first?.id), .succeeded(.done("volume data made"))))
        #expect(bench.takeEffects().contains(.refreshVolumes(measuring: true)))
    }

    @Test("A volume is measured once, and again where somebody wants to know")
    func measuring() async throws {
        func volume(_ name: String) -> VolumeDetails {
            VolumeDetails(spec: VolumeSpec(name: name), createdAt: Sample.now, mountpoint: "/")
        }
        let engine = ScriptedEngine()
        engine.state.withLock { $0.volumes = [volume("a"), volume("b")] }
        let mailbox = Mailbox()
        let reading = VolumeReading(engine: engine, mailbox: mailbox)
        func looks() -> Int { engine.calls.count { $0 == "usage" } }
        await reading.read(measuringAll: false)
        await reading.read(measuringAll: false)
        #expect(looks() == 1)
        engine.state.withLock { $0.volumes.append(volume("c")) }
        await reading.read(measuringAll: false)
        #expect(looks() == 2)
        engine.state.withLock { _ = $0.volumes.removeFirst() }
        await reading.read(measuringAll: false)
        #expect(looks() == 2)
        await reading.read(measuringAll: true)
        await reading.read(measuringAll: false)
        var model = try Bench.connected().model
        for message in mailbox.take(limit: 100) { _ = update(&model, message) }
        #expect(model.volumes?.map(\.sizeBytes) == [3, 3], "what is not measured anew keeps what it had")
    }

    @Test("Each network of a container has the traffic of its own device, in the order of joining")
    func traffic() throws {
        var bench = try Self.open("N", inBoth: true)
        #expect(
            bench.model.subscriptions.contains { if case .stats(let ids) = $0 { ids == [Sample.id(1)] } else { false } }
        )
        for second in 0..<2 {
            var sample = Sample.stats(Sample.id(1), second: second)
            for (device, step) in [("eth0", 1000), ("eth1", 5000)] {
                var counters = NetworkStats()
                counters.receivedBytes = UInt64(second * step)
                sample.networks[device] = counters
            }
            bench.send(.stats([sample]))
        }
        let web = try #require(bench.model.container(Sample.id(1)))
        #expect(bench.model.traffic(of: web, in: Self.networks[0])?.receivedBytes == 1000)
        #expect(bench.model.traffic(of: web, in: Self.networks[1])?.receivedBytes == 5000)
    }

    @Test("A new container's form offers the networks that there are, and keeps what was chosen")
    func offeredNetworks() throws {
        var bench = try Bench.connected()
        bench.type("n")
        guard case .form(let before)? = bench.model.dialogs.last else { return #expect(Bool(false), "no form") }
        #expect(before[.network]?.kind == .choice(["bridge", "none", "host"], 0))
        bench.send(.networks(Self.networks))
        guard case .form(let after)? = bench.model.dialogs.last else { return #expect(Bool(false), "no form") }
        #expect(after[.network]?.kind == .choice(["bridge", "front", "none", "host"], 0))
    }

    @Test("The container that was chosen is the one that is connected; others are come to by their first letters")
    func chosenContainer() throws {
        var list = Self.containers()
        for index in 1...4 { list[index].networkMode = "bridge" }
        for (keys, name) in [
            ("", "failed"), ("d", "database"), ("fr", "fresh"), ("ff", "failed"), ("f", "fresh"),
            ("frb", "batch-of-the-night"),
        ] {
            var bench = try Bench.connected(containers: list)
            bench.type("jjjN")
            bench.send(.networks(Self.networks))
            bench.type("jc\(keys)<enter>")
            let asked = bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
            #expect(asked == [.connect(name, to: .init(id: "net1", name: "front"), EndpointSpec())], "\(keys)")
        }
    }

    @Test("Enter on a container of a network leads to its row")
    func toContainer() throws {
        var bench = try Self.open("N")
        bench.type("jj<enter>")
        #expect(bench.model.dialogs.isEmpty)
        #expect(bench.model.selectedContainer?.name == "web")
    }

    @Test("A published port is opened where there is a desktop, else copied; several are chosen from")
    func ports() throws {
        var bench = try Bench.connected(containers: Self.containers())
        bench.type("w")
        #expect(bench.takeEffects().contains(.copy("http://127.0.0.1:8080/")))
        bench.model.hasDesktop = true
        bench.type("w")
        #expect(bench.takeEffects().contains(.open("http://127.0.0.1:8080/")))
        var list = Self.containers()
        list[0].ports.append(PortMapping(ContainerPort(443), hostAddress: "10.0.0.1", hostPort: 8443))
        bench.send(.containers(list))
        bench.type("w<down><enter>")
        #expect(bench.takeEffects().contains(.open("http://10.0.0.1:8443/")))
        #expect(list[0].portText == "5353:53/udp 8080:80 8443:443")
    }

    @Test("The cursor goes to what was just made, wherever it is sorted to")
    func made() throws {
        var bench = try Self.open("N")
        bench.type("nback<enter>")
        let job = try #require(bench.model.jobs.last?.id)
        // The engine's event may bring the list before the call's end.
        let back = NetworkDetails(id: "net2", spec: NetworkSpec(name: "back"), createdAt: Sample.now)
        bench.send(.networks([back] + Self.networks))
        bench.send(.job(job, .succeeded(.done("network back made"))))
        #expect(bench.model.selectedNetworkRow?.network.spec.name == "back")

        var other = try Self.open("V")
        other.type("n<enter>")
        let volume = try #require(other.model.jobs.last?.id)
        other.send(.job(volume, .succeeded(.done("volume made"))))
        let fresh = VolumeDetails(spec: VolumeSpec(name: "m"), createdAt: Sample.now, mountpoint: "/v/m")
        other.send(.volumes([Self.volumes[0], fresh, Self.volumes[1]]))
        #expect(other.model.selectedVolume?.spec.name == "m")
        // What others make later moves nobody.
        let later = VolumeDetails(spec: VolumeSpec(name: "z"), createdAt: Sample.now, mountpoint: "/v/z")
        other.send(.volumes(Self.volumes + [fresh, later]))
        #expect(other.model.selectedVolume?.spec.name == "m")
    }
}
