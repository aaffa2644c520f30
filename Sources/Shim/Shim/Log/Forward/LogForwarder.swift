import Glibc
import Linux
import ShimAPI

/// Sends a log's lines to another program, each as the message that its protocol makes of it.
///
/// A program that is gone or does not keep up costs lines, never the container, and the shim no more than a second: they
/// are counted, and it is told how many once it takes lines again.
final class LogForwarder {
    private static let patienceMilliseconds: Int32 = 1000
    /// How long a stream may take to stand when the log begins.
    private static let openingMilliseconds: Int32 = 5000

    private let channel: LogChannel
    private let form: any LogMessageForm
    private let mayWait: Bool
    private let loop: EventLoop?
    private let waitForRoom: (Descriptor, Int32) -> Int32
    private var lostLines = 0
    /// A wait was in vain, and nothing was taken since.
    private var isStalled = false
    /// What the lines of the present output may still wait.
    private var patienceLeft = LogForwarder.patienceMilliseconds
    /// A target that is gone is looked for once in each output, not for each line.
    private var mayReopen = true
    private var alarm: EventLoop.Alarm?

    /// Finds the target.
    ///
    /// - Parameters:
    ///   - loop: for what a stream takes only when no output comes any more.
    ///   - waitForRoom: waits until the socket takes more, so many milliseconds at most; returns those that are left.
    /// - Throws: where it is not there, unless the log begins without it.
    init(
        _ forward: LogForward, loop: EventLoop? = nil,
        waitForRoom: @escaping (Descriptor, Int32) -> Int32 = LogForwarder.pollForRoom
    ) throws(KernelError) {
        self.loop = loop
        self.waitForRoom = waitForRoom
        mayWait = forward.mayWait
        channel = LogChannel(to: forward.target, queueBytes: forward.queueBytes)
        form = try forward.form.messages(inDatagrams: channel.isOfDatagrams)
        do throws(KernelError) {
            try channel.open()
            if !forward.beginsWithoutTarget { try awaitOpening() }
        } catch {
            guard forward.beginsWithoutTarget else { throw error }
        }
    }

    private func awaitOpening() throws(KernelError) {
        var left = Self.openingMilliseconds
        while left > 0, let socket = channel.unopened {
            left = waitForRoom(socket, left)
            try channel.settleOpening()
        }
        if channel.unopened != nil { throw KernelError("connect to", channel.name, Errno(rawValue: ETIMEDOUT)) }
    }

    /// Before the lines of one piece of output, which together may wait a second: unless that was in vain before.
    func beginOutput() {
        patienceLeft = isStalled || !mayWait ? 0 : Self.patienceMilliseconds
        mayReopen = true
        channel.noticeEnd()
    }

    /// - Parameter content: one line with its `\n` or, where more of it comes, without.
    func send(_ content: UnsafeRawBufferPointer, _ kind: OutputKind) {
        let isWhole = content.last == 10
        let text = UnsafeRawBufferPointer(rebasing: isWhole ? content.dropLast() : content[...])
        let line = LoggedLine(text: text, kind: kind, isWhole: isWhole)
        if !(tellOfLoss() && post(form.messages(line))) { lostLines += 1 }
        watchQueue()
    }

    /// Gives the target a last moment for what it has not taken.
    func close() {
        loop?.cancel(alarm)
        beginOutput()
        if channel.isBehind { _ = settle(channel.flush) }
        channel.close()
    }

    /// False where lines were lost, and that cannot be said yet.
    private func tellOfLoss() -> Bool {
        guard lostLines > 0 else { return true }
        // Not while there is hardly any room: each notice would be followed by the next loss.
        guard !channel.isBehind || settle(channel.flush) == .done else { return false }
        let text = Array("gantry: \(lostLines) lines of log were lost here: \(channel.name) did not take them".utf8)
        let messages = text.withUnsafeBytes {
            form.messages(LoggedLine(text: $0, kind: .stderr, isWhole: true, level: .warning))
        }
        guard post(messages) else { return false }
        lostLines = 0
        return true
    }

    /// Whether the target has all of them, or will have as soon as it takes more.
    private func post(_ messages: [[UInt8]]) -> Bool {
        for message in messages {
            let delivery = settle { [channel] in channel.deliver(message) }
            if delivery != .done { return false }
        }
        return true
    }

    private func settle(_ attempt: () -> LogChannel.Delivery) -> LogChannel.Delivery {
        var delivery = attempt()
        if delivery == .gone, mayReopen {
            mayReopen = false
            // Not there now: the next output tries again.
            try? channel.open()
            delivery = attempt()
        }
        while delivery == .full, let socket = channel.socket, patienceLeft > 0 {
            patienceLeft = waitForRoom(socket, patienceLeft)
            delivery = attempt()
        }
        switch delivery {
        case .done: isStalled = false
        case .full: isStalled = true
        case .tooLarge, .gone: break
        }
        return delivery
    }

    /// What lies in the queue goes on its way also where no further output comes.
    private func watchQueue() {
        guard let loop, alarm == nil, channel.isBehind else { return }
        alarm = loop.after(milliseconds: channel.socket == nil ? 1000 : 100) { [weak self] in
            guard let self else { return }
            alarm = nil
            patienceLeft = 0
            mayReopen = true
            if settle(channel.flush) == .done { _ = tellOfLoss() }
            watchQueue()
        }
    }

    private static func pollForRoom(_ socket: Descriptor, _ milliseconds: Int32) -> Int32 {
        let start = Timestamp.now()
        var entry = pollfd(fd: socket.rawValue, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, milliseconds) > 0 else { return 0 }
        let spent = Timestamp.now().nanoseconds(since: start) / 1_000_000
        // A clock that was set back has no say.
        return milliseconds - max(1, Int32(clamping: spent))
    }
}
