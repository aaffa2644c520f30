import EngineAPI
import JSON
import Testing

@testable import CLI

@Suite struct OutputTests {
    @Test(
        "Sizes are written as docker writes them",
        arguments: [
            (0, "0B"), (999, "999B"), (1000, "1kB"), (4_261_550, "4.26MB"), (72_800_000, "72.8MB"),
            (1_500_000_000, "1.5GB"),
        ])
    func decimalSizes(bytes: Int64, text: String) { #expect(Units.decimal(bytes) == text) }

    @Test(
        "Memory is written as docker writes it",
        arguments: [
            (0, "0B"), (1024, "1KiB"), (1_061_158, "1.012MiB"), (536_870_912, "512MiB"), (25_165_824_000, "23.44GiB"),
        ])
    func binarySizes(bytes: UInt64, text: String) { #expect(Units.binary(bytes) == text) }

    @Test("A table's columns are as wide as their widest cell")
    func table() {
        var table = Table(titles: ["A", "LONG"])
        table.rows = [["wide cell", "x"], ["y", "z"]]
        #expect(table.text == "A           LONG\nwide cell   x\ny           z\n")
        // No narrower than docker's.
        #expect(Table(titles: ["ID", "NAME", "X"]).text == "ID        NAME      X\n")
    }

    @Test(
        "Text is quoted as Go quotes it",
        arguments: [
            ("sh", #""sh""#), ("", "\"\""), (#"say "hi" \ö"#, #""say \"hi\" \\ö""#),
            ("\u{1B}]0;x\u{07}", #""\x1b]0;x\a""#), ("a\tb\nc\r\n\u{0B}\u{0C}\u{08}", #""a\tb\nc\r\n\v\f\b""#),
            ("\u{7F}\u{9B}2J\u{A0}\u{202E}", #""\x7f\u009b2J\u00a0\u202e""#),
            ("日\u{1F600}\u{E0001}", "\"日😀\\U000e0001\""),
        ])
    func quoting(text: String, quoted: String) { #expect(text.goQuoted == quoted) }

    @Test("A terminal obeys nothing that stands in a table")
    func hostileCells() {
        var table = Table(titles: ["NAME", "LABEL"])
        table.rows = [["web\u{1B}[2J", "a\u{9B}\u{202E}b\r\n"], [#"c:\d"e""#, "👩‍👩‍👧"]]
        let lines = table.text.split(separator: "\n")
        #expect(lines[1] == #"web\x1b[2J   a\u009b\u202eb\r\n"#)
        #expect(lines[2] == #"c:\d"e"      "# + "👩‍👩‍👧")
    }

    @Test("A row with more cells than there are titles is written whole")
    func longRow() {
        var table = Table(titles: ["A"])
        table.rows = [["x", "more", "cells"]]
        #expect(table.text == "A\nx         more      cells\n")
    }

    @Test("Figures that another engine makes up are written all the same")
    func extremeFigures() {
        var display = TransferDisplay(onto: .output, isQuiet: false, isTerminal: true)
        let full = display.text(for: .layer(digest: "sha256:ab", .downloading(doneBytes: .max, totalBytes: .max)))
        #expect(full.contains("[>") || full.contains("[="))
        let negative = display.text(for: .layer(digest: "sha256:cd", .downloading(doneBytes: .min, totalBytes: 1)))
        #expect(negative.contains("[\(String(repeating: " ", count: 50))]"))
        var volumes = DiskUsage()
        volumes.volumes = (0..<2).map { number in
            var volume = VolumeDetails(
                spec: VolumeSpec(name: "v\(number)"), createdAt: Timestamp(nanosecondsSinceEpoch: 0), mountpoint: "/v")
            volume.sizeBytes = .max
            volume.users = []
            return volume
        }
        let row = DiskUsageSummary.rows(volumes)[2]
        #expect(row.bytes == .max && row.fields["Reclaimable"]?.hasSuffix("%)") ?? false)
    }

    @Test("A listing obeys its format")
    func listing() throws {
        let listing = Listing(columns: [("Names", "NAMES"), ("ID", "ID")], rows: [["Names": "web", "ID": "1"]])
        #expect(try listing.text(format: nil, usual: ["ID", "Names"]) == "ID        NAMES\n1         web\n")
        #expect(try listing.text(format: "{{.Names}}:{{.ID}}", usual: []) == "web:1\n")
        #expect(try listing.text(format: "table {{.Names}}\t{{.ID}}", usual: []) == "NAMES     ID\nweb       1\n")
        #expect(try listing.text(format: "json", usual: []) == "{\"ID\":\"1\",\"Names\":\"web\"}\n")
    }

    @Test("Points in time are read as docker reads them")
    func moments() throws {
        let now = try #require(Timestamp(rfc3339: "2026-01-02T03:04:05Z"))
        let expected = [
            "10m": "2026-01-02T02:54:05Z", "1h30m": "2026-01-02T01:34:05Z", "1767225600": "2026-01-01T00:00:00Z",
            "1700000000.123456789": "2023-11-14T22:13:20.123456789Z", "0": "1970-01-01T00:00:00Z",
            "2026-01-01T10:00:00Z": "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.25+02:00": "2026-01-01T08:00:00.25Z",
            "2026-01-01T10:00-02:00": "2026-01-01T12:00:00Z", "2026-01-01T10Z": "2026-01-01T10:00:00Z",
            "2026-01-01Z": "2026-01-01T00:00:00Z", "2026-01-01+01:00": "2025-12-31T23:00:00Z",
            // By the clock on the wall, which is five hours behind.
            "2026-01-01": "2026-01-01T05:00:00Z", "2026-01-01T10": "2026-01-01T15:00:00Z",
            "2026-01-01T10:20": "2026-01-01T15:20:00Z", "2026-01-01T10:20:30": "2026-01-01T15:20:30Z",
            "2026-01-01T10:20:30.5": "2026-01-01T15:20:30.5Z",
        ]
        func west(_ time: Timestamp) -> Timestamp {
            Timestamp(nanosecondsSinceEpoch: time.nanosecondsSinceEpoch + 5 * 3600 * 1_000_000_000)
        }
        for (text, time) in expected {
            let read = try Moment.parse(text, "since", now: now, wallClock: west)
            #expect(read == Timestamp(rfc3339: time), "\(text): \(read?.rfc3339Nano ?? "")")
        }
        for text in ["soon", "2026-01-01T", "2026-01-01T10:", "2026-01-01T10:20:30:40", "2026-01-01X"] {
            #expect(throws: UsageError.self, "\(text)") { try Moment.parse(text, "since", now: now) }
        }
    }

    @Test("An image is listed by each tag, and by its digest alone where a repository has no tag for it")
    func imageNames() {
        func names(_ tags: [String], _ digests: [String]) -> [String] {
            ImageSummary(id: "sha256:1", tags: tags, digests: digests, createdAt: nil, sizeBytes: 0).listedNames.map {
                name in
                "\(name.repository) \(name.tag ?? "-") \(name.digest ?? "-")"
            }
        }
        #expect(names([], []) == ["<none> - -"])
        #expect(names(["a:1", "h:5000/b:2"], ["h:5000/b@sha256:2"]) == ["a 1 -", "h:5000/b 2 sha256:2"])
        #expect(names([], ["h:5000/b@sha256:2"]) == ["h:5000/b - sha256:2"])
        #expect(names(["a:1"], ["b@sha256:2"]) == ["a 1 -", "b - sha256:2"])
    }

    @Test("A transfer says whether it pulls or pushes, whatever the repository's name looks like")
    func beginnings() {
        var display = TransferDisplay(onto: .output, isQuiet: false, isTerminal: false)
        let pull = display.text(for: .pulling(repository: "my.org/app.io", tag: "1"))
        #expect(pull == "1: Pulling from my.org/app.io\n")
        let push = display.text(for: .pushing(repository: "localhost/q", tag: "1"))
        #expect(push == "The push refers to repository [localhost/q]\n")
    }

    @Test(
        "The exit code of run tells why it failed",
        arguments: [
            (EngineError.Kind.commandNotFound, Int32(127)), (.commandNotExecutable, 126), (.notFound, 125),
        ] as [(EngineError.Kind, Int32)])
    func exitCodes(kind: EngineError.Kind, code: Int32) {
        #expect(Refusals.runExitCode(EngineError(kind, "x")) == code)
    }

    @Test("What no engine has said is not told as an engine's word")
    func whoSaidIt() {
        let helper = "credential helper `docker-credential-x` get: no bus"
        #expect(Refusals.line(EngineError(.invalid, helper)) == "gantry: \(helper)\n")
        #expect(Refusals.line(EngineError(.invalid, "no")) == "Error response from daemon: no\n")
    }

    @Test("An id is short whatever it is the hash of", arguments: ["sha256:", "sha512:", ""])
    func shortIDs(algorithm: String) {
        #expect((algorithm + String(repeating: "0123456789abcdef", count: 4)).shortID == "0123456789ab")
    }
}
