import EngineAPI
import Terminal
import Testing

@testable import Interface

/// Ways from one object to another, orders of lists, and what is copied of their rows.
@Suite struct RelatedTests {
    private static func open(_ keys: String = "") throws -> Bench {
        var list = NetworksScreenTests.containers(inBoth: true)
        list[0].mounts = [
            MountSpec(.volume, source: "pages", target: "/srv"), MountSpec(.bind, source: "/a", target: "/b"),
        ]
        list[1].networkMode = "container:web"
        var bench = try Bench.connected(containers: list)
        bench.type(keys)
        bench.send(.images(ImagesScreenTests.images()))
        bench.send(.networks(NetworksScreenTests.networks))
        bench.send(.volumes(NetworksScreenTests.volumes))
        return bench
    }

    private static func menu(_ bench: Bench) -> [String] {
        if case .menu(let menu)? = bench.model.dialogs.last { menu.shown.map(\.label) } else { [] }
    }

    @Test("J leads from a container to its image, networks and volumes, at their rows, and esc back to it")
    func parts() throws {
        var bench = try Self.open("J")
        #expect(
            Self.menu(bench) == ["image gantry/starter:latest", "network bridge", "network front", "volume pages"])
        bench.type("<enter>")
        #expect(bench.model.selectedImage?.name == "gantry/starter:latest")
        bench.type("<esc>J<down><down><enter>")
        #expect(bench.model.selectedNetworkRow?.id == "net1")
        bench.type("<esc>J<pgdn><enter>")
        #expect(bench.model.selectedVolume?.spec.name == "pages")
        bench.type("<esc>")
        #expect(bench.model.dialogs.isEmpty && bench.model.selectedContainer?.name == "web")
        bench.type("jJnetwork of<enter>")
        #expect(bench.model.selectedContainer?.name == "web", "whose network it has")
    }

    @Test("J leads from an image, a network or a volume to the containers that have it")
    func users() throws {
        var bench = try Self.open("I")
        bench.type("/starter<enter>J")
        #expect(Self.menu(bench) == ["batch-of-the-night", "database", "failed", "fresh", "web"])
        bench.type("fresh<enter>")
        #expect(bench.model.dialogs.isEmpty && bench.model.selectedContainer?.name == "fresh")
        bench = try Self.open("N")
        bench.type("J")
        #expect(bench.model.dialogs.isEmpty && bench.model.selectedContainer?.name == "web", "one is no choice")
        bench = try Self.open("V")
        bench.type("J")
        #expect(bench.model.status?.text == "no container has cache" && bench.model.listScreen?.kind == .volumes)
        bench.type("j<enter>")
        #expect(bench.model.dialogs.isEmpty && bench.model.selectedContainer?.name == "web")
    }

    @Test("An event and a row of the disk usage lead to the row of their object")
    func rows() throws {
        var bench = try Self.open("t")
        let event = EngineEvent(
            kind: .volume, action: "create", actorID: "pages", attributes: [:], time: Sample.ago(1))
        bench.send(.journal([event]))
        bench.type("<enter>")
        #expect(bench.model.selectedVolume?.spec.name == "pages")
        bench = try Self.open("U")
        bench.send(.usage(ImagesScreenTests.sampleUsage))
        bench.type("G<enter>")
        #expect(bench.model.selectedVolume?.spec.name == "pages")
    }

    @Test("Lists are sorted by each of their columns, and the title says by which", arguments: [true, false])
    func orders(byKeys: Bool) throws {
        func images(_ facts: [(name: String, bytes: Int64, age: Int64)]) -> [ImageSummary] {
            facts.enumerated().map { index, fact in
                ImageSummary(
                    id: "sha256:\(index)", tags: [fact.name], createdAt: Sample.ago(fact.age), sizeBytes: fact.bytes)
            }
        }
        var bench = try Bench.connected()
        bench.type("I")
        bench.send(.images(images([("a", 10, 30), ("b", 30, 10), ("c", 20, 20)])))
        func rows() -> [String] { bench.model.listScreen.map { bench.model.rowIDs(of: $0) } ?? [] }
        func sort(_ title: String, _ keys: String) {
            guard !byKeys else { return bench.type(keys) }
            guard let column = bench.row(1).range(of: title).map({ bench.row(1).distance(to: $0) }) else { return }
            bench.send(.input(.mouse(MouseEvent(.press(.left), at: Position(column: column, row: 1)))))
        }
        #expect(rows() == ["a", "b", "c"] && bench.row(1).contains("NAME▾"))
        sort("SIZE", "o")
        #expect(rows() == ["b", "c", "a"] && bench.row(1).contains("SIZE▾"))
        #expect(bench.model.selectedImage?.name == "a", "what was chosen stays so")
        sort("AGE", "o")
        #expect(rows() == ["b", "c", "a"] && bench.row(1).contains("AGE▾"))
        sort("AGE", "O")
        #expect(rows() == ["a", "c", "b"] && bench.row(1).contains("AGE▴"))
        bench.type("<F6>size<enter>")
        #expect(rows() == ["b", "c", "a"])
        bench.type("/c<enter>")
        #expect(rows() == ["c"])
    }

    @Test("What is known of a row is copied: names, ids, addresses, directories, times")
    func copies() throws {
        let cases: [(keys: String, choice: String, text: String)] = [
            ("I", "short id", Sample.starter.shortID), ("N", "subnet", "172.17.0.0/16"),
            ("Nj", "address", "10.7.0.2"), ("Vj", "directory", "/v/pages"),
        ]
        for (keys, choice, text) in cases {
            var bench = try Self.open(String(keys.prefix(1)))
            bench.type(String(keys.dropFirst()) + "y\(choice)")
            _ = bench.takeEffects()
            bench.type("<enter>")
            #expect(bench.takeEffects() == [.copy(text)], "\(keys)")
        }
    }
}

extension String {
    fileprivate func range(of words: String) -> String.Index? { ranges(of: words).first?.lowerBound }

    fileprivate func distance(to index: String.Index) -> Int { distance(from: startIndex, to: index) }
}
