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

    /// About as many bytes may be on their way: half a second's on a line of 20 kB/s, and what a fast long one holds; on a
    /// serial one, which carries a thousand in a second, no more than it takes to be asked about them.
    static let usualWindowBytes = 8 << 10
    static let leastWindowBytes = 2 << 10
    static let mostWindowBytes = 256 << 10
    /// After so many the terminal is asked.
    static let questionBytes = 1 << 10
    /// Answers that are later than the quickest by less than the one, or by more than the other.
    private static let promptDelay = Duration.milliseconds(50)
    private static let lateDelay = Duration.milliseconds(150)
    /// No line is so long: what is answered later than this was carried slowly.
    private static let longestWay = Duration.seconds(1)
    /// What the slowest line carries that is thought of: 9600 baud.
    private static let serialBytesPerSecond = 960.0
    /// How long an answer is waited for of a terminal that has never given one, and of one that has.
    static let firstPatience = Duration.seconds(1)
    static let patience = Duration.seconds(5)

    private var windowBytes = usualWindowBytes
    /// Written since the last question.
    private var unaskedBytes = 0
    /// Those without an answer, oldest first.
    private var questions: [Question] = []
    private var quickestAnswer: Duration?
    /// The most that was answered in a second.
    private var bytesPerSecond = 0.0
    /// A frame was held back since the last answer.
    private var isLimiting = false
    private var hasAnswered = false
    private var lastAnswer: Instant?
    private var isMute = false

    /// Questions are without an answer that may still come.
    var hasOpenQuestion: Bool { !questions.isEmpty }

    /// How long an answer is waited for before the terminal is given back.
    var lastPatience: Duration { hasAnswered ? .seconds(2) : Self.firstPatience }

    /// The terminal is asked before the first frame, which takes a slow line long: whether it answers at all is known then.
    mutating func begin(at now: Instant) { questions.append(Question(bytes: 0, at: now)) }

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
        (hasAnswered, isMute, lastAnswer) = (true, false, now)
        guard !questions.isEmpty else { return }
        let question = questions.removeFirst()
        let answer = question.at.duration(to: now)
        let quickest = min(quickestAnswer ?? answer, answer)
        quickestAnswer = quickest
        bytesPerSecond = max(bytesPerSecond, Double(question.bytes) / max(0.001, answer / .seconds(1)))
        if answer - quickest > Self.lateDelay {
            windowBytes = max(leastWindowBytes, windowBytes / 2)
        } else if isLimiting, answer - quickest < Self.promptDelay, answer < Self.longestWay {
            windowBytes = min(Self.mostWindowBytes, windowBytes + question.bytes)
        }
        isLimiting = false
    }

    /// A second's of what the line has carried at its best.
    private var leastWindowBytes: Int {
        Int(min(Double(Self.usualWindowBytes), max(Double(Self.leastWindowBytes), bytesPerSecond)))
    }

    /// Whether a frame written now would be seen soon.
    mutating func isReady(at now: Instant) -> Bool {
        guard let last = questions.last else { return true }
        let waiting = questions.reduce(unaskedBytes) { $0 + $1.bytes }
        guard waiting >= windowBytes else { return true }
        isLimiting = true
        guard max(last.at, lastAnswer ?? last.at).duration(to: now) >= patience(for: waiting) else { return false }
        isMute = !hasAnswered
        (questions, unaskedBytes, windowBytes) = ([], 0, hasAnswered ? leastWindowBytes : Self.usualWindowBytes)
        return true
    }

    /// Of one that has answered, twice the time that the bytes take on their way where that is more.
    private func patience(for bytes: Int) -> Duration {
        guard hasAnswered else { return Self.firstPatience }
        let way = Duration.seconds(1) * (Double(bytes) / max(Self.serialBytesPerSecond, bytesPerSecond))
        return max(Self.patience, way * 2)
    }
}
