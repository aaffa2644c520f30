import CLinux
import Glibc
import Linux

/// Moves this process into the namespaces of an ordinary user's engine, where it is root: those that another `gantry`
/// of the same user and run root has made, or new ones.
///
/// Only for a process with one thread, which is why it must come before anything else of a program.
package struct NamespaceEntry {
    private static let patienceMilliseconds: Int32 = 15_000

    private let places: UserPlaces
    private let shimPath: String
    private let ids: UserIDs

    /// - Parameter shimPath: the program `gantry-shim`, which becomes the holder.
    package init(places: UserPlaces, shimPath: String, ids: UserIDs) {
        self.places = places
        self.shimPath = shimPath
        self.ids = ids
    }

    /// - Returns: the line to the holder, which keeps the namespaces as long as it is open anywhere, and whether the
    ///   namespaces are new.
    package func enter() throws(RootlessFailure) -> (line: HolderLine, isNew: Bool) {
        try places.prepare(uid: getuid())
        let (line, isNew) = try connect()
        do throws(RootlessFailure) {
            try join(line)
            return (line, isNew)
        } catch {
            line.close()
            throw error
        }
    }

    /// For a process that is inside, and whose holder was killed: another holder of the same namespaces.
    func reenter() throws(RootlessFailure) -> HolderLine {
        let (line, _) = try connect()
        do throws(RootlessFailure) {
            // They are this process's own.
            for wanted in [HolderMessage.user, .mount] { try receive(wanted, line)?.close() }
            return line
        } catch {
            line.close()
            throw error
        }
    }

    /// One at a time, so that two do not both start a holder.
    private func connect() throws(RootlessFailure) -> (HolderLine, isNew: Bool) {
        let attempted = "reach the holder of this user's namespaces in `\(places.runRoot)`"
        let (folder, held) = try attempt(attempted) { () throws(KernelError) in
            let folder = try Descriptor.open(places.runRoot, O_RDONLY | O_DIRECTORY)
            return (folder, try folder.open(HolderFiles.lock, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600))
        }
        let directory = OwnedDescriptor(folder)
        let lock = OwnedDescriptor(held)
        let present = try attempt(attempted) { () throws(KernelError) in
            try lock.descriptor.lock()
            return try visit(directory.descriptor)
        }
        if let present { return (present, false) }
        return try start(directory.descriptor)
    }

    /// Nil where there is no holder, or one that is just ending.
    private func visit(_ directory: Descriptor) throws(KernelError) -> HolderLine? {
        let socket: Descriptor
        do throws(KernelError) { socket = try UnixSocket.connect(in: directory, name: HolderFiles.socket) } catch {
            if error.errno == .noSuchFile || error.errno == .connectionRefused { return nil }
            throw error
        }
        var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, Self.patienceMilliseconds)
        var byte: UInt8 = 0
        // Looked at, not taken: a holder that ends now gives the end of the connection in place of its first word.
        if recv(socket.rawValue, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 1 {
            return HolderLine(socket)
        }
        socket.close()
        if entry.revents == 0 { throw KernelError("wait for its answer", "", Errno(rawValue: ETIMEDOUT)) }
        return nil
    }

    /// A holder of new namespaces, or of those in which an engine or containers have outlived theirs.
    private func start(_ directory: Descriptor) throws(RootlessFailure) -> (HolderLine, isNew: Bool) {
        let (listener, near, far) = try attempt("start a holder of namespaces") { () throws(KernelError) in
            // One that was killed leaves its name.
            _ = unlinkat(directory.rawValue, HolderFiles.socket, 0)
            let listener = try UnixSocket.listen(in: directory, name: HolderFiles.socket)
            let (near, far) = try UnixSocket.pair()
            return (listener, near, far)
        }
        let line = HolderLine(near)
        do throws(RootlessFailure) {
            defer { for given in [listener, far] { given.close() } }
            var spawn = Spawn(program: shimPath, arguments: [shimPath, "-namespaces", places.runRoot])
            spawn.descriptors = [nil, nil, nil, listener, far]
            spawn.newSession = true
            if let survivors = Survivors(runRoot: places.runRoot).namespaces() {
                defer { for given in [survivors.user, survivors.mount] { given.close() } }
                spawn.arguments.append("-join")
                spawn.descriptors += [survivors.user, survivors.mount]
                _ = try launch(spawn)
                return (line, false)
            }
            try map(line, holder: try launch(spawn))
            return (line, true)
        } catch {
            line.close()
            _ = unlinkat(directory.rawValue, HolderFiles.socket, 0)
            throw error
        }
    }

    private func launch(_ spawn: Spawn) throws(RootlessFailure) -> Int32 {
        try attempt("start the holder of namespaces (gantry-shim beside gantry, or as GANTRY_SHIM names it)") {
            () throws(KernelError) in try spawn.start()
        }
    }

    /// The ids are mapped from outside: inside there is no right to any but the user's own.
    private func map(_ line: HolderLine, holder pid: Int32) throws(RootlessFailure) {
        do throws(RootlessFailure) {
            _ = try receive(.unshared, line)
            try ids.map(pid: pid)
            try attempt("map the ids of the holder") { () throws(KernelError) in try line.send(.mapped) }
        } catch {
            // This process's child, which nobody else reaps: the number is its own until then.
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw error
        }
    }

    private func join(_ line: HolderLine) throws(RootlessFailure) {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let hasDirectory = getcwd(&buffer, buffer.count) != nil
        // CLONE_NEWUSER, CLONE_NEWNS: the first gives the right to the second.
        for (wanted, flag) in [(HolderMessage.user, Int32(0x1000_0000)), (.mount, 0x0002_0000)] {
            guard let namespace = try receive(wanted, line) else {
                throw RootlessFailure("the holder of this user's namespaces gave none")
            }
            defer { namespace.close() }
            try attempt("enter the namespaces of this user's engine") { () throws(KernelError) in
                try kernelCall("setns") { gantry_setns(namespace.rawValue, flag) }
            }
        }
        // The working directory is the namespace's root now; one that was removed stays lost, as it was before.
        if hasDirectory { _ = chdir(buffer) }
    }

    private func receive(_ wanted: HolderMessage, _ line: HolderLine) throws(RootlessFailure) -> Descriptor? {
        let (message, brought) = try attempt("hear of the holder of this user's namespaces") {
            () throws(KernelError) in try line.receive(timeoutMilliseconds: Self.patienceMilliseconds)
        }
        if message == wanted { return brought }
        brought?.close()
        if case .failed(let why) = message { throw RootlessFailure(why) }
        throw RootlessFailure(
            "the holder of this user's namespaces says `\(message.text)` where `\(wanted.text)` is due")
    }
}
