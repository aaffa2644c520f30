import Glibc
import Linux
import ShimAPI

/// Lines for syslog: as syslog(3) writes them, or by RFC 3164 or RFC 5424. Each ends with a line end, by which a stream's
/// messages are told apart (RFC 6587, 3.4.2).
final class SyslogMessages: LogMessageForm {
    private let syslog: LogForward.Syslog
    private let pid = getpid()

    init(_ syslog: LogForward.Syslog) { self.syslog = syslog }

    func messages(_ line: LoggedLine) -> [[UInt8]] {
        var message = Array(head(line).utf8)
        message.append(contentsOf: line.text)
        message.append(10)
        return [message]
    }

    private func head(_ line: LoggedLine) -> String {
        let (tag, host) = (syslog.tag, syslog.host)
        let priority = "<\(syslog.facility << 3 | line.level.rawValue)>"
        let time = WallClock(line.time)
        switch syslog.dialect {
        case "rfc3164": return "\(priority)\(time.short) \(host) \(tag)[\(pid)]: "
        case "rfc5424": return "\(priority)1 \(time.rfc3339(microseconds: false)) \(host) \(tag) \(pid) \(tag) - "
        case "rfc5424micro": return "\(priority)1 \(time.rfc3339(microseconds: true)) \(host) \(tag) \(pid) \(tag) - "
        default: return "\(priority)\(time.short) \(tag)[\(pid)]: "
        }
    }
}

/// A moment as the machine's wall clock shows it: localtime_r(3).
struct WallClock {
    private var fields = tm()
    private let microseconds: Int64

    init(_ time: Timestamp) {
        var seconds = time_t(time.secondsSinceEpoch)
        localtime_r(&seconds, &fields)
        microseconds = time.nanoseconds / 1000
    }

    /// `Jan  2 15:04:05`.
    var short: String { text("%b %e %H:%M:%S") }

    /// `2006-01-02T15:04:05+07:00`, with the fraction where it is asked for.
    func rfc3339(microseconds isExact: Bool) -> String {
        let digits = String(microseconds)
        let fraction = isExact ? "." + String(repeating: "0", count: 6 - digits.count) + digits : ""
        return text("%Y-%m-%dT%H:%M:%S") + fraction + zone
    }

    private var zone: String {
        let minutes = fields.tm_gmtoff / 60
        guard minutes != 0 else { return "Z" }
        func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return (minutes < 0 ? "-" : "+") + twoDigits(abs(minutes) / 60) + ":" + twoDigits(abs(minutes) % 60)
    }

    private func text(_ format: String) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        var fields = fields
        let count = strftime(&buffer, buffer.count, format, &fields)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
