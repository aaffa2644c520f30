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
/// How much may be on its way follows from how late answers are: where they come as soon as they ever did, a line that is
/// only long is given more, and where they come later, what waits on it less.
///
/// A value: bytes and moments in, decisions out. Terminals that do not answer are not waited for.
struct FramePacing {
    typealias Instant = ContinuousClock.Instant

    private struct Question {
        /// Written before it, after the one before.
        var bytes: Int
        var at: Instant
    }

    /// About as many bytes may be on their way: half a second's on a line of 20 kB/s, and what a fast long one holds.
    static let leastWindowBytes = 8 << 10
    static let mostWindowBytes = 256 << 10
    /// After so many the terminal is asked.
    static let questionBytes = 2 << 10
    /// Answers that are later than the quickest by less than the one, or by more than the other.
    private static let promptDelay = Duration.milliseconds(50)
    private static let lateDelay = Duration.milliseconds(150)
    /// How long an answer is waited for of a terminal that has never given one, and of one that has.
    static let firstPatience = Duration.seconds(1)
    static let patience = Duration.seconds(5)

    private var windowBytes = leastWindowBytes
    /// Written since the last question.
    private var unaskedBytes = 0
    /// Those without an answer, oldest first.
    private var questions: [Question] = []
    private var quickestAnswer: Duration?
    /// A frame was held back since the last answer.
    private var isLimiting = false
    private var hasAnswered = false
    private var isMute = false

    /// Questions are without an answer that may still come.
    var hasOpenQuestion: Bool { !questions.isEmpty }

    /// How long an answer is waited for before the terminal is given back.
    var lastPatience: Duration { hasAnswered ? .seconds(2) : Self.firstPatience }

    /// Takes note of so many bytes; whether the question shall follow them.
    mutating func write(bytes: Int, at now: Instant) -> Bool {
        guard !isMute else { return false }
        unaskedBytes += bytes
        guard unaskedBytes >= Self.questionBytes else { return false }
        questions.append(Question(bytes: unaskedBytes, at: now))
        unaskedBytes = 0
        return true
    }

    mutating func takeAnswer(at now: Instant) {
        (hasAnswered, isMute) = (true, false)
        guard !questions.isEmpty else { return }
        let question = questions.removeFirst()
        let answer = question.at.duration(to: now)
        let quickest = min(quickestAnswer ?? answer, answer)
        quickestAnswer = quickest
        if answer - quickest > Self.lateDelay {
            windowBytes = max(Self.leastWindowBytes, windowBytes / 2)
        } else if isLimiting, answer - quickest < Self.promptDelay {
            windowBytes = min(Self.mostWindowBytes, windowBytes + question.bytes)
        }
        isLimiting = false
    }

    /// Whether a frame written now would be seen soon.
    mutating func isReady(at now: Instant) -> Bool {
        guard let last = questions.last else { return true }
        guard questions.reduce(unaskedBytes, { $0 + $1.bytes }) >= windowBytes else { return true }
        isLimiting = true
        guard last.at.duration(to: now) >= (hasAnswered ? Self.patience : Self.firstPatience) else { return false }
        isMute = !hasAnswered
        (questions, unaskedBytes, windowBytes) = ([], 0, Self.leastWindowBytes)
        return true
    }
}
