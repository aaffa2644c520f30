import EngineAPI
import Glibc
import Linux

/// `ps -ef` made from /proc, for machines without ps(1).
enum ProcessListing {
    /// UID PID PPID C STIME TTY TIME CMD, by pid, as procps prints them.
    static func full(of pids: Set<Int32>) -> ProcessTable {
        let clock = BootClock.now()
        let now = Timestamp.now()
        return ProcessTable(
            titles: ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
            rows: pids.sorted().compactMap { row($0, clock, now) })
    }

    private static func row(_ pid: Int32, _ clock: BootClock, _ now: Timestamp) -> [String]? {
        // It has ended since it was listed.
        guard let stat = try? ProcessStat.read(pid: pid) else { return nil }
        let ticks = stat.userTicks + stat.systemTicks
        let started = clock.time(ofTicks: stat.startTicks)
        let age = max(1, now.nanosecondsSinceEpoch - started.nanosecondsSinceEpoch)
        let share = Int64(ClockTicks.nanoseconds(ticks)) / max(1, age / 100)
        return [
            owner(of: pid), String(pid), String(stat.parent), String(min(99, share)), startTime(started, now),
            terminal(stat.terminal), cpuTime(seconds: ticks / ClockTicks.perSecond),
            CommandLine.read(pid, name: stat.command),
        ]
    }

    private static func owner(of pid: Int32) -> String {
        var facts = stat()
        guard lstat("/proc/\(pid)", &facts) == 0 else { return "?" }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getpwuid_r(facts.st_uid, &entry, &buffer, buffer.count, &found) == 0, let found,
            let name = found.pointee.pw_name
        else { return String(facts.st_uid) }
        return String(cString: name)
    }

    /// The hour within a day, the date before.
    private static func startTime(_ started: Timestamp, _ now: Timestamp) -> String {
        var seconds = time_t(started.nanosecondsSinceEpoch / 1_000_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let isRecent = now.nanosecondsSinceEpoch - started.nanosecondsSinceEpoch < 86_400_000_000_000
        var text = [CChar](repeating: 0, count: 16)
        let length = strftime(&text, text.count, isRecent ? "%H:%M" : "%b%d", &parts)
        return String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// proc(5), `tty_nr`: the minor number in bits 0-7 and 20-31, the major in 8-15; 136 and on are ptys.
    static func terminal(_ number: Int32) -> String {
        let major = Int(number >> 8 & 0xFF)
        let minor = Int(number & 0xFF | number >> 12 & 0xFFF00)
        switch major {
        case 136...143: return "pts/\((major - 136) * 256 + minor)"
        case 4: return minor < 64 ? "tty\(minor)" : "ttyS\(minor - 64)"
        default: return "?"
        }
    }

    private static func cpuTime(seconds: UInt64) -> String {
        func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}
