import Glibc
import Linux
import Synchronization

/// Waits for readiness of descriptors on one thread of its own, epoll(7) underneath, and wakes the tasks that asked.
///
/// A task that prefers it as its executor goes on right there: what has become ready is read, and passed on, without a
/// change of threads. Such a task never blocks and never computes for long.
final class Reactor: TaskExecutor {
    /// The process's reactor; its thread starts with the first use. A failure to make it (no descriptors left) stays.
    static let shared: Result<Reactor, KernelError> = {
        do throws(KernelError) { return .success(try Reactor()) } catch { return .failure(error) }
    }()

    private struct Watched {
        var nextToken: UInt64 = 1
        var byToken: [UInt64: ReadinessState] = [:]
    }

    private struct Jobs {
        var waiting: [UnownedJob] = []
        /// The thread waits for descriptors, and would not see a job.
        var isAsleep = false
    }

    private let epoll: Epoll
    /// Wakes the thread for a job.
    private let bell: EventFD
    private static let bellToken: UInt64 = 0
    private let jobs = Mutex(Jobs())
    private let watched = Mutex(Watched())

    private init() throws(KernelError) {
        epoll = try Epoll()
        bell = try EventFD()
        try epoll.add(bell.descriptor, .readable, token: Self.bellToken)
        guard startThread({ [self] in run() }) else {
            throw KernelError("start the thread that waits for descriptors", "", Errno(rawValue: EAGAIN))
        }
    }

    func add(_ descriptor: Descriptor) throws(KernelError) -> ReadinessState {
        let state = watched.withLock { watched in
            let state = ReadinessState(descriptor: descriptor, token: watched.nextToken, epoll: epoll)
            watched.byToken[watched.nextToken] = state
            watched.nextToken += 1
            return state
        }
        do {
            try epoll.add(descriptor, .oneShot, token: state.token)
        } catch {
            remove(state)
            throw error
        }
        return state
    }

    func remove(_ state: ReadinessState) {
        _ = watched.withLock { $0.byToken.removeValue(forKey: state.token) }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = jobs.withLock { jobs in
            defer { jobs.isAsleep = false }
            jobs.waiting.append(job)
            return jobs.isAsleep
        }
        if mustWake { bell.signal() }
    }

    private func run() {
        var ready = EpollReady(capacity: 64)
        var due: [UnownedJob] = []
        while true {
            let timeout: Int32 = jobs.withLock { jobs in
                jobs.isAsleep = jobs.waiting.isEmpty
                return jobs.isAsleep ? -1 : 0
            }
            do {
                let count = try epoll.wait(into: &ready, timeoutMilliseconds: timeout)
                jobs.withLock { $0.isAsleep = false }
                for index in 0..<count { fire(ready[index].token, ready[index].events) }
            } catch {
                preconditionFailure("the reactor's own epoll descriptor failed: \(error)")
            }
            // Those that they enqueue come in the next round, after what has become ready meanwhile.
            jobs.withLock { swap(&$0.waiting, &due) }
            for job in due { job.runSynchronously(on: asUnownedTaskExecutor()) }
            due.removeAll(keepingCapacity: true)
        }
    }

    private func fire(_ token: UInt64, _ events: EpollEvents) {
        guard token != Self.bellToken else {
            bell.drain()
            return
        }
        watched.withLock { $0.byToken[token] }?.fire(events)
    }
}
