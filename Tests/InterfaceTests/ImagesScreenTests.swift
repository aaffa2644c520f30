import EngineAPI
import Terminal
import Testing

@testable import Interface

/// The screen of images, and of what all takes on the disk.
@Suite struct ImagesScreenTests {
    static func images() -> [ImageSummary] {
        [
            Sample.starter,
            ImageSummary(
                id: "sha256:" + Sample.id(7), tags: ["old:1", "old:2"], createdAt: Sample.ago(900_000),
                sizeBytes: 20_000_000),
            ImageSummary(id: "sha256:" + Sample.id(8), tags: [], createdAt: nil, sizeBytes: 5_000_000),
        ]
    }

    private static func open() throws -> Bench {
        var bench = try Bench.connected()
        bench.type("I")
        bench.send(.images(images()))
        _ = bench.takeEffects()
        return bench
    }

    private static func asked(_ bench: inout Bench) -> [EngineAction] {
        bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
    }

    @Test("Keys of the screen ask the engine for what they say")
    func actions() throws {
        let old = EngineAction.Target(id: "old:1", name: "old:1")
        let cases: [(keys: String, action: EngineAction?)] = [
            ("ppostgres:16<enter>", .pull("postgres:16")), ("p<enter>", nil), ("p<esc>", nil),
            ("gjt<ctrl-u>new:1<enter>", .tagImage(old, as: "new:1")), ("gjdy", .removeImage(old, force: false)),
            ("P<enter>y", .pruneImages(all: false)), ("P<down><enter><enter>", nil),
            ("P<down><enter>y", .pruneImages(all: true)), ("L/tmp/a.tar<enter>", .load(path: "/tmp/a.tar")),
        ]
        for (keys, wanted) in cases {
            var bench = try Self.open()
            bench.type(keys)
            #expect(Self.asked(&bench) == (wanted.map { [$0] } ?? []), "\(keys)")
        }
    }

