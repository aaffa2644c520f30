import CLinux
import Glibc
import Linux

/// The program that keeps an ordinary user's namespaces while anything of the engine is alive: `gantry-shim` with other
/// words, since it must be small and have one thread.
///
///     gantry-shim -namespaces DIRECTORY [-join]
///
/// Descriptor 3 is its socket in the run root, listening already; descriptor 4 is the first connection. It gives its
/// namespaces to whoever connects, and ends when the last connection has. The successor of one that was killed is given
/// the namespaces of those who survived it as descriptors 5 and 6, and waits for their end, too: their connections ended
/// with its forerunner.
package final class NamespaceHolder {
    private static let listener = Descriptor(rawValue: 3)
    private static let first = Descriptor(rawValue: 4)

    private let directory: String
    private let user: Descriptor
    private let mount: Descriptor
    private var lines: [HolderLine]
    /// Processes that are inside and have no line.
    private var others: [Descriptor] = []
    private var uplink: Uplink?

    /// Whether the words are this program's.
    package static func isMeant(_ arguments: [String]) -> Bool { arguments.dropFirst().first == "-namespaces" }

    /// Runs the holder to its end; the exit code is 0 unless it could not begin.
    package static func run(arguments: [String]) -> Int32 {
        let line = HolderLine(first)
        let isSuccessor = arguments.last == "-join"
        guard arguments.count == (isSuccessor ? 4 : 3) else { return 1 }
        do throws(RootlessFailure) {
            try detach()
            if isSuccessor { try join() } else { try enter(line) }
            try NamespaceHolder(directory: arguments[2], line).serve(isSuccessor: isSuccessor)
            return 0
        } catch {
            // Whoever started this may be gone: then there is nobody to tell.
            try? line.send(.failed(error.description))
            return 1
        }
    }

    private init(directory: String, _ line: HolderLine) throws(RootlessFailure) {
        self.directory = directory
        lines = [line]
        (user, mount) = try attempt("open the namespaces") { () throws(KernelError) in
            (try Descriptor.open("/proc/self/ns/user", O_RDONLY), try Descriptor.open("/proc/self/ns/mnt", O_RDONLY))
        }
    }

    /// Leaves the fate of who started it; what the uplink leaves behind becomes this program's child.
    private static func detach() throws(RootlessFailure) {
        for ignored in [SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2] { signal(ignored, SIG_IGN) }
        umask(0o022)
        try attempt("detach the holder of the namespaces") { () throws(KernelError) in
            try kernelCall("change to", "/") { chdir("/") }
            for inherited in [listener, first] {
                try kernelCall("set close-on-exec") { gantry_fcntl_int(inherited.rawValue, F_SETFD, FD_CLOEXEC) }
            }
            // PR_SET_CHILD_SUBREAPER
            try kernelCall("become a subreaper") { gantry_prctl(36, 1, 0, 0, 0) }
        }
    }

    private static func enter(_ line: HolderLine) throws(RootlessFailure) {
        let switches =
            "user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns"
        try attempt("make a user namespace (are they permitted here? \(switches))") { () throws(KernelError) in
            // CLONE_NEWUSER, CLONE_NEWNS.
            try kernelCall("unshare") { gantry_unshare(0x1000_0000 | 0x0002_0000) }
        }
        try attempt("enter the user namespace") { () throws(KernelError) in
            try line.send(.unshared)
            guard case (.mapped, nil) = try line.receive(timeoutMilliseconds: -1) else {
                throw KernelError("map ids", "", .invalidArgument)
            }
            // What the host mounts later still appears here, and nothing of here ever there.
            try Mount.setPropagation("/", [.slave, .recursive])
        }
    }

    private static func join() throws(RootlessFailure) {
        try attempt("enter the namespaces of those who outlived their holder") { () throws(KernelError) in
            // CLONE_NEWUSER, CLONE_NEWNS: the first gives the right to the second.
            for (number, name, flag) in [(5, "user", 0x1000_0000), (6, "mnt", 0x0002_0000)] as [(Int32, String, Int32)]
            {
                let namespace = OwnedDescriptor(Descriptor(rawValue: number))
                let own = OwnedDescriptor(try Descriptor.open("/proc/self/ns/\(name)", O_RDONLY))
                // An engine within that starts one itself: the kernel refuses to enter where one is.
                if try own.descriptor.status().st_ino == namespace.descriptor.status().st_ino { continue }
                try kernelCall("setns") { gantry_setns(number, flag) }
            }
        }
    }

    /// Takes over what a killed holder left in these namespaces.
    private func succeed() {
        others = Survivors(runRoot: directory).open()
        guard Uplink.hasNamespace(in: directory) else { return }
        // Who asks for it next is told why there is none.
        _ = try? network()
    }

    private func serve(isSuccessor: Bool) throws(RootlessFailure) {
        try attempt("hold the namespaces") { () throws(KernelError) in
            try lines[0].send(.user, with: user)
            try lines[0].send(.mount, with: mount)
            if isSuccessor { succeed() } else { Uplink.endStranger(in: directory) }
            while isNeeded || isExpected { try attend(timeoutMilliseconds: -1) }
        }
        end()
    }

    /// An engine whose line ended with a killed holder starts shims that have none.
    private var isNeeded: Bool {
        if lines.isEmpty, others.isEmpty { others = Survivors(runRoot: directory).open() }
        return !lines.isEmpty || !others.isEmpty
    }

    /// Whether somebody has connected who is not accepted yet.
    private var isExpected: Bool {
        var entry = pollfd(fd: Self.listener.rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    private func attend(timeoutMilliseconds: Int32) throws(KernelError) {
        let watched = [Self.listener] + lines.map(\.socket) + others + (uplink?.process.map { [$0] } ?? [])
        var entries = watched.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
        try kernelCall("poll") { poll(&entries, nfds_t(entries.count), timeoutMilliseconds) }
        let ready = Set(entries.filter { $0.revents != 0 }.map(\.fd))
        for line in lines where ready.contains(line.socket.rawValue) { answer(line) }
        for process in others where ready.contains(process.rawValue) { process.close() }
        others.removeAll { ready.contains($0.rawValue) }
        if let process = uplink?.process, ready.contains(process.rawValue) {
            // It died: the next question makes another.
            uplink?.end()
            uplink?.isUp = false
        }
        if ready.contains(Self.listener.rawValue) { accept() }
    }

    /// Nobody but this user reaches the socket, by the directory's mode and its own.
    private func accept() {
        // Who connected may have gone again.
        guard let socket = try? UnixSocket.accept(Self.listener) else { return }
        let line = HolderLine(socket)
        do throws(KernelError) {
            try line.send(.user, with: user)
            try line.send(.mount, with: mount)
            lines.append(line)
        } catch { line.close() }
    }

    private func answer(_ line: HolderLine) {
        do throws(KernelError) {
            let (message, brought) = try line.receive(timeoutMilliseconds: 0)
            brought?.close()
            guard case .network = message else { return }
            let made: Result<Uplink, RootlessFailure> = Result { () throws(RootlessFailure) in try network() }
            switch made {
            case .success(let network): try line.send(.network(network.summary), with: network.namespace)
            case .failure(let failure): try line.send(.failed(failure.description))
            }
        } catch {
            line.close()
            lines.removeAll { $0 == line }
        }
    }

    /// Made when it is first asked for: who publishes nothing and reaches nobody pays nothing.
    private func network() throws(RootlessFailure) -> Uplink {
        var made: Uplink
        if let uplink { made = uplink } else { made = try Uplink(directory: directory) }
        if !made.isUp { try made.start() }
        uplink = made
        return made
    }

    /// Nothing stays: the next one makes its own.
    private func end() {
        uplink?.end()
        // Only where nobody is about to connect or to start another holder; then the name is theirs to replace.
        guard let lock = try? Descriptor.open("\(directory)/\(HolderFiles.lock)", O_RDWR) else { return }
        defer { lock.close() }
        if (try? lock.lock(waiting: false)) != nil { unlink("\(directory)/\(HolderFiles.socket)") }  // As above.
    }
}

/// The holder's files in the run root.
enum HolderFiles {
    static let socket = "namespaces.sock"
    /// Held while somebody connects, or starts a holder.
    static let lock = "namespaces.lock"
    /// The uplink's process, for a holder that comes after one that was killed.
    static let uplink = "uplink.pid"
    /// The engine's process, for the same.
    static let engine = "engine.pid"
}
