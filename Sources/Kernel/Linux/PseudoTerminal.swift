import CLinux
import Glibc

/// The two ends of a terminal that a program stands behind, pty(7). Either end may be asked for its size.
public enum PseudoTerminal {
    /// TIOCSWINSZ: sets the size in cells; the terminal's foreground processes get SIGWINCH if it changed.
    public static func setSize(_ terminal: Descriptor, columns: UInt16, rows: UInt16) throws(KernelError) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try kernelCall("set the terminal's size") {
            gantry_ioctl_pointer(terminal.rawValue, UInt(TIOCSWINSZ), &size)
        }
    }

    /// TIOCGPTPEER, ioctl_tty(2): opens the end for processes, by the master, whatever mount namespace the terminal's file
    /// is in and whatever its name leads to. It does not become this process's controlling terminal.
    public static func peer(of master: Descriptor) throws(KernelError) -> Descriptor {
        Descriptor(
            rawValue: try kernelCall("open the terminal's other end") {
                gantry_pty_peer(master.rawValue, O_RDWR | O_NOCTTY | O_CLOEXEC)
            })
    }

    /// TIOCGWINSZ.
    public static func size(_ terminal: Descriptor) throws(KernelError) -> (columns: UInt16, rows: UInt16) {
        var size = winsize()
        try kernelCall("read the terminal's size") {
            gantry_ioctl_pointer(terminal.rawValue, UInt(TIOCGWINSZ), &size)
        }
        return (size.ws_col, size.ws_row)
    }
}
