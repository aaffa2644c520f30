import Glibc
import Linux
import Synchronization

/// Waits for readiness of descriptors on one thread of its own, epoll(7) underneath, and wakes the tasks that asked.
final class Reactor: Sendable {
    /// The process's reactor; its thread starts with the first use. A failure to make it (no descriptors left) stays.
    static let shared: Result<Reactor, KernelError> = {
        do throws(KernelError) { return .success(try Reactor()) } catch { return .failure(error) }
    }()

    private struct Watched {
        var nextToken: UInt64 = 1
        var byToken: [UInt64: ReadinessState] = [:]
    }

    private let epoll: Epoll
    private let watched = Mutex(Watched())

    private init() throws(KernelError) {
        epoll = try Epoll()
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

    private func run() {
        var ready = EpollReady(capacity: 64)
        while true {
            do {
                let count = try epoll.wait(into: &ready, timeoutMilliseconds: -1)
                for index in 0..<count {
                    let (token, events) = ready[index]
                    watched.withLock { $0.byToken[token] }?.fire(events)
                }
            } catch {
                preconditionFailure("the reactor's own epoll descriptor failed: \(error)")
            }
        }
    }
}
