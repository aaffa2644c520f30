import Linux
import ShimAPI

/// A line on its way to another program.
struct LoggedLine {
    /// syslog's severities.
    enum Level: Int {
        case error = 3
        case warning = 4
        case information = 6
    }

    /// Without its end.
    let text: UnsafeRawBufferPointer
    let kind: OutputKind
    /// False where more of the line comes in the next one.
    let isWhole: Bool
    let level: Level
    var time = Timestamp.now()

    init(text: UnsafeRawBufferPointer, kind: OutputKind, isWhole: Bool, level: Level? = nil) {
        self.text = text
        self.kind = kind
        self.isWhole = isWhole
        // Docker's levels.
        self.level = level ?? (kind == .stdout ? .information : .error)
    }
}

/// What a protocol makes of a line.
protocol LogMessageForm: AnyObject {
    /// The messages, one after another; one, but for what is too long for a datagram.
    func messages(_ line: LoggedLine) -> [[UInt8]]
}

extension LogForward.Form {
    /// - Parameter inDatagrams: a message ends with its datagram; else it must tell its end itself.
    func messages(inDatagrams: Bool) throws(KernelError) -> any LogMessageForm {
        switch self {
        case .journal(let fields): JournalMessages(fields: fields)
        case .syslog(let syslog): SyslogMessages(syslog)
        case .gelf(let graylog): try GraylogMessages(graylog, inDatagrams: inDatagrams)
        case .fluentd(let fluentd): FluentdMessages(fluentd)
        }
    }
}
