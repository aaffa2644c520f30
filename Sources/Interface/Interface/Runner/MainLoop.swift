import Emulator
import EngineAPI
import Glibc
import Terminal

/// Runs the front end until its user quits, a signal ends it or its terminal goes.
///
/// Blocks the main thread, in poll(2) while nothing happens; nothing else may need the main actor meanwhile. The screen
/// is left open: its owner closes it, and says the farewell then.
@MainActor
package func runInterface(
    engine: any Engine, configuration: InterfaceConfiguration, screen: any Screen
) -> InterfaceExit {
    let loop = MainLoop(engine: engine, configuration: configuration, screen: screen)
    return loop.run()
}

@MainActor
final class MainLoop {
    /// Frames are not shown more often than this, except the one that answers a key.
    private static let frameInterval = Duration.milliseconds(33)
    /// How often a screen that was behind is looked at, beside when it says that it has come on.
    private static let behindInterval = Duration.milliseconds(100)
    /// Messages between two looks at the keyboard.
    private static let batch = 8
    /// How long the end waits for what is being undone: longer than a container has to stop, unless it asked for more.
    private static let undoPatience = Duration.seconds(30)

    /// How long the messages between two looks at the keyboard may take; at least one is taken.
    private let messageBudget: Duration
    private let hostsEngine: @Sendable () -> Bool
    /// Another process hosts the engine that has answered.
    private var isVisitor = false
    private let screen: any Screen
    /// Both belong to the engine that the screen is of.
    private(set) var mailbox = Mailbox()
    private var runner: EffectRunner
    private let configuration: InterfaceConfiguration
    private(set) var model: Model
    /// What the runner was last told to follow.
    private var followed: [Subscription] = []
    private let clock = ContinuousClock()
    private var lastPaint: ContinuousClock.Instant
    private var lastTick: ContinuousClock.Instant
    private var needsPaint = true
    /// The screen took no frame the last time.
    private var isBehind = false
    private(set) var exit: InterfaceExit.Reason?

    init(
        engine: any Engine, configuration: InterfaceConfiguration, screen: any Screen,
        messageBudget: Duration = .milliseconds(20)
    ) {
        self.messageBudget = messageBudget
        hostsEngine = configuration.hostsEngine
        self.screen = screen
        self.configuration = configuration
        runner = Self.runner(engine, mailbox, configuration, host: configuration.hosts?.current)
        model = Model(
            now: .now(), size: screen.size, theme: configuration.theme.adapted(to: screen.colorDepth),
            leader: configuration.leader, makeEmulator: { GridEmulator(size: $0) })
        model.wall = .local
        model.themes = configuration.themes.map { [depth = screen.colorDepth] in $0.adapted(to: depth) }
        let (rebound, complaints) = Keymap.rebound(by: configuration.keys)
        let (bindings, clashes) = Keymap.adding(configuration.commands.commands, to: rebound)
        (model.bindings, model.customCommands) = (bindings, configuration.commands.commands)
        model.keyFilePath = configuration.keyFilePath
        if let leader = configuration.keys.leader { model.leader = leader }
        model.hasDesktop = Desktop.isThere
        (model.host, model.hasHosts) = (configuration.hosts?.current, configuration.hosts != nil)
        model.preferences = configuration.preferences
        lastPaint = clock.now
        lastTick = clock.now
        let keyNotices = complaints.map { "\(configuration.keyFilePath ?? "keys"): \($0)" }
        let commandNotices = (configuration.commands.complaints + clashes).map {
            "\(configuration.commandFilePath ?? "commands"): \($0)"
        }
        model.notices = keyNotices + commandNotices + configuration.notices + [screen.notice].compactMap { $0 }
        if let notice = model.notices.first {
            let more = model.notices.count - 1
            model.say(more > 0 ? "\(notice) (and \(more) more: \(model.key(.settings)) lists them)" : notice, .warning)
        }
    }

    func run() -> InterfaceExit {
        begin()
        while exit == nil { step() }
        return end()
    }

    /// The first paint waits for nothing.
    func begin() {
        paint()
        follow()
    }

    /// One sleep, what has come, and a frame where one is due.
    func step() {
        wait()
        let isAnswer = takeInput()
        takeMessages()
        tickIfDue()
        guard needsPaint, exit == nil else { return }
        guard isAnswer || lastPaint.duration(to: clock.now) >= Self.frameInterval else { return }
        // A terminal that is behind gets the newest picture later, and not all of those between.
        isBehind = !screen.isReady
        if !isBehind { paint() }
    }

    func end() -> InterfaceExit {
        runner.stop()
        awaitUndoing()
        mailbox.close()
        if model.preferences != configuration.preferences { configuration.keepPreferences(model.preferences) }
        return InterfaceExit(
            reason: exit ?? .quit, runningContainers: model.containers.all.count { $0.state.isAlive })
    }

    /// What was half made is undone before the end, in plain sight, unless somebody asks for the end once more.
    private func awaitUndoing() {
        guard runner.isUndoing else { return }
        model.sayEnding()
        let end = clock.now + Self.undoPatience
        while runner.isUndoing, clock.now < end {
            if screen.isReady { paint() }
            wait()
            guard !screen.drainEvents().contains(where: \.asksForTheEnd) else { return }
            for message in mailbox.take(limit: Self.batch) {
                if case .job(let id, let news) = message, news.isEnd { runner.forget(id) }
            }
        }
    }

