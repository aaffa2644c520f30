import EngineAPI
import Testing

@testable import Interface

/// Compose projects in the list of containers.
@Suite struct ProjectTests {
    /// `web` and `database` of the project `shop`, and three that are of none.
    static var containers: [ContainerSummary] {
        var list = Sample.containers
        for index in [0, 1] { list[index].labels["com.docker.compose.project"] = "shop" }
        return list
    }

    private static func asked(_ bench: inout Bench) -> [EngineAction] {
        bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
    }

    private static func lines(_ bench: Bench) -> [String] {
        bench.model.containers.lines.map { line in
            switch line {
            case .project(let project): "\(project.name):\(project.isFolded ? "folded" : "open")"
            case .container(let container, let isMember): isMember ? "  \(container.name)" : container.name
            }
        }
    }

    @Test("Containers of a project stand below it, and fold")
    func fold() throws {
        var bench = try Bench.connected(containers: Self.containers)
        bench.fillFigures()
        let others = ["batch-of-the-night", "failed", "fresh"]
        #expect(Self.lines(bench) == ["shop:open", "  web", "  database"] + others)
        #expect(bench.row(2).contains("▾ 2 of 2") && bench.row(2).contains("shop"))
        #expect(bench.row(3).contains("  web"))
        #expect(bench.model.selectedContainer?.name == "web", "who was on a container stays there")
        bench.type("k<enter>")
        #expect(Self.lines(bench) == ["shop:folded"] + others)
        #expect(bench.row(2).contains("▸ 2 of 2"))
        bench.type("P")
        #expect(Self.lines(bench) == ["web", "database"] + others)
        bench.type("P")
        #expect(Self.lines(bench).first == "shop:folded")
        #expect(bench.model.preferences.groupsProjects)
    }

    @Test("What is asked of a project is asked of its containers, after a question")
    func actions() throws {
        let targets = [1, 2].map { EngineAction.Target(id: Sample.id($0), name: $0 == 1 ? "web" : "database") }
        for (keys, wanted) in [
            ("sy", targets.map { .stop($0) }), ("rn", []), ("ry", targets.map { .restart($0) }), ("S", []),
            ("dy", targets.map { .remove($0, force: true, volumes: false) }), ("d<enter>", []),
            (" sy", targets.map { .stop($0) }),
        ] as [(String, [EngineAction])] {
            for fold in ["", "<enter>"] {
                var bench = try Bench.connected(containers: Self.containers)
                bench.type("g" + fold + keys)
                #expect(Self.asked(&bench) == wanted, "\(fold)\(keys)")
            }
        }
        var bench = try Bench.connected(containers: Self.containers)
        bench.type("gm")
        guard case .logs(let screen)? = bench.model.dialogs.last else { return #expect(Bool(false), "no log") }
        #expect(screen.sources.map(\.name) == ["web", "database"])
    }

    @Test("Who is led to a container of a folded project sees it")
    func unfolds() throws {
        var bench = try Bench.connected(containers: Self.containers)
        bench.type("g<enter>")
        bench.send(
            .event(
                .init(
                    kind: .container, action: "die", actorID: Sample.id(2), attributes: ["name": "database"],
                    time: Sample.now)))
        bench.type("t<enter>")
        #expect(bench.model.selectedContainer?.name == "database")
    }

    @Test("Keys that need a container say nothing wrong on a project")
    func others() throws {
        var bench = try Bench.connected(containers: Self.containers)
        bench.type("g")
        _ = bench.takeEffects()
        bench.type("iuERyaf")
        #expect(bench.takeEffects().isEmpty && bench.model.dialogs.isEmpty)
        bench.type("/web<enter>")
        #expect(Self.lines(bench) == ["shop:open", "  web"])
        #expect(bench.model.subscriptions.contains(.stats([Sample.id(1)])))
    }

    @Test("A chosen project is told of as a whole: states, figures, services, files")
    func report() throws {
        var list = Self.containers
        list[3].labels["com.docker.compose.project"] = "shop"
        list[3].state.oomKilled = true
        list[0].labels["com.docker.compose.service"] = "front"
        list[0].labels["com.docker.compose.project.config_files"] = "/srv/shop/compose.yml"
        var bench = try Bench.connected(120, 40, containers: list)
        bench.fillFigures()
        bench.type("g")
        for text in [
            "stats · shop", "2 running · 1 out of memory", "cpu ", "pids 4", "services: front",
            "files: /srv/shop/compose.yml", "m reads the logs of its containers as one, enter folds",
        ] { #expect(bench.text.contains(text), "\(text)") }
    }

    @Test("The filter knows projects, labels and networks, and what is to be left out")
    func filter() throws {
        var list = Self.containers
        list[4].labels["tier"] = "Back"
        list[4].networks = [EndpointDetails(networkName: "Inner", networkID: "n", spec: EndpointSpec())]
        for (word, names) in [
            ("shop", ["web", "database"]), ("tier=back", ["fresh"]), ("tier", []), ("er=b", ["fresh"]),
            ("inner", ["fresh"]), ("inn", []), ("!shop !exited", ["batch-of-the-night", "fresh"]),
            ("shop !web", ["database"]), ("shop !", ["web", "database"]),
        ] {
            var bench = try Bench.connected(containers: list)
            bench.type("/\(word)")
            #expect(bench.model.containers.rows.map(\.name) == names, "\(word)")
        }
    }
}
