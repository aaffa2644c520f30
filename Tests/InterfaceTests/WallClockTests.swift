import EngineAPI
import Testing

@testable import Interface

@Suite struct WallClockTests {
    /// 2026-01-02T03:04:05.678Z
    private static let moment = Timestamp(nanosecondsSinceEpoch: 1_767_323_045_678_000_000)

    @Test(
        "A moment is told as the clock of a zone shows it, also where that shows another day",
        arguments: [
            (0, "2026-01-02 03:04:05.678", "2026-01-02T03:04:05.678Z", "UTC"),
            (3600, "2026-01-02 04:04:05.678", "2026-01-02T04:04:05.678+01:00", "UTC+1"),
            (-12600, "2026-01-01 23:34:05.678", "2026-01-01T23:34:05.678-03:30", "UTC-3:30"),
            (45_900, "2026-01-02 15:49:05.678", "2026-01-02T15:49:05.678+12:45", "UTC+12:45"),
        ])
    func zones(ahead: Int64, shown: String, exact: String, zone: String) {
        let wall = WallClock.fixed(secondsAhead: ahead)
        #expect(wall.dateAndTime(Self.moment) == shown)
        #expect(wall.rfc3339(Self.moment) == exact)
        #expect(Timestamp(rfc3339: exact) == Self.moment)
        #expect(wall.zone(at: Self.moment) == zone)
    }

    @Test("The date is told of other days than today, as the zone has days")
    func days() {
        let now = Timestamp(nanosecondsSinceEpoch: Self.moment.nanosecondsSinceEpoch + 2 * 3_600_000_000_000)
        #expect(WallClock.utc.time(Self.moment, today: now) == "03:04:05")
        #expect(WallClock.fixed(secondsAhead: -14400).time(Self.moment, today: now) == "01-01 23:04:05")
    }

    @Test("Events, the command log and logs tell the times of the zone that one is in")
    func screens() throws {
        // Sample.now is 08:00:00 in UTC.
        var bench = try Bench.connected()
        bench.model.wall = .fixed(secondsAhead: -9 * 3600)
        bench.type("t")
        let events = [Int64(60), 2 * 3600].map {
            EngineEvent(kind: .container, action: "start", actorID: "x", attributes: [:], time: Sample.ago($0))
        }
        bench.send(.journal(events.reversed()))
        #expect(bench.row(0).contains("UTC-9"))
        #expect(bench.row(2).hasPrefix("      22:59:00 ") && bench.row(3).hasPrefix("      21:00:00 "), "\(bench.text)")
        bench.model.wall = .fixed(secondsAhead: -7 * 3600)
        #expect(bench.row(2).hasPrefix("      00:59:00 ") && bench.row(3).hasPrefix("01-14 23:00:00 "), "\(bench.text)")
        bench.type("<esc>p@")
        #expect(bench.row(0).contains("UTC-7") && bench.row(2).hasPrefix("01:00:00 "), "\(bench.text)")
        bench.send(.tick(Sample.ago(-86400)))
        #expect(bench.row(2).hasPrefix("01-15 01:00:00 "), "\(bench.text)")
        bench.type("<esc>mt")
        guard case .logs(let screen)? = bench.model.dialogs.last else { return #expect(Bool(false), "no log") }
        let line = LogEntry(time: Sample.now, source: .stdout, bytes: Array("hello\n".utf8))
        bench.send(.logs(screen.sources[0].subscription, .entries([line])))
        #expect(bench.row(0).contains("times of UTC-7") && bench.row(1).hasPrefix("2027-01-15 01:00:00.000 hello"))
        bench.type("t")
        #expect(bench.row(0).contains("times of UTC ·") && bench.row(1).hasPrefix("2027-01-15 08:00:00.000 hello"))
        bench.type("t")
        bench.send(.tick(Sample.ago(-12)))
        #expect(bench.row(1).hasPrefix(" 12s ago hello"), "\(bench.text)")
        bench.send(.tick(Sample.ago(-600)))
        #expect(bench.row(1).hasPrefix(" 10m ago hello"))
        guard case .logs(let aged)? = bench.model.dialogs.last else { return #expect(Bool(false), "no log") }
        #expect(aged.savedText == "2027-01-15T01:00:00.000-07:00 hello\n", "a file is read later")
        bench.send(.tick(Sample.now))
        bench.type("t")
        #expect(bench.row(1).hasPrefix("hello"))
        bench.type("t")
        #expect(bench.row(1).hasPrefix("2027-01-15 01:00:00.000 hello"))
    }
}
