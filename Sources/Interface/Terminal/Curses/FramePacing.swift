/// Whether a terminal has come to what was written to it, so that it is sent no more pictures than it can show.
///
/// Whoever carries the bytes may take far more of them than the far end shows in a second: sshd has a window of 2 MiB,
/// which a slow line needs minutes for. The picture would be as old, and keys answered as late. So the terminal is asked
/// for its status (DSR 5 of ECMA-48, 8.3.35), a question that it comes to after all that was written before it:
///
/// ```
///    frame, question ───────────────►  terminal
///                    ◄───────────────  CSI 0 n      all of it has been shown
/// ```
///
/// A value: bytes and moments in, decisions out. Terminals that do not answer are not waited for.
struct FramePacing {
    typealias Instant = ContinuousClock.Instant

    /// About as many bytes may be on their way: half a second's on a line of 20 kB/s.
    static let windowBytes = 8 << 10
    /// After so many the terminal is asked.
    static let questionBytes = 2 << 10
    /// How long an answer is waited for of a terminal that has never given one, and of one that has.
    static let firstPatience = Duration.seconds(1)
    static let patience = Duration.seconds(5)

    /// Written since the last question.
    private var unaskedBytes = 0
    /// Of the questions without an answer, oldest first: what was written before each.
    private var askedBytes: [Int] = []
    private var askedAt: Instant?
    private var hasAnswered = false
    private var isMute = false

    /// How long an answer is waited for before the terminal is given back.
    var lastPatience: Duration { hasAnswered ? .seconds(2) : Self.firstPatience }

    /// Questions are without an answer that may still come.
    var hasOpenQuestion: Bool { !askedBytes.isEmpty }

    /// Takes note of so many bytes; whether the question shall follow them.
    mutating func write(bytes: Int, at now: Instant) -> Bool {
        guard !isMute else { return false }
        unaskedBytes += bytes
        guard unaskedBytes >= Self.questionBytes else { return false }
        askedBytes.append(unaskedBytes)
        (unaskedBytes, askedAt) = (0, now)
        return true
    }

    mutating func takeAnswer() {
        (hasAnswered, isMute) = (true, false)
        if !askedBytes.isEmpty { askedBytes.removeFirst() }
    }

    /// Whether a frame written now would be seen soon.
    mutating func isReady(at now: Instant) -> Bool {
        guard let askedAt, hasOpenQuestion, askedBytes.reduce(unaskedBytes, +) >= Self.windowBytes else { return true }
        guard askedAt.duration(to: now) >= (hasAnswered ? Self.patience : Self.firstPatience) else { return false }
        isMute = !hasAnswered
        (askedBytes, unaskedBytes) = ([], 0)
        return true
    }
}
