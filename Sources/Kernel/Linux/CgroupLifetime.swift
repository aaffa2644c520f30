import CLinux
import Glibc

extension Cgroup {
    /// Sends SIGKILL to every process in the cgroup and below, so that none can escape by forking: `cgroup.kill`, or
    /// frozen, signalled and thawed.
    package func kill() throws(KernelError) {
        if let unified = layout.unifiedDirectory(of: path) {
            do throws(KernelError) {
                try FileContents.write("1", to: "\(unified)/cgroup.kill")
                // Killed processes of a frozen version 1 cgroup end only once it is thawed.
                if layout.mode == .hybrid { try thawLegacy() }
                return
            } catch  where error.errno == .noSuchFile {
                if access(unified, F_OK) != 0 { return }
                // Linux before 5.14 has no cgroup.kill.
            }
        }
        // Where nobody is, nobody can fork.
        if try processes().isEmpty { return }
        try setFrozen(true)
        do throws(KernelError) {
            for pid in try processes() { _ = Glibc.kill(pid, SIGKILL) }
        } catch {
            try setFrozen(false)
            throw error
        }
        try setFrozen(false)
    }

    /// Sends a signal to every process in the cgroup and below.
    package func signalAll(_ signal: Int32) throws(KernelError) {
        if signal == SIGKILL { return try kill() }
        for pid in try processes() { _ = Glibc.kill(pid, signal) }
    }

    /// Stops or continues all processes; returns when all have stopped.
    ///
    /// On a machine that has both versions they are stopped by version 2. Another runtime may have stopped them by version
    /// 1, so that they go on only where both let them.
    package func setFrozen(_ frozen: Bool) throws(KernelError) {
        if let unified = layout.unifiedDirectory(of: path) {
            if !frozen, layout.mode == .hybrid { try thawLegacy() }
            try FileContents.write(frozen ? "1" : "0", to: "\(unified)/cgroup.freeze")
            if try waitForEvent("frozen", frozen ? "1" : "0", in: unified, timeoutMilliseconds: 10_000) { return }
            if frozen { try FileContents.write("0", to: "\(unified)/cgroup.freeze") }
            throw KernelError(frozen ? "freeze" : "thaw", path, Errno(rawValue: ETIMEDOUT))
        }
        guard let directory = layout.directory(of: path, controller: "freezer") else {
            throw KernelError("freeze", path, .notSupported)
        }
        try freezeLegacy(directory, frozen)
    }

    package func isFrozen() throws(KernelError) -> Bool {
        if let unified = layout.unifiedDirectory(of: path), try value("frozen", in: unified) == "1" { return true }
        guard let directory = layout.directory(of: path, controller: "freezer") else { return false }
        do throws(KernelError) {
            let state = try FileContents.read("\(directory)/freezer.state")
            return state.starts(with: Array("FR".utf8))
        } catch  where error.errno == .noSuchFile {
            return false
        }
    }

    /// Ends all processes in the cgroup and below, and removes it. Where nobody is, nobody is looked for: the directory
    /// that all are in goes at the first asking.
    package func end() throws(KernelError) {
        if let directory = lifetimeDirectory, try !Self.removeEmpty(directory) { try kill() }
        try remove()
    }

    /// Removes the directories with those below, once their processes have ended; EBUSY where they do not in time.
    package func remove(timeoutMilliseconds: Int32 = 10_000) throws(KernelError) {
        if let unified = layout.unifiedDirectory(of: path) {
            _ = try waitForEvent("populated", "0", in: unified, timeoutMilliseconds: timeoutMilliseconds)
        }
        for directory in directories(with: Self.joinedOnDemand) {
            try Self.removeTree(directory, timeoutMilliseconds: timeoutMilliseconds)
        }
    }

