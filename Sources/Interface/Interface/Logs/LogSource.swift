import EngineAPI

/// A container whose log is shown, and how far that has been read.
struct LogSource: Hashable, Sendable {
    /// How much is asked for at first.
    static let firstTail = 2000

    let name: String
    private(set) var subscription: LogSubscription
    /// Why there is no more; nil while it is read.
    private(set) var end: String?
    /// Which run of the container it was read in.
    private var run: Timestamp?
    /// It has sent what is kept around the line that was gone to, and is asked for no more.
    private(set) var isHeld = false
    private var firstTime: Timestamp?
    private(set) var lastTime: Timestamp?

    init(_ container: ContainerSummary, serial: Int) {
        name = container.name
        subscription = LogSubscription(containerID: container.id, tail: Self.firstTail, serial: serial)
        run = container.state.startedAt
    }

    /// Reads anew, from so far back.
    ///
    /// - Parameter isAgain: the same lines as before, and what has come since.
    mutating func read(_ reach: LogReach, now: Timestamp, serial: Int, isAgain: Bool = false) {
        let start = reach.start(now) ?? (isAgain && reach == .newest ? firstTime : nil)
        subscription = LogSubscription(
            containerID: subscription.containerID, tail: reach == .newest && start == nil ? Self.firstTail : nil,
            since: start, serial: serial)
        if !isAgain { firstTime = nil }
        (end, isHeld, lastTime) = (nil, false, nil)
    }

    /// Goes on where the container has been started again. Its log goes on where it was.
    mutating func resume(_ container: ContainerSummary, serial: () -> Int) {
        guard container.state.isAlive, container.state.startedAt != run else { return }
        (run, end) = (container.state.startedAt, nil)
        subscription = LogSubscription(
            containerID: subscription.containerID, tail: nil, since: lastTime?.next ?? container.state.startedAt,
            serial: serial())
    }

    /// A line of that time has come; nothing is known by one that tells none.
    mutating func take(_ time: Timestamp) {
        guard time.nanosecondsSinceEpoch != 0 else { return }
        if firstTime == nil { firstTime = time }
        lastTime = time
    }

    mutating func finish(_ reason: String) { end = reason }

    mutating func hold() { isHeld = true }
}
