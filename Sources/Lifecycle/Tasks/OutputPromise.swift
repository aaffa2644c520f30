import Linux
import Synchronization

/// A socket that a shim has been told of, and gets once everything has been read that it had sent before: it is to write
/// output there itself then. One that is dropped tells the shim that output is to come as before.
final class OutputPromise: Sendable {
    private let socket: Descriptor
    private let door: Descriptor
    /// The shim's end of the pair, until it is told.
    private let shimDoor: Descriptor
    private let isShimDoorOpen = Mutex(true)

    /// - Parameter socket: taken over, also where it throws.
    init(of socket: Descriptor) throws(KernelError) {
        do throws(KernelError) { (door, shimDoor) = try UnixSocket.pair() } catch {
            socket.close()
            throw error
        }
        self.socket = socket
    }

    deinit {
        closeShimDoor()
        door.close()
        socket.close()
    }

    /// Calls `tell` with what is to go to the shim beside the word of it.
    func tell(_ tell: (Descriptor) throws(KernelError) -> Void) throws(KernelError) {
        defer { closeShimDoor() }
        try tell(shimDoor)
    }

    /// Gives the socket over.
    func keep() throws(KernelError) { try UnixSocket.send(door, descriptor: socket) }

    private func closeShimDoor() {
        let wasOpen = isShimDoorOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        if wasOpen { shimDoor.close() }
    }
}