    private static func removeTree(_ directory: String, timeoutMilliseconds: Int32) throws(KernelError) {
        // Version 1 tells nobody when the last dying process has left: asked again, ever more seldom.
        var pause: Int32 = 1
        var rest = timeoutMilliseconds
        while try !removeEmpty(directory) {
            do throws(KernelError) {
                try TreeRemoval.removeCgroups(below: directory)
                if try removeEmpty(directory) { return }
            } catch  where error.errno == .noSuchFile || error.errno == .noDevice {
                // Another removes them just now.
            }
            guard rest > 0 else { throw KernelError("remove cgroup", directory, .busy) }
            poll(nil, 0, pause)
            rest -= pause
            pause = min(pause * 2, 50)
        }
    }

    /// Whether the directory is gone; false where processes or directories are in it.
    private static func removeEmpty(_ directory: String) throws(KernelError) -> Bool {
        do throws(KernelError) {
            try kernelCall("remove cgroup", directory) { rmdir(directory) }
            return true
        } catch {
            switch error.errno {
            // Or another is removing it just now.
            case .noSuchFile, .noDevice: return true
            case .busy: return false
            default: throw error
            }
        }
    }

    /// Waits until `cgroup.events` gives `key` that value; the kernel announces each change by POLLPRI.
    private func waitForEvent(
        _ key: String, _ wanted: String, in directory: String, timeoutMilliseconds: Int32
    ) throws(KernelError) -> Bool {
        let file: OwnedDescriptor
        do throws(KernelError) {
            file = OwnedDescriptor(try Descriptor.open("\(directory)/cgroup.events", O_RDONLY))
        } catch  where error.errno == .noSuchFile {
            return true
        }
        while true {
            // Read before the wait: a change after this read wakes the poll.
            do throws(KernelError) {
                if try Self.value(key, in: file.descriptor) == wanted { return true }
            } catch  where error.errno == .noDevice {
                // Somebody else, a service manager say, has removed it meanwhile.
                return true
            }
            var entry = pollfd(fd: file.descriptor.rawValue, events: Int16(POLLPRI), revents: 0)
            let ready = try kernelCall("poll", directory) { poll(&entry, 1, timeoutMilliseconds) }
            if ready == 0 { return false }
        }
    }

    private func value(_ key: String, in directory: String) throws(KernelError) -> String? {
        do throws(KernelError) {
            let file = OwnedDescriptor(try Descriptor.open("\(directory)/cgroup.events", O_RDONLY))
            return try Self.value(key, in: file.descriptor)
        } catch  where error.errno == .noSuchFile || error.errno == .noDevice {
            return nil
        }
    }

    private static func value(_ key: String, in file: Descriptor) throws(KernelError) -> String? {
        var chunk = [UInt8](zeros: 256)
        let count = try kernelCall("read cgroup.events") { pread(file.rawValue, &chunk, 256, 0) }
        for line in chunk[..<count].split(separator: 10) {
            let words = line.split(separator: 32)
            if words.count == 2, String(decoding: words[0], as: UTF8.self) == key {
                return String(decoding: words[1], as: UTF8.self)
            }
        }
        return nil
    }

    /// Lets processes go on that the freezer of version 1 has stopped, in which even a killed one stays; nothing where the
    /// machine has none or the cgroup is not in it.
    package func thawLegacy() throws(KernelError) {
        guard let directory = layout.directory(of: path, controller: "freezer"), access(directory, F_OK) == 0 else {
            return
        }
        try FileContents.write("THAWED", to: "\(directory)/freezer.state")
    }

    /// A process that forks while it is being frozen keeps the state at FREEZING: thawed for a moment, it settles.
    private func freezeLegacy(_ directory: String, _ frozen: Bool) throws(KernelError) {
        let wanted = frozen ? "FROZEN" : "THAWED"
        for round in 0..<1000 {
            if frozen, round % 25 == 24 { try FileContents.write("THAWED", to: "\(directory)/freezer.state") }
            try FileContents.write(wanted, to: "\(directory)/freezer.state")
            let state = try FileContents.read("\(directory)/freezer.state")
            if state.starts(with: Array(wanted.utf8)) { return }
            poll(nil, 0, 1)
        }
        try FileContents.write("THAWED", to: "\(directory)/freezer.state")
        throw KernelError("freeze", path, Errno(rawValue: ETIMEDOUT))
    }
}
