import Glibc
import Linux
import OCI

/// What a service manager's `NOTIFY_SOCKET` (sd_notify(3)) is to a container: a socket of its own in a directory that is
/// bound into it, whose first `READY=` the runtime passes on.
///
/// ```
///   container            runtime                              service manager
///     ├─ READY=1 ────────►│                                        │
///     │                   ├─ READY=1 ─────────────────────────────►│
///     │                   ├─ MAINPID=… ───────────────────────────►│
///     │                   ├─ BARRIER=1 and the end of a pipe ─────►│
///     │                   │◄── the pipe's end is closed ───────────┤
/// ```
///
/// The socket itself is not given into the container: whoever writes to it could name any process as the main one.
struct NotifySocket {
    private static let place = "/run/notify"
    private static let name = "notify.sock"

    /// The service manager's.
    let manager: String
    /// The host's directory that the container sees.
    let directory: String

    /// Nil where nobody waits to be notified.
    init?(of id: String, in store: ContainerStore) {
        guard let variable = getenv("NOTIFY_SOCKET"), variable.pointee != 0 else { return nil }
        manager = String(cString: variable)
        directory = "\(store.directory(of: id))/notify"
    }

    func add(to spec: inout RuntimeSpec) {
        let options = ["bind", "nosuid", "noexec", "nodev", "ro"]
        spec.mounts.append(
            RuntimeMount(destination: Self.place, type: "bind", source: directory, options: options))
        spec.process?.env.append("NOTIFY_SOCKET=\(Self.place)/\(Self.name)")
    }

    func makeDirectory() throws(RuntimeError) {
        try attempt { () throws(KernelError) in
            try kernelCall("mkdir", directory) { mkdir(directory, 0o755) }
            // Whatever the umask says: the container's user must find the socket.
            try kernelCall("chmod", directory) { chmod(directory, 0o755) }
        }
    }

    /// For a start that has failed: the next one binds it again.
    func unbind() { unlink("\(directory)/\(Self.name)") }

    /// From here on the container's messages are kept until they are read. Nil for a container that was made without.
    func bind() throws(RuntimeError) -> Descriptor? {
        guard access(directory, F_OK) == 0 else { return nil }
        return try attempt("unable to bind the notify socket") { () throws(KernelError) in
            let place = OwnedDescriptor(try Descriptor.open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW))
            return try UnixDatagram.bind(in: place.descriptor, name: Self.name, mode: 0o777)
        }
    }

    /// Waits for the container to be ready and passes that on; returns as well once its process has ended.
    ///
    /// For a runtime that leaves then: before, the manager has read all. One that knows no barrier would be waited for in
    /// vain, hence sd_notify_barrier's usual limit.
    func forwardReady(from socket: Descriptor, of process: Descriptor, mainPID: Int32) throws(RuntimeError) {
        try attempt { () throws(KernelError) in
            while true {
                if try Self.poll(socket, POLLIN, orEndOf: process, timeoutMilliseconds: -1) == false { return }
                guard let barrier = try takeReady(from: socket, of: process, mainPID: mainPID) else { continue }
                defer { barrier.close() }
                _ = try Self.poll(barrier, POLLIN, orEndOf: process, timeoutMilliseconds: 30_000)
                return
            }
        }
    }

    /// Whether it has come to what is waited for; false where it has not and the process has ended or the time is over.
    private static func poll(
        _ descriptor: Descriptor, _ events: Int32, orEndOf process: Descriptor, timeoutMilliseconds: Int32
    ) throws(KernelError) -> Bool {
        var entries = [
            pollfd(fd: descriptor.rawValue, events: Int16(events), revents: 0),
            pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        try kernelCall("poll") { Glibc.poll(&entries, 2, timeoutMilliseconds) }
        return entries[0].revents != 0
    }

    /// Reads what has come, and passes the readiness on if it was that: then the pipe's end is given whose other one the
    /// manager closes when it has read all.
    func takeReady(
        from socket: Descriptor, of process: Descriptor, mainPID: Int32
    ) throws(KernelError) -> Descriptor? {
        var message = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket.rawValue, &message, message.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return nil }
            guard let line = Self.readyLine(in: message[..<count]) else { continue }
            return try tellManager(line, of: process, mainPID: mainPID)
        }
    }

    /// The line of a notification that says `READY=`; nil for one that says other things only.
    static func readyLine(in message: ArraySlice<UInt8>) -> String? {
        message.split(separator: 10).first { $0.starts(with: Array("READY=".utf8)) }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    private func tellManager(
        _ line: String, of process: Descriptor, mainPID: Int32
    ) throws(KernelError) -> Descriptor {
        let socket = OwnedDescriptor(try UnixDatagram.connect(manager))
        for text in ["\(line)\n", "MAINPID=\(mainPID)\n"] {
            try Self.whenThereIsRoom(on: socket.descriptor, orEndOf: process) { () throws(KernelError) in
                _ = try UnixSocket.send(socket.descriptor, Array(text.utf8), from: 0)
            }
        }
        let (reading, writing) = try Descriptor.pipe()
        defer { writing.close() }
        let barrier = OwnedDescriptor(reading)
        try Self.whenThereIsRoom(on: socket.descriptor, orEndOf: process) { () throws(KernelError) in
            try UnixSocket.send(socket.descriptor, descriptor: writing, with: "BARRIER=1")
        }
        return barrier.release()
    }

    /// A manager that is busy has room for a dozen messages, and is waited for, as sd_notify(3) does: for half a minute, or
    /// until nobody is ready any more.
    private static func whenThereIsRoom(
        on socket: Descriptor, orEndOf process: Descriptor, _ send: () throws(KernelError) -> Void
    ) throws(KernelError) {
        while true {
            do throws(KernelError) { return try send() } catch  where error.errno == .wouldBlock {
                guard try poll(socket, POLLOUT, orEndOf: process, timeoutMilliseconds: 30_000) else { throw error }
            }
        }
    }
}
