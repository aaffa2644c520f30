import Glibc
import Linux

/// The shim's only loop: descriptors, timers, nothing else. Handlers run one after another and never block.
final class EventLoop {
    typealias Handler = (EpollEvents) -> Void

    /// A descriptor that is being watched.
    struct Watch: Hashable {
        let descriptor: Descriptor
        fileprivate let token: UInt64
    }

    /// A timer that may be cancelled.
    struct Alarm: Hashable {
        fileprivate let number: UInt64
    }

    private struct Timer {
        let number: UInt64
        let deadlineMilliseconds: Int64
        let body: () -> Void
    }

    private let epoll: Epoll
    private var handlers: [UInt64: Handler] = [:]
    private var timers: [Timer] = []
    private var nextNumber: UInt64 = 1
    private var isEnding = false
    /// Called once whenever nothing happened for a quarter of a second after something had: to give memory back.
    var onIdle: () -> Void = {}

    init() throws(KernelError) { epoll = try Epoll() }

    func watch(
        _ descriptor: Descriptor, _ events: EpollEvents, _ handler: @escaping Handler
    ) throws(KernelError) -> Watch {
        let token = nextNumber
        nextNumber += 1
        try epoll.add(descriptor, events, token: token)
        handlers[token] = handler
        return Watch(descriptor: descriptor, token: token)
    }

    /// Changes what is waited for; an empty set leaves errors and hang-ups.
    func change(_ watch: Watch, _ events: EpollEvents) {
        do {
            try epoll.modify(watch.descriptor, events, token: watch.token)
        } catch { preconditionFailure("a watched descriptor cannot be changed: \(error)") }
    }

    /// Must come before the descriptor is closed.
    func forget(_ watch: Watch) {
        guard handlers.removeValue(forKey: watch.token) != nil else { return }
        do {
            try epoll.remove(watch.descriptor)
        } catch { preconditionFailure("a watched descriptor cannot be removed: \(error)") }
    }

    @discardableResult
    func after(milliseconds: Int64, _ body: @escaping () -> Void) -> Alarm {
        let number = nextNumber
        nextNumber += 1
        timers.append(Timer(number: number, deadlineMilliseconds: Self.now() + milliseconds, body: body))
        return Alarm(number: number)
    }

    func cancel(_ alarm: Alarm?) {
        if let alarm { timers.removeAll { $0.number == alarm.number } }
    }

    /// Lets `run` return after the handlers of this round.
    func end() { isEnding = true }

    func run() throws(KernelError) {
        var ready = EpollReady(capacity: 16)
        var idleWasSaid = false
        while !isEnding {
            let count = try epoll.wait(into: &ready, timeoutMilliseconds: timeout(idleWasSaid))
            for index in 0..<count {
                let (token, events) = ready[index]
                // A handler before this one may have forgotten the descriptor.
                handlers[token]?(events)
            }
            let fired = fireTimers()
            if count == 0, !fired, !idleWasSaid {
                onIdle()
                idleWasSaid = true
            } else if count > 0 {
                idleWasSaid = false
            }
        }
    }

    private func timeout(_ idleWasSaid: Bool) -> Int32 {
        let idle: Int64? = idleWasSaid ? nil : 250
        let next = timers.map(\.deadlineMilliseconds).min().map { max(0, $0 - Self.now()) }
        guard let wait = [idle, next].compactMap({ $0 }).min() else { return -1 }
        return Int32(clamping: wait)
    }

    private func fireTimers() -> Bool {
        guard !timers.isEmpty else { return false }
        let now = Self.now()
        let due = timers.filter { $0.deadlineMilliseconds <= now }
        guard !due.isEmpty else { return false }
        for timer in due {
            // One that fires may cancel another.
            guard timers.contains(where: { $0.number == timer.number }) else { continue }
            timers.removeAll { $0.number == timer.number }
            timer.body()
        }
        return true
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
