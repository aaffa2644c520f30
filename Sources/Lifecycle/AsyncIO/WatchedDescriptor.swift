import Glibc
import Linux

/// A descriptor whose readiness tasks can await. One task at a time may wait for reading and one for writing.
///
/// It owns the descriptor: `close` wakes who waits (EBADF), then closes it, so a number that the kernel has given to
/// another file meanwhile is never touched. Closed at the latest when the last reference is dropped.
package final class WatchedDescriptor: Sendable {
    private let state: ReadinessState
    private let reactor: Reactor

    /// Takes the descriptor over; on failure the caller still owns it. EPERM for a file that epoll cannot watch.
    package init(_ descriptor: Descriptor) throws(KernelError) {
        reactor = try Reactor.shared.get()
        state = try reactor.add(descriptor)
    }

    deinit { close() }

    /// Returns when a read would not block: data, end or error. ECANCELED when the calling task is cancelled.
    package func readable() async throws(KernelError) {
        if try !waitInPlace(POLLIN) { try await state.wait(.reading) }
    }

    /// Returns when a write would not block. ECANCELED when the calling task is cancelled.
    package func writable() async throws(KernelError) {
        if try !waitInPlace(POLLOUT) { try await state.wait(.writing) }
    }

    /// The calling task has a thread of its own, as by a `BlockingPool`: where it waits for what is soon to come it keeps the
    /// thread, which costs a change of threads less each time. It may notice later by `placeMilliseconds` that it is
    /// cancelled, or that the descriptor is closed.
    @TaskLocal package static var waitsInPlace = false

    private static let placeMilliseconds: Int32 = 20

    private func waitInPlace(_ event: Int32) throws(KernelError) -> Bool {
        guard Self.waitsInPlace, !Task.isCancelled else { return false }
        var entry = pollfd(fd: try withDescriptor { $0.rawValue }, events: Int16(event), revents: 0)
        // Whatever it is that happens, the caller's next call says. Should the number be another's by now, it is no harm.
        return poll(&entry, 1, Self.placeMilliseconds) > 0
    }

    /// Calls `body` once the other side is gone, or has closed both directions, whether or not anybody waits for it; on the
    /// reactor's thread, which it must not hold up. Never after `close`.
    package func whenHungUp(_ body: @escaping @Sendable () -> Void) throws(KernelError) {
        try state.whenHungUp(body)
    }

    /// Calls `body` with the descriptor, which cannot be closed meanwhile; `body` must not block. EBADF once closed.
    package func withDescriptor<Value>(
        _ body: (Descriptor) throws(KernelError) -> Value
    ) throws(KernelError) -> Value {
        try state.withDescriptor(body)
    }

    /// Wakes who waits and closes the descriptor. Calling it again does nothing.
    package func close() {
        reactor.remove(state)
        state.close()
    }
}

/// Waits once for a descriptor that the caller keeps open and does not share with another waiter, such as a pidfd.
package func waitUntilReadable(_ descriptor: Descriptor) async throws(KernelError) {
    let copy = try kernelCall("duplicate descriptor") { fcntl(descriptor.rawValue, F_DUPFD_CLOEXEC, 0) }
    let watched: WatchedDescriptor
    do {
        watched = try WatchedDescriptor(Descriptor(rawValue: copy))
    } catch {
        Descriptor(rawValue: copy).close()
        throw error
    }
    defer { watched.close() }
    try await watched.readable()
}