    @Test("An image is inspected: what it runs and how it was made, in sections that fold and whose values are copied")
    func inspection() throws {
        var bench = try Self.open()
        bench.type("gji")
        #expect(bench.takeEffects() == [.inspectObject(.image("old:1"))])
        var details = ImageDetails(summary: Self.images()[1], architecture: "arm64", os: "linux")
        (details.command, details.entrypoint) = (["httpd", "-f"], ["/bin/start up"])
        (details.environment, details.exposedPorts) = (["PATH=/bin"], ["80/tcp"])
        details.layers = ["sha256:lower", "sha256:upper"]
        let history = [
            ImageHistoryStep(createdAt: nil, createdBy: "CMD [\"httpd\"]", sizeBytes: 0),
            ImageHistoryStep(createdAt: nil, createdBy: "COPY . /srv", sizeBytes: 20_000_000),
        ]
        bench.send(.imageInspected("old:1", details, history))
        #expect(bench.row(0).hasPrefix(" inspect old:1"))
        for words in [
            "name      old:2", "platform  linux/arm64", "size      20.0MB", "entrypoint  \"/bin/start up\"",
            "command     httpd -f", "ports       80/tcp", "PATH  /bin", "20.0MB  COPY . /srv", "sha256:upper",
        ] { #expect(bench.text.contains(words), "\(words)") }
        #expect(!bench.text.contains("author") && !bench.text.contains("labels"))
        bench.type("z")
        #expect(bench.row(1).hasPrefix("▸ image (") && !bench.text.contains("linux/arm64"))
        bench.type("jjjy")
        #expect(bench.takeEffects() == [.copy("httpd -f")])
        bench.type("q")
        #expect(bench.model.keyContext == .images)
        #expect(bench.model.commands.entries.first?.line() == "docker image inspect old:1")
        bench.type("i")
        bench.send(.notInspected("old:1", "No such image: old:1"))
        #expect(bench.model.status?.text == "No such image: old:1" && bench.model.keyContext == .images)
    }

    /// A pull that has begun, its three layers known.
    private static func pulling() throws -> (bench: Bench, job: JobID) {
        var bench = try open()
        bench.type("papp:1<enter>")
        let job = try #require(bench.model.jobs.first?.id)
        var progress = JobProgress()
        _ = progress.transfer.take("sha256:aaaaaaaaaaaaaaaa", .existing)
        _ = progress.transfer.take(
            "sha256:bbbbbbbbbbbbbbbb", .downloading(doneBytes: 12_000_000, totalBytes: 48_000_000))
        _ = progress.transfer.take("sha256:cccccccccccccccc", .waiting)
        progress.text = progress.transfer.summary
        bench.send(.job(job, .progress(progress)))
        _ = bench.takeEffects()
        return (bench, job)
    }

    @Test("A pull shows each layer, and Escape cancels it, with what was typed kept")
    func progress() throws {
        var (bench, job) = try Self.pulling()
        for text in ["1 of 3 layers", "bbbbbbbbbbbb", "downloading", "12.0MB of 48.0MB", "already here", "waiting"] {
            #expect(bench.text.contains(text), "\(text)")
        }
        bench.type("<esc>")
        #expect(bench.takeEffects() == [.cancel(job)])
        #expect(bench.model.listScreen?.kind == .images)
        bench.send(.job(job, .failed(EngineError(.cancelled, "cancelled"))))
        #expect(bench.model.status?.text == "pull app:1: cancelled")
    }

    @Test("A pull goes on without its form, and its end is said")
    func background() throws {
        var (bench, job) = try Self.pulling()
        bench.type("<enter>")
        #expect(bench.model.keyContext == .images)
        #expect(bench.text.contains("pull app:1…") && bench.text.contains("1 of 3 layers"))
        bench.type("<ctrl-c>")
        #expect(bench.takeEffects() == [.cancel(job)])
        bench.send(.job(job, .succeeded(.done("docker.io/library/app:1 pulled"))))
        #expect(bench.text.contains("app:1 pulled"))
        #expect(bench.takeEffects().contains(.refreshImages))
    }

    @Test("More layers than there is room for: those that are not done are seen")
    func manyLayers() throws {
        var (bench, job) = try Self.pulling()
        var progress = JobProgress()
        for number in 0..<60 {
            _ = progress.transfer.take("sha256:\(100_000_000_000 + number)", number < 50 ? .pulled : .waiting)
        }
        bench.send(.job(job, .progress(progress)))
        for number in 50..<60 { #expect(bench.text.contains("\(100_000_000_000 + number)")) }
        for rows in 5..<30 { bench.send(.input(.resize(Size(columns: 80, rows: rows)))) }
        #expect(bench.frame.size.rows == 29)
    }

    @Test("What is refused without force is asked once more, with the engine's reason; Enter says no")
    func force() throws {
        var bench = try Self.open()
        bench.type("gjdy")
        let job = try #require(bench.model.jobs.first?.id)
        _ = bench.takeEffects()
        let reason = "conflict: unable to remove repository reference \"old:1\" (must force) - container 1 is using it"
        bench.send(.job(job, .failed(EngineError(.conflict, reason))))
        #expect(bench.text.contains("must force"))
        bench.type("<enter>")
        #expect(Self.asked(&bench) == [])
        bench.type("dy")
        bench.send(.job(try #require(bench.model.jobs.first?.id), .failed(EngineError(.conflict, reason))))
        _ = bench.takeEffects()
        bench.type("y")
        #expect(Self.asked(&bench) == [.removeImage(.init(id: "old:1", name: "old:1"), force: true)])
        let last = try #require(bench.model.jobs.first?.id)
        bench.send(.job(last, .failed(EngineError(.conflict, "unable to delete (cannot be forced) - it runs"))))
        #expect(bench.model.keyContext == .images && bench.model.status?.kind == .error)
    }

    @Test("Who has typed on since is not asked by force: the key was meant for something else")
    func lateForce() throws {
        let refusal = EngineError(.conflict, "conflict: unable to remove (must force)")
        for keys in ["y", "<esc>", "j"] {
            var bench = try Self.open()
            bench.type("gjdy")
            let job = try #require(bench.model.jobs.first?.id)
            bench.type(keys)
            _ = bench.takeEffects()
            bench.send(.job(job, .failed(refusal)))
            bench.type("y")
            #expect(Self.asked(&bench) == [], "after \(keys)")
            #expect(bench.model.keyContext != .confirmation)
        }
    }

    @Test("The disk usage has each part with its objects, the largest first, and prunes a part")
    func usage() throws {
        var bench = try Bench.connected()
        bench.type("U")
        #expect(bench.takeEffects().contains(.refreshUsage))
        #expect(bench.text.contains("counting files"))
        bench.send(.usage(Self.sampleUsage))
        #expect(
            bench.model.usageRows().map(\.id) == [
                "image", "image/old:1", "image/\(Self.images()[2].shortID)", "image/gantry/starter:latest", "container",
                "container/web", "container/failed", "volume", "volume/pages",
            ])
        for text in ["26.9MB", "25.0MB (92%)", "26.9MB"] { #expect(bench.text.contains(text), "\(text)") }
        bench.type("PP")
        #expect(bench.model.keyContext == .menu)
        bench.type("<esc>/failed<enter>Py")
        #expect(Self.asked(&bench) == [.pruneContainers])
        bench.type("j<enter>")
        #expect(bench.model.dialogs.isEmpty && bench.model.selectedContainer?.name == "failed")
    }

    @Test("Logs are a part of the disk usage, which docker does not count, and lead to their containers")
    func logUsage() throws {
        var bench = try Bench.connected()
        bench.type("U")
        var usage = Self.sampleUsage
        (usage.containers[0].logBytes, usage.containers[1].logBytes) = (2_000_000_000, 30_000_000_000)
        bench.send(.usage(usage))
        #expect(
            bench.model.usageRows().map(\.id).suffix(5) == [
                "log", "log/web", "log/failed", "volume", "volume/pages",
            ])
        for text in ["32.0GB in all", "logs", "2.0GB (6%)", "30.0GB"] { #expect(bench.text.contains(text), "\(text)") }
        bench.type("/logs<enter>Py")
        #expect(Self.asked(&bench) == [.pruneContainers])
        bench.type("jj<enter>")
        #expect(bench.model.dialogs.isEmpty && bench.model.selectedContainer?.name == "failed")
    }

    @Test("Small objects of the disk usage are one row, which opens and folds, so that every kind is in sight")
    func foldedUsage() throws {
        var bench = try Bench.connected()
        bench.type("U")
        var usage = Self.sampleUsage
        usage.containers = (0..<120).map { number in
            var row = Sample.container(id: Sample.id(number), name: "c\(number)", number % 2 == 0 ? .running : .exited)
            (row.writtenBytes, row.logBytes) = (number < 7 ? Int64(1000 - number) : 0, 0)
            return row
        }
        bench.send(.usage(usage))
        let rows = bench.model.usageRows().map(\.id)
        let shown = ["container"] + (0..<5).map { "container/c\($0)" } + ["container/"]
        #expect(rows.filter { $0.hasPrefix("container") } == shown)
        #expect(rows.suffix(4) == ["log", "log/", "volume", "volume/pages"])
        #expect(bench.text.contains("▸ 115 more") && bench.text.contains("▸ 120 more") && bench.text.contains("pages"))
        let place = try #require(rows.firstIndex(of: "container/"))
        bench.type(String(repeating: "j", count: place) + "<enter>")
        let opened = bench.model.usageRows().map(\.id)
        #expect(opened.count == rows.count + 115 && opened[place + 1] == "container/c5")
        #expect(bench.model.selectedUsageRow?.id == "container/" && bench.text.contains("▾ 115 more"))
        bench.type("<enter>")
        #expect(bench.model.usageRows().map(\.id) == rows)
        bench.type("/c119<enter>")
        #expect(bench.model.usageRows("c119").map(\.id) == ["container", "container/c119", "log", "log/c119"])
    }

    static var sampleUsage: DiskUsage {
        var usage = DiskUsage()
        usage.images = images()
        usage.layersBytes = 26_940_000
        var containers = [Sample.containers[3], Sample.containers[0]]
        containers[0].writtenBytes = 1000
        containers[1].writtenBytes = 3_000_000
        usage.containers = containers
        usage.volumes = [NetworksScreenTests.volumes[1]]
        return usage
    }

    @Test("Text is broken between words, and a word that is too long within itself")
    func wrap() {
        #expect(TextWrap.lines(of: "one two three\nfour", columns: 7) == ["one two", "three", "four"])
        #expect(TextWrap.lines(of: "a 0123456789", columns: 4) == ["a", "0123", "4567", "89"])
        #expect(TextWrap.lines(of: "日本語", columns: 4) == ["日本", "語"])
    }

    @Test("After a pull the cursor is at the image, also where it was there already")
    func pulled() throws {
        for (name, row) in [("old", "old:latest"), ("old:2", "old:2")] {
            var bench = try Self.open()
            bench.type("p\(name)<enter>")
            let job = try #require(bench.model.jobs.last?.id)
            bench.send(.job(job, .succeeded(.done("pulled"))))
            var list = Self.images()
            if row == "old:latest" { list[2].tags = [row] }
            bench.send(.images(list))
            #expect(bench.model.selectedImage?.id == row)
        }
    }
}
