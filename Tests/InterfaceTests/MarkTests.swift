import EngineAPI
import Terminal
import Testing

@testable import Interface

/// Things that are done to several objects at once, and limits changed while a container runs.
@Suite struct MarkTests {
    private static func asked(_ bench: inout Bench) -> [EngineAction] {
        bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
    }

    private static func target(_ number: Int) -> EngineAction.Target {
        .init(id: Sample.id(number), name: Sample.containers[number - 1].name)
    }

    @Test("Marked containers are acted on together, after one question, each as it allows")
    func actions() throws {
        let cases: [(keys: String, actions: [EngineAction])] = [
            ("  sy", [.stop(Self.target(1)), .stop(Self.target(2))]),
            ("*s<enter>", [1, 2, 3].map { .stop(Self.target($0)) }),
            ("*S<enter>", [4, 5].map { .start(Self.target($0)) }),
            ("*p<enter>", [1, 2].map { .pause(Self.target($0)) }),
            ("jj pn", []), ("jj py", [.unpause(Self.target(3))]), ("**sy", [.stop(Self.target(1))]),
            (" <esc>dn", []), ("*d<enter>", []),
            ("jjj  d<enter>", [4, 5].map { .remove(Self.target($0), force: false, volumes: false) }),
            (
                "*Dy",
                (1...5).map { .remove(Self.target($0), force: $0 <= 3, volumes: true) }
            ),
            ("  <F9>hup<enter>y", [1, 2].map { .kill(Self.target($0), signal: "HUP") }),
        ]
        for (keys, wanted) in cases {
            var bench = try Bench.connected()
            _ = bench.takeEffects()
            bench.type(keys)
            #expect(Self.asked(&bench) == (keys == "**sy" ? [.stop(Self.target(1))] : wanted), "\(keys)")
        }
    }

    @Test("All containers are acted on without marks, those that the filter leaves; hidden ones too")
    func bulk() throws {
        let cases: [(keys: String, actions: [EngineAction])] = [
            ("b<enter>y", [4, 5].map { .remove(Self.target($0), force: false, volumes: false) }),
            ("b<enter><enter>", []), ("bstop all<enter><enter>", []),
            ("bstart all<enter><enter>", [4, 5].map { .start(Self.target($0)) }),
            ("eb<enter>y", [4, 5].map { .remove(Self.target($0), force: false, volumes: false) }),
            ("bstop all<enter>y", [1, 2, 3].map { .stop(Self.target($0)) }),
            ("bstart all<enter>y", [4, 5].map { .start(Self.target($0)) }),
            ("brestart<enter>y", [1, 2, 3].map { .restart(Self.target($0)) }),
            ("b<enter>n", []), ("b<esc>", []),
            ("/failed<enter>b<enter>y", [.remove(Self.target(4), force: false, volumes: false)]),
            (" b<enter>y", [4, 5].map { .remove(Self.target($0), force: false, volumes: false) }),
        ]
        for (keys, wanted) in cases {
            var bench = try Bench.connected()
            _ = bench.takeEffects()
            bench.type(keys)
            #expect(Self.asked(&bench) == wanted, "\(keys)")
        }
        var bench = try Bench.connected()
        bench.type("b")
        #expect(bench.text.contains("all containers") && bench.text.contains("stop all that run"))
        bench.type("<enter>")
        #expect(bench.text.contains("remove 2 containers?") && bench.text.contains("failed fresh"))
        #expect(bench.text.contains("Volumes stay.") && !bench.text.contains("removes unnamed ones"))
        bench.type("<esc>/web<enter>b")
        #expect(bench.text.contains("all of /web") && !bench.text.contains("remove all that do not run"))
    }

    @Test("Marks that the filter hides are told of, and the menu says that it is about the marked ones")
    func hidden() throws {
        var bench = try Bench.connected(100, 30)
        bench.type(" j /data<enter>")
        #expect(bench.text.contains("2 marked, 2 hidden"))
        bench.type(" x")
        #expect(bench.text.contains("3 marked, 2 hidden") && bench.text.contains("3 marked · chosen: database"))
        bench.type("<esc><esc>x")
        #expect(!bench.text.contains("3 marked"))
    }

    @Test("Marks are seen, counted, kept while others come and go, and gone with their container")
    func marks() throws {
        var bench = try Bench.connected()
        bench.type(" j ")
        #expect(bench.text.contains("2 marked"))
        #expect(bench.row(2).hasPrefix("✓ running") && bench.row(4).hasPrefix("✓ paused"))
        bench.type("/fail<enter>")
        #expect(bench.model.containers.cursor.marked.count == 2)
        bench.send(.containers(Array(Sample.containers.dropFirst())))
        #expect(bench.model.containers.cursor.marked == [Sample.id(3)])
        bench.type("<esc>")
        #expect(bench.model.containers.cursor.marked.isEmpty)
    }

