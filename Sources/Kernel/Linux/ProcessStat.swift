import Glibc

/// A line of `/proc/PID/stat`, proc(5): what tells a process from another that got the same number later.
package struct ProcessStat: Hashable, Sendable {
    package var pid: Int32
    /// The program's name, cut to 15 bytes by the kernel; any bytes, so not always UTF-8.
    package var command: String
    /// `R`, `S`, `D`, `Z`, `T`, …
    package var state: Character
    package var parent: Int32
    package var processGroup: Int32
    package var session: Int32
    /// The controlling terminal's device number; 0 for none.
    package var terminal: Int32
    /// PF_… of the kernel.
    package var flags: UInt32
    package var userTicks: UInt64
    package var systemTicks: UInt64
    package var threads: Int
    /// Clock ticks since boot; with the pid, a process's identity.
    package var startTicks: UInt64
    package var residentPages: Int

    /// Whether the process has ended and only waits to be reaped.
    package var isEnded: Bool { state == "Z" || state == "X" }

    /// Whether a signal or a debugger has stopped the process: it does nothing before it is told to go on.
    package var isStopped: Bool { state == "T" || state == "t" }

    /// Whether the process runs the program of the one that made it: it has executed none since, PF_FORKNOEXEC.
    package var hasNeverExecuted: Bool { flags & 0x40 != 0 }

    /// Whether the process is a runtime's on its way into a container: it has executed no program of its own, and joined a pid
    /// namespace, which by setns(2) it has for its children alone. Looked up now; false where it is gone.
    package var isEntering: Bool {
        guard hasNeverExecuted else { return false }
        var (own, childrens) = (stat(), stat())
        guard stat("/proc/\(pid)/ns/pid", &own) == 0, stat("/proc/\(pid)/ns/pid_for_children", &childrens) == 0 else {
            return false
        }
        return own.st_ino != childrens.st_ino
    }

    /// Reads one process; ENOENT or ESRCH where it is gone.
    package static func read(pid: Int32) throws(KernelError) -> ProcessStat {
        let path = "/proc/\(pid)/stat"
        let bytes = try FileContents.read(path, limitBytes: 4096)
        guard let stat = ProcessStat(parsing: bytes) else { throw KernelError("parse", path, .inputOutput) }
        return stat
    }

    /// The name in parentheses may itself hold parentheses and spaces: the fields begin after the last `)`.
    package init?(parsing bytes: [UInt8]) {
        guard let open = bytes.firstIndex(of: UInt8(ascii: "(")), let close = bytes.lastIndex(of: UInt8(ascii: ")")),
            open < close
        else { return nil }
        let number = bytes[..<open].filter { $0 != 32 }
        let fields = bytes[(close + 1)...].split(whereSeparator: { $0 == 32 || $0 == 10 })
        func field<Number: FixedWidthInteger>(_ index: Int) -> Number? {
            // proc(5) counts from 1, and the third field is the first after the name.
            fields.count > index - 3 ? Number(String(decoding: fields[index - 3], as: UTF8.self)) : nil
        }
        guard let pid = Int32(String(decoding: number, as: UTF8.self)), let letter = fields.first?.first,
            let parent: Int32 = field(4), let group: Int32 = field(5), let session: Int32 = field(6),
            let terminal: Int32 = field(7), let flags: UInt32 = field(9),
            let user: UInt64 = field(14), let system: UInt64 = field(15), let threads: Int = field(20),
            let start: UInt64 = field(22), let resident: Int = field(24)
        else { return nil }
        self.pid = pid
        command = String(decoding: bytes[(open + 1)..<close], as: UTF8.self)
        state = Character(Unicode.Scalar(letter))
        (self.parent, processGroup, self.session) = (parent, group, session)
        (self.terminal, self.flags) = (terminal, flags)
        (userTicks, systemTicks, self.threads) = (user, system, threads)
        (startTicks, residentPages) = (start, resident)
    }
}
