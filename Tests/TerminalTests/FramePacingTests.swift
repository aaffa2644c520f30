import Testing

@testable import Terminal

/// How many pictures a terminal is sent, as a value: bytes and moments in.
@Suite struct FramePacingTests {
    private let start = ContinuousClock.now

    @Test("A terminal that answers at once is never waited for")
    func fast() {
        let pacing = Pacer()
        for _ in 0..<1000 {
            #expect(pacing.isReady(at: start))
            if pacing.write(bytes: 5000, at: start) { pacing.takeAnswer(at: start) }
        }
        #expect(!pacing.hasOpenQuestion)
    }

    @Test("Small pictures are not asked about one by one")
    func small() {
        let pacing = Pacer()
        let questions = (0..<100).count { _ in pacing.write(bytes: 100, at: start) }
        #expect(questions == 100 * 100 / 1100)
    }

    @Test("Only so much is on its way; each answer makes room for as much as it is about")
    func window() {
        let pacing = Pacer()
        #expect(pacing.write(bytes: 3000, at: start))
        #expect(pacing.write(bytes: 3000, at: start))
        #expect(pacing.isReady(at: start))
        #expect(pacing.write(bytes: 3000, at: start))
        #expect(!pacing.isReady(at: start))
        pacing.takeAnswer(at: start)
        #expect(pacing.isReady(at: start))
        #expect(pacing.hasOpenQuestion)
    }

    @Test("A terminal that never answers is given up after a second, for good")
    func mute() {
        let pacing = Pacer()
        #expect(pacing.write(bytes: 20000, at: start))
        #expect(!pacing.isReady(at: start + .milliseconds(900)))
        #expect(pacing.isReady(at: start + .seconds(1)))
        #expect(!pacing.write(bytes: 20000, at: start + .seconds(1)))
        #expect(pacing.isReady(at: start + .seconds(1)))
        #expect(!pacing.hasOpenQuestion)
    }

    @Test("One that has answered before is waited for longer, and asked again after that")
    func stalled() {
        let pacing = Pacer()
        #expect(pacing.write(bytes: 20000, at: start))
        pacing.takeAnswer(at: start)
        #expect(pacing.write(bytes: 20000, at: start))
        #expect(!pacing.isReady(at: start + .seconds(4)))
        #expect(pacing.isReady(at: start + .seconds(5)))
        #expect(pacing.write(bytes: 20000, at: start + .seconds(5)))
        #expect(!pacing.isReady(at: start + .seconds(6)))
    }

    @Test("An answer that comes late wakes the trust in a terminal that seemed mute")
    func late() {
        let pacing = Pacer()
        #expect(pacing.write(bytes: 20000, at: start))
        #expect(pacing.isReady(at: start + .seconds(2)))
        pacing.takeAnswer(at: start)
        #expect(pacing.write(bytes: 20000, at: start + .seconds(3)))
        #expect(!pacing.isReady(at: start + .seconds(3)))
    }

    /// Pictures, 30 a second as far as they are taken, over a line for a while: how many bytes came to its end in the later
    /// half, and how many waited on it at most then, beside those that it is long.
    private func run(
        bytesPerSecond: Int, roundTrip: Duration, pictureBytes: Int = 5000, seconds: Int = 10
    ) -> (arrived: Int, waiting: Int) {
        let pacing = Pacer()
        pacing.begin(at: start)
        var free = start
        var answers: [FramePacing.Instant] = [start + roundTrip]
        var (arrived, waiting) = (0, 0)
        for step in 0..<100 * seconds {
            let now = start + .milliseconds(10 * step)
            while let first = answers.first, first <= now { pacing.takeAnswer(at: answers.removeFirst()) }
            guard step % 3 == 0, pacing.isReady(at: now) else { continue }
            free = max(free, now) + Duration.seconds(1) * pictureBytes / bytesPerSecond
            if pacing.write(bytes: pictureBytes, at: now) { answers.append(free + roundTrip) }
            guard step >= 50 * seconds else { continue }
            arrived += pictureBytes
            waiting = max(waiting, Int(now.duration(to: free) / Duration.seconds(1) * Double(bytesPerSecond)))
        }
        return (arrived, waiting)
    }

    @Test("A slow line holds less than a second of pictures, a long fast one is used for what it can")
    func lines() {
        let slow = run(bytesPerSecond: 20_000, roundTrip: .milliseconds(300))
        #expect(slow.waiting < 20_000, "\(slow)")
        #expect(slow.arrived > 40_000, "\(slow)")
        let serial = run(bytesPerSecond: 960, roundTrip: .milliseconds(1), pictureBytes: 1000, seconds: 60)
        #expect(serial.waiting < 4000, "\(serial)")
        #expect(serial.arrived > 30 * 960 - 5000, "\(serial)")
        let whole = run(bytesPerSecond: 960, roundTrip: .milliseconds(1), pictureBytes: 6500, seconds: 120)
        #expect(whole.waiting < 7000 && whole.arrived > 60 * 960 - 13000, "\(whole)")
        let long = run(bytesPerSecond: 2_000_000, roundTrip: .milliseconds(300))
        #expect(long.arrived > 600_000, "\(long)")
        let near = run(bytesPerSecond: 2_000_000, roundTrip: .milliseconds(1))
        #expect(near.arrived > 800_000 - 50_000, "\(near)")
    }
}

/// The value as something that an expectation can change.
private final class Pacer {
    private var pacing = FramePacing()

    var hasOpenQuestion: Bool { pacing.hasOpenQuestion }

    func begin(at now: FramePacing.Instant) { pacing.begin(at: now) }
    func write(bytes: Int, at now: FramePacing.Instant) -> Bool { pacing.write(bytes: bytes, at: now) }
    func takeAnswer(at now: FramePacing.Instant) { pacing.takeAnswer(at: now) }
    func isReady(at now: FramePacing.Instant) -> Bool { pacing.isReady(at: now) }
}
