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
            if pacing.write(bytes: 5000, at: start) { pacing.takeAnswer() }
        }
        #expect(!pacing.hasOpenQuestion)
    }

    @Test("Small pictures are not asked about one by one")
    func small() {
        let pacing = Pacer()
        let questions = (0..<100).count { _ in pacing.write(bytes: 100, at: start) }
        #expect(questions == 100 * 100 / 2100)
    }

    @Test("Only so much is on its way; each answer makes room for as much as it is about")
    func window() {
        let pacing = Pacer()
        #expect(pacing.write(bytes: 3000, at: start))
        #expect(pacing.write(bytes: 3000, at: start))
        #expect(pacing.isReady(at: start))
        #expect(pacing.write(bytes: 3000, at: start))
        #expect(!pacing.isReady(at: start))
        pacing.takeAnswer()
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
        pacing.takeAnswer()
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
        pacing.takeAnswer()
        #expect(pacing.write(bytes: 20000, at: start + .seconds(3)))
        #expect(!pacing.isReady(at: start + .seconds(3)))
    }
}

/// The value as something that an expectation can change.
private final class Pacer {
    private var pacing = FramePacing()

    var hasOpenQuestion: Bool { pacing.hasOpenQuestion }

    func write(bytes: Int, at now: FramePacing.Instant) -> Bool { pacing.write(bytes: bytes, at: now) }
    func takeAnswer() { pacing.takeAnswer() }
    func isReady(at now: FramePacing.Instant) -> Bool { pacing.isReady(at: now) }
}
