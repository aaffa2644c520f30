import CLinux
import Glibc
import Linux

/// What keeps an `exec` from making its process until its caller says so: `--hold NUMBER`, a descriptor that is one end of a
/// pair of stream sockets. No other runtime has it; gantry-shim uses it for an exec that is likely to be asked for soon.
///
/// ```
///   caller                            runtime
///     │                                  │  all is done that does not depend on when
///     ├── any byte ─────────────────────►│  the process is made
///     │◄──────────── pid, line break ────┤  its program runs
///     ╵
///     ├── end of file ──────────────────►│  or: nothing is made, and nothing told
/// ```
///
/// Who waits is the helper of `ContainerEntry`, in the container's namespaces and with the program's rights, where one more
/// process is in nobody's way; else the runtime itself, before anything of it is in the container.
///
/// With `--leave-helper`, of a caller that takes in orphans (PR_SET_CHILD_SUBREAPER of prctl(2)), the runtime may have ended by
/// then, with 0. What comes of it the socket says, which ends without a word where there is no process.
struct ExecHold {
    let socket: Descriptor

    /// - Parameter number: nil where nothing is waited for.
    init?(_ number: Int32?) throws(RuntimeError) {
        guard let number else { return nil }
        socket = Descriptor(rawValue: number)
        // Another descriptor's end would be taken for the caller's word.
        let isSocket = (try? socket.status()).map { $0.st_mode & S_IFMT == S_IFSOCK } ?? false
        guard number > 2, isSocket else { throw RuntimeError("--hold: descriptor \(number) is no socket") }
        // Also where it is among those that the program is to keep.
        _ = gantry_fcntl_int(number, F_SETFD, FD_CLOEXEC)
    }

    /// Waits; whether the process is to be made. By read(2), since a filter may be in force.
    func isReleased() throws(KernelError) -> Bool {
        var byte = [UInt8](zeros: 1)
        return try socket.read(into: &byte) > 0
    }

    /// Says that the program runs; as above, by write(2).
    func tell(_ pid: Int32) throws(KernelError) {
        let line = Array("\(pid)\n".utf8)
        try kernelCall("tell the process's number") { line.withUnsafeBytes { SyncChannel.write($0, to: socket) } }
    }
}