    /// Sleeps until there is something to read or to do.
    private func wait() {
        var descriptors = screen.inputDescriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        descriptors.append(pollfd(fd: mailbox.wakeDescriptor, events: Int16(POLLIN), revents: 0))
        // An interruption by a signal is one more reason to look.
        _ = poll(&descriptors, nfds_t(descriptors.count), timeoutMilliseconds)
    }

    private var timeoutMilliseconds: Int32 {
        var timeout: Duration?
        if let interval = model.clockInterval { timeout = interval - lastTick.duration(to: clock.now) }
        if needsPaint {
            let due = Self.frameInterval - lastPaint.duration(to: clock.now)
            timeout = min(timeout ?? .seconds(1), isBehind ? Self.behindInterval : due)
        }
        guard let timeout else { return -1 }
        let (seconds, attoseconds) = timeout.components
        // Rounded up, so that the time has come when poll returns.
        return Int32(clamping: max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1))
    }

    /// True where somebody did something and waits to see it.
    private func takeInput() -> Bool {
        let events = screen.drainEvents()
        guard !events.isEmpty else { return false }
        tick()
        for event in events {
            switch event {
            case .terminate(let signal): exit = .signal(signal)
            case .hangup: exit = .hangup
            default: apply(.input(event))
            }
        }
        return true
    }

    private func takeMessages() {
        let end = clock.now + messageBudget
        for taken in 0..<Self.batch {
            guard let message = mailbox.take(limit: 1).first else { return }
            if taken == 0 { tick() }
            if case .hostAnswered(let name, let engine) = message { return move(to: engine, of: name) }
            apply(message)
            if case .connected = message {
                tellTakeover()
                isVisitor = !hostsEngine()
            }
            if case .job(let id, let news) = message, news.isEnd { runner.forget(id) }
            // What is left keeps the mailbox readable: the next step comes at once, with its look at the keyboard.
            if clock.now >= end { return }
        }
    }

    /// Leaves the engine, whose containers run on, for another. What the old one's tasks still say reaches nobody.
    private func move(to engine: any Engine, of host: String) {
        runner.stop()
        mailbox.close()
        mailbox = Mailbox()
        runner = Self.runner(engine, mailbox, configuration, host: host)
        model = model.moved(to: host)
        followed = []
        follow()
        needsPaint = true
    }

    private static func runner(
        _ engine: any Engine, _ mailbox: Mailbox, _ configuration: InterfaceConfiguration, host: String?
    ) -> EffectRunner {
        EffectRunner(
            engine: engine, mailbox: mailbox, credentials: configuration.credentials,
            files: configuration.files ?? .none, hosts: configuration.hosts,
            programs: configuration.programs ?? .none, host: host)
    }

    private func tickIfDue() {
        guard let interval = model.clockInterval, lastTick.duration(to: clock.now) >= interval else { return }
        tick()
        needsPaint = true
    }

    /// Who is left alone with the engine should know: it goes when they go.
    private func tellTakeover() {
        guard isVisitor, hostsEngine() else { return }
        isVisitor = false
        model.say("the gantry that hosted the engine has gone: this one hosts it now", .warning)
    }

    private func tick() {
        tellTakeover()
        lastTick = clock.now
        apply(.tick(.now()), paints: false)
    }

    private func apply(_ message: Message, paints: Bool = true) {
        for effect in update(&model, message) { perform(effect) }
        follow()
        if paints { needsPaint = true }
    }

    private func follow() {
        let wanted = model.subscriptions
        guard wanted != followed else { return }
        followed = wanted
        runner.follow(Set(wanted))
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .copy(let text):
            if !screen.copyToClipboard(text) { model.say("not copied: the terminal does not take it", .warning) }
        case .open(let address): Desktop.open(address)
        case .bell: screen.bell()
        case .redraw: screen.invalidate()
        case .suspend where hostsEngine():
            model.say("this screen hosts the engine: stopped, it would answer no other gantry", .warning)
        case .suspend:
            screen.suspend()
            screen.invalidate()
        case .runOnTerminal(let runs):
            // Stopped with a program, it would answer no other gantry.
            screen.lend(mayStop: !hostsEngine()) {
                for run in runs { (configuration.programs ?? .none).runOnTerminal(run, model.host) }
            }
        case .quit: exit = exit ?? .quit
        default: runner.perform(effect)
        }
    }

    private func paint() {
        screen.present(view(model))
        lastPaint = clock.now
        needsPaint = false
    }
}

extension InputEvent {
    /// Asked for while it is waited for. Of a terminal that is gone the end is asked for once.
    fileprivate var asksForTheEnd: Bool {
        switch self {
        case .key(let key): key == .character("q") || key == Key(.character("c"), .control)
        case .terminate(let signal): signal != SIGHUP
        default: false
        }
    }
}

extension JobNews {
    var isEnd: Bool {
        if case .progress = self { return false }
        return true
    }
}
