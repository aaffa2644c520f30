import CLinux
import Glibc

/// What epoll(7) tells of a descriptor.
public struct EpollEvents: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = EpollEvents(rawValue: 0x001)
    /// EPOLLPRI: a cgroup's event file changed.
    public static let urgent = EpollEvents(rawValue: 0x002)
    public static let writable = EpollEvents(rawValue: 0x004)
    public static let error = EpollEvents(rawValue: 0x008)
    public static let hangUp = EpollEvents(rawValue: 0x010)
    public static let peerClosed = EpollEvents(rawValue: 0x2000)
    /// EPOLLONESHOT: silent after one event until modified.
    public static let oneShot = EpollEvents(rawValue: 1 << 30)
}

/// An epoll(7) instance. `add`, `modify` and `remove` may be called on any thread, as in the kernel.
public struct Epoll: Sendable {
    public let descriptor: Descriptor

    public init() throws(KernelError) {
        descriptor = Descriptor(rawValue: try kernelCall("epoll_create") { epoll_create1(Int32(O_CLOEXEC)) })
    }

    public func add(_ target: Descriptor, _ events: EpollEvents, token: UInt64) throws(KernelError) {
        try control(1, target, events, token)
    }

    public func modify(_ target: Descriptor, _ events: EpollEvents, token: UInt64) throws(KernelError) {
        try control(3, target, events, token)
    }

    public func remove(_ target: Descriptor) throws(KernelError) { try control(2, target, [], 0) }

    /// epoll_wait(2): fills `ready` and returns how many of its places are filled; 0 when the time is over.
    ///
    /// - Parameter timeoutMilliseconds: -1 waits without end.
    public func wait(into ready: inout EpollReady, timeoutMilliseconds: Int32) throws(KernelError) -> Int {
        let capacity = Int32(ready.events.count)
        let count = try kernelCall("epoll_wait") {
            ready.events.withUnsafeMutableBufferPointer {
                epoll_wait(descriptor.rawValue, $0.baseAddress, capacity, timeoutMilliseconds)
            }
        }
        return Int(count)
    }

    private func control(
        _ operation: Int32, _ target: Descriptor, _ events: EpollEvents, _ token: UInt64
    ) throws(KernelError) {
        var event = epoll_event()
        event.events = events.rawValue
        event.data.u64 = token
        try kernelCall("epoll_ctl", String(target.rawValue)) {
            epoll_ctl(descriptor.rawValue, operation, target.rawValue, &event)
        }
    }
}

/// Room for the events of one `Epoll.wait`, used again for each.
public struct EpollReady {
    fileprivate var events: [epoll_event]

    public init(capacity: Int = 32) { events = [epoll_event](repeating: epoll_event(), count: capacity) }

    public subscript(index: Int) -> (token: UInt64, events: EpollEvents) {
        (events[index].data.u64, EpollEvents(rawValue: events[index].events))
    }
}
