import Linux
import Testing

@testable import Shim

@Suite struct LogStampTests {
    @Test(
        "The stamp of the next line is that of the next nanosecond, over the end of a second and of a year, too",
        arguments: [false, true])
    func advance(isCompact: Bool) {
        let line = LogLine(isCompact: isCompact)
        // 2026-12-31T23:59:59.999999997Z
        var time = Timestamp(nanosecondsSinceEpoch: 1_798_761_599_999_999_997)
        var stamp = LogStamp(.stderr, line, now: time)
        for _ in 0..<100_000 {
            #expect(stamp.bytes == line.stamp(.stderr, time))
            guard stamp.bytes == line.stamp(.stderr, time) else { break }
            stamp.advance()
            time = time.next
        }
    }

    @Test(
        "Lines of a later read are later, also where the clock was set back a little; one that was set back far is believed"
    )
    func reads() {
        let line = LogLine()
        let now = Timestamp(nanosecondsSinceEpoch: 1_767_323_045_000_000_006)
        var stamp = LogStamp(.stdout, line, now: now)
        stamp.advance()
        #expect(LogStamp(.stderr, line, after: stamp, now: now).bytes == line.stamp(.stderr, now.next))
        let later = now.before(by: -50)
        #expect(LogStamp(.stderr, line, after: stamp, now: later).bytes == line.stamp(.stderr, later))
        #expect(LogStamp(.stdout, line, after: stamp, now: now.before(by: 900_000_000)).bytes == stamp.bytes)
        let past = now.before(by: 3_600_000_000_000)
        #expect(LogStamp(.stdout, line, after: stamp, now: past).bytes == line.stamp(.stdout, past))
    }
}
