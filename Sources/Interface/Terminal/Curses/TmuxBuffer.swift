import Glibc

/// The paste buffer of the tmux that a terminal is a window of.
///
/// As it is set up by itself, tmux takes no text from the programs in its windows by OSC 52 and says nothing of it. By its
/// own command it does, and gives it on to the clipboard of the terminal that it is shown on.
enum TmuxBuffer {
    /// Hands it a text; false where it takes none, or not soon.
    static func take(_ text: String) -> Bool {
        // Before 3.2 there was no giving on.
        run(["tmux", "load-buffer", "-w", "-"], reading: text) || run(["tmux", "load-buffer", "-"], reading: text)
    }

    /// How long tmux may do nothing.
    private static let patienceMilliseconds: Int32 = 1000

    private static func run(_ command: [String], reading text: String) -> Bool {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            return false
        }
        let pid = spawn(command, input: ends[1])
        close(ends[1])
        defer { close(ends[0]) }
        guard let pid else { return false }
        let isDone = send(Array(text.utf8), to: ends[0])
        if !isDone { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
        return isDone && status == 0
    }

    private static func spawn(_ command: [String], input: Int32) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        for output in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0)
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        return posix_spawnp(&pid, command[0], &actions, nil, &arguments, environ) == 0 ? pid : nil
    }

    /// Sends the bytes and waits for the other end to be closed, which is the command's end.
    private static func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
        var rest = bytes[...]
        if rest.isEmpty { shutdown(socket, Int32(SHUT_WR)) }
        while true {
            var entry = pollfd(fd: socket, events: Int16(rest.isEmpty ? 0 : POLLOUT), revents: 0)
            let count = poll(&entry, 1, patienceMilliseconds)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            // One that has ended has read what it wanted; its exit code tells the rest.
            if entry.revents & Int16(POLLHUP | POLLERR) != 0 { return true }
            let sent = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            guard sent > 0 else {
                guard sent < 0, [EAGAIN, EINTR, EPIPE].contains(errno) else { return false }
                continue
            }
            rest = rest.dropFirst(sent)
            if rest.isEmpty { shutdown(socket, Int32(SHUT_WR)) }
        }
    }
}