    @Test("Things asked for together are counted together, and given up together")
    func givenUp() throws {
        var bench = try Bench.connected()
        bench.type("*s<enter>")
        let jobs = bench.model.jobs.map(\.id)
        bench.send(.job(jobs[0], .succeeded(.done("web stopped"))))
        #expect(bench.row(22).contains("stop 3 containers… 1 of 3  esc stops waiting"))
        bench.type("<esc>")
        #expect(bench.model.jobs.isEmpty && bench.model.batches.isEmpty)
        #expect(bench.row(22) == "stop 3 containers: goes on, not waited for")
        // What still comes of them is no news.
        bench.send(.job(jobs[1], .failed(EngineError(.internal, "too late"))))
        #expect(bench.row(22) == "stop 3 containers: goes on, not waited for")
        bench.type("Ippostgres:16<enter>")
        #expect(bench.row(22).contains("ctrl-c cancels"))
    }

    @Test("What became of each is told once all have ended; failures are listed with their reasons")
    func results() throws {
        var bench = try Bench.connected()
        bench.type("*s<enter>")
        let jobs = bench.model.jobs.map(\.id)
        bench.send(.job(jobs[0], .succeeded(.done("web stopped"))))
        bench.send(.job(jobs[1], .failed(EngineError(.internal, "the kernel said no"))))
        #expect(bench.model.dialogs.isEmpty)
        bench.send(.job(jobs[2], .failed(EngineError(.notModified, ""))))
        #expect(bench.text.contains("✗ stop database: the kernel said no"))
        #expect(bench.text.contains("✓ stop web") && bench.text.contains("✓ stop batch-of-the-night"))
        #expect(bench.model.status?.text == "stop 3 containers: 1 failed")
        bench.type("<esc>*s<enter>")
        for job in bench.model.jobs { bench.send(.job(job.id, .succeeded(.done("")))) }
        #expect(bench.model.status?.text == "stop 3 containers: done" && bench.model.dialogs.isEmpty)
    }

