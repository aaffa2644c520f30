import CLinux
import Glibc
import Linux
import OCI

/// The terminal of a container's process: a pair made in the container's own devpts, whose one end goes to who asked
/// for it and whose other end becomes the process's standard streams.
struct Console {
    let master: Descriptor
    let terminal: Descriptor

    /// - Parameter tree: the container's root.
    init(in tree: RootedTree) throws(KernelError) {
        let terminals = try KernelTree.terminals(in: tree)
        defer { terminals.close() }
        let near = try terminals.open("ptmx", O_RDWR | O_NOCTTY)
        // TIOCSPTLCK of asm-generic/ioctls.h.
        var locked: Int32 = 0
        try kernelCall("unlock the terminal") { gantry_ioctl_pointer(near.rawValue, 0x4004_5431, &locked) }
        master = near
        terminal = try PseudoTerminal.peer(of: near)
    }

    /// Hands the terminal's near end out and puts the far end under the process as its standard streams.
    func install(sendingTo socket: Descriptor, size: RuntimeConsoleSize?, owner: UInt32) throws(KernelError) {
        if let size, size.width > 0, size.height > 0 {
            try PseudoTerminal.setSize(terminal, columns: size.width, rows: size.height)
        }
        // With the name that runc sends beside it: a receiver may look at it.
        try UnixSocket.send(socket, descriptor: master, with: "/dev/ptmx")
        master.close()
        // The program's user opens its own terminal; a user namespace without that id keeps root as the owner.
        _ = fchown(terminal.rawValue, owner, gid_t.max)
        for stream in Int32(0)...2 {
            try kernelCall("duplicate the terminal") { dup2(terminal.rawValue, stream) }
        }
        terminal.close()
    }

    /// Makes the terminal that is the standard input the session's. The process must lead the session.
    static func takeControl() throws(KernelError) {
        try kernelCall("set the controlling terminal") { gantry_ioctl_int(0, UInt(TIOCSCTTY), 0) }
    }

    /// Shows the terminal as `/dev/console`: the very file that is open here, whatever its name in `/dev/pts` leads to by
    /// now (CVE-2025-52565).
    func mountAsConsole(in tree: RootedTree) throws(KernelError) {
        try tree.createFile("/dev/console", mode: 0o620).close()
        let place = OwnedDescriptor(try tree.open("/dev/console", O_PATH | O_NOFOLLOW))
        guard try place.descriptor.status().st_mode & S_IFMT != S_IFLNK else {
            throw KernelError("mount the terminal at", "/dev/console", .symbolicLinkLoop)
        }
        let copy = OwnedDescriptor(try Mount.cloneTree("", in: terminal))
        try Mount.attach(copy.descriptor, at: place.descriptor, named: "/dev/console")
    }
}

/// The socket over which the near end of a terminal is given away.
enum ConsoleSocket {
    static func connect(_ path: String) throws(RuntimeError) -> Descriptor {
        let (parent, name) = PathName.split(path)
        return try attempt("unable to connect to the console socket \(path)") { () throws(KernelError) in
            let directory = OwnedDescriptor(try Descriptor.open(parent, O_PATH | O_DIRECTORY))
            return try UnixSocket.connect(in: directory.descriptor, name: name)
        }
    }

    /// A pair for a runtime that keeps the terminal itself.
    static func pair() throws(RuntimeError) -> (near: Descriptor, far: Descriptor) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try attempt { () throws(KernelError) in
            try kernelCall("socketpair") { socketpair(AF_UNIX, type, 0, &ends) }
        }
        return (Descriptor(rawValue: ends[0]), Descriptor(rawValue: ends[1]))
    }
}
