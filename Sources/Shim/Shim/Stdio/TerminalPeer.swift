import CLinux
import Glibc
import Linux

/// The end of a terminal that is for processes, opened by who has the master.
enum TerminalPeer {
    /// `_IO('T', 0x41)`: a macro that Swift does not see.
    private static let request: UInt = 0x5441

    /// TIOCGPTPEER, ioctl_tty(2): whatever mount namespace the terminal's file is in. It does not become this process's
    /// controlling terminal.
    static func open(of master: Descriptor) throws(KernelError) -> Descriptor {
        let flags = O_RDWR | O_NOCTTY | O_CLOEXEC
        return Descriptor(
            rawValue: try kernelCall("open the terminal's other end") {
                gantry_ioctl_int(master.rawValue, request, Int(flags))
            })
    }
}