    @Test("Marked networks go after the containers that are marked in them were disconnected, whatever came of that")
    func networks() throws {
        let front = EngineAction.Target(id: "net1", name: "front")
        var bench = try NetworksScreenTests.open("N")
        _ = bench.takeEffects()
        bench.type("*")
        #expect(bench.row(0).contains("3 marked") && bench.row(2).hasPrefix("✓ bridge"))
        bench.type("d")
        #expect(bench.text.contains("disconnect web from front, remove network front?"))
        #expect(bench.text.contains("Networks that are always there stay."))
        bench.type("y")
        #expect(Self.asked(&bench) == [.disconnect(Self.target(1), from: front)])
        let first = try #require(bench.model.jobs.first?.id)
        bench.send(.job(first, .failed(EngineError(.internal, "not now"))))
        #expect(Self.asked(&bench) == [.removeNetwork(front)])
        #expect(bench.row(22).contains("1 of 2"))
        let second = try #require(bench.model.jobs.first?.id)
        bench.send(.job(second, .failed(EngineError(.conflict, "it has active endpoints"))))
        #expect(bench.text.contains("✗ disconnect web from front: not now"))
        #expect(bench.text.contains("✗ remove network front: it has active endpoints"))
        #expect(
            bench.model.commands.entries.prefix(2).map { $0.line() }
                == ["docker network rm front", "docker network disconnect front web"])
        for (keys, wanted) in [("g d", [EngineAction]()), ("j dy", [.removeNetwork(front)])] {
            bench = try NetworksScreenTests.open("N")
            _ = bench.takeEffects()
            bench.type(keys)
            #expect(Self.asked(&bench) == wanted, "\(keys)")
        }
        #expect(bench.model.listScreen?.cursor.marked.isEmpty == true)
    }

    @Test("Images and volumes are marked, too")
    func lists() throws {
        var bench = try Bench.connected()
        bench.type("I")
        bench.send(.images(ListTests.images(3)))
        bench.type("g  ")
        #expect(bench.row(2).hasPrefix("✓ app:100") && bench.row(0).contains("2 marked"))
        _ = bench.takeEffects()
        bench.type("dy")
        #expect(Self.asked(&bench).count == 2)
        bench.type("<esc>V")
        bench.send(.volumes(NetworksScreenTests.volumes))
        bench.type("*d<enter>")
        #expect(Self.asked(&bench) == [])
        bench.type("*dy")
        #expect(Self.asked(&bench) == [.removeVolume("cache"), .removeVolume("pages")])
    }

    private static func limits(_ keys: String) throws -> (Bench, EngineAction?) {
        var details = Sample.details(Sample.containers[0])
        details.spec.limits.memorySwapBytes = 128 << 20
        details.spec.limits.nanoCPUs = 500_000_000
        var bench = try Bench.connected()
        bench.fillFigures()
        bench.type("u")
        #expect(bench.takeEffects().contains(.inspect(Sample.id(1), .editLimits)))
        bench.send(.inspected(details, .editLimits))
        #expect(bench.text.contains("limits of web") && bench.text.contains("now: 14.0MiB, cpu 9.0%, 2 processes"))
        bench.type(keys)
        return (bench, asked(&bench).first)
    }

    @Test("Limits are changed while a container runs: what was not touched is not sent")
    func limits() throws {
        func update(_ change: (inout ContainerUpdate) -> Void) -> EngineAction {
            var update = ContainerUpdate()
            change(&update)
            return .update(Self.target(1), update)
        }
        let cases: [(keys: String, action: EngineAction?)] = [
            ("<enter>", nil), ("<esc>", nil),
            (
                "<ctrl-u>100m<enter>",
                update { ($0.limits.memoryBytes, $0.limits.memorySwapBytes) = (100 << 20, 164 << 20) }
            ),
            ("<tab><ctrl-u>1.5<tab>50<enter>", update { ($0.limits.nanoCPUs, $0.limits.pids) = (1_500_000_000, 50) }),
            ("<tab><tab><tab><right><enter>", update { $0.restartPolicy = RestartPolicy(.always) }),
            ("<ctrl-u><enter>", update { ($0.limits.memoryBytes, $0.limits.memorySwapBytes) = (-1, -1) }),
            ("<ctrl-u>64q<enter>", nil), ("<ctrl-u>5m<enter>", nil),
            ("<tab><ctrl-u>-1<enter>", nil),
        ]
        for (keys, wanted) in cases { #expect(try Self.limits(keys).1 == wanted, "\(keys)") }
        #expect(try Self.limits("<ctrl-u>5m").0.text.contains("6m is the least"))
        var bench = try Bench.connected()
        var details = Sample.details(Sample.containers[0])
        (details.spec.limits.nanoCPUs, details.spec.limits.pids) = (500_000_000, 50)
        bench.send(.inspected(details, .editLimits))
        bench.type("<tab><ctrl-u><tab><ctrl-u><enter>")
        let lifted = update { ($0.limits.cpuQuotaMicroseconds, $0.limits.pids) = (-1, -1) }
        #expect(Self.asked(&bench) == [lifted], "a limit that is emptied is taken away")
    }

    @Test("Limits are written as people type them, and read back as they were")
    func texts() {
        for (count, text) in [(64 << 20, "64m"), (3 << 30, "3g"), (1536 << 10, "1536k"), (1000, "1000")]
            as [(Int64, String)]
        {
            #expect(LimitText.bytes(count) == text)
            #expect(FormValidation.bytes(text) == count)
        }
        #expect(LimitText.bytes(0) == nil && LimitText.cpus(0) == nil)
        for (nanos, text) in [(500_000_000, "0.5"), (2_000_000_000, "2"), (1_250_000_000, "1.25")] as [(Int64, String)]
        {
            #expect(LimitText.cpus(nanos) == text)
            #expect(FormValidation.nanoCPUs(text) == nanos)
        }
    }

    @Test("What failed of many is told with its whole reason")
    func wholeReasons() throws {
        let reason = (1...40).map { "why\($0)" }.joined(separator: " ")
        let batch = Batch(
            title: "stop 2", count: 2,
            outcomes: [
                Batch.Outcome(label: "stop a", failure: reason), Batch.Outcome(label: "stop b", failure: "no"),
                Batch.Outcome(label: "stop c"),
            ])
        let lines = Pager.results(of: batch, columns: 40).lines.map(\.text)
        #expect(lines.first == "✗ stop a" && lines.contains("✗ stop b: no") && lines.last == "✓ stop c")
        #expect(lines.joined(separator: " ").contains("why40"))
        for line in lines { #expect(!TextWidth.exceeds(40, line), "\(line)") }
    }

    @Test("A menu is about what it was opened for, whatever becomes of the list", arguments: ["<F9>", "x"])
    func menuOfTheChosen(keys: String) throws {
        for isGone in [false, true] {
            var bench = try Bench.connected()
            bench.type(keys)
            _ = bench.takeEffects()
            var others = Array(Sample.containers.dropFirst())
            if !isGone {
                // A filter or a sorting has chosen another one below it.
                bench.model.containers.select(index: 1)
                others = Sample.containers
            }
            bench.send(.containers(others))
            #expect(bench.model.selectedContainer?.id == Sample.id(2))
            bench.type(keys == "x" ? isGone ? "restart<enter>" : "restart<enter>y" : "hup<enter>")
            let action: EngineAction =
                keys == "x" ? .restart(Self.target(1)) : .kill(Self.target(1), signal: "HUP")
            #expect(Self.asked(&bench) == (isGone ? [] : [action]))
            guard isGone else { continue }
            #expect(bench.model.status?.text.contains("gone meanwhile; nothing was done") == true)
        }
    }
}
