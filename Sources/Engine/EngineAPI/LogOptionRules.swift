/// The options of drivers that send lines elsewhere: which there are, and which values docker takes. Pure.
enum LogOptionRules {
    /// Those that are the driver's alone.
    static func own(_ driver: LogPolicy.Driver) -> Set<String> {
        switch driver {
        case .syslog:
            [
                "syslog-address", "syslog-facility", "syslog-format", "syslog-tls-ca-cert", "syslog-tls-cert",
                "syslog-tls-key", "syslog-tls-skip-verify",
            ]
        case .gelf:
            [
                "gelf-address", "gelf-compression-type", "gelf-compression-level", "gelf-tcp-max-reconnect",
                "gelf-tcp-reconnect-delay",
            ]
        case .fluentd:
            [
                "fluentd-address", "fluentd-async", "fluentd-async-connect", "fluentd-async-reconnect-interval",
                "fluentd-buffer-limit", "fluentd-max-retries", "fluentd-request-ack", "fluentd-retry-wait",
                "fluentd-sub-second-precision", "fluentd-write-timeout",
            ]
        case .jsonFile, .local, .journald, .none: []
        }
    }

    /// - Throws: `invalid`.
    static func check(_ driver: LogPolicy.Driver, _ options: [String: String]) throws(EngineError) {
        switch driver {
        case .syslog:
            _ = try LogAddress.syslog(options["syslog-address"])
            _ = try SyslogFacility.number(options["syslog-facility"])
            guard SyslogDialect(rawValue: options["syslog-format"] ?? "") != nil else {
                throw EngineError(.invalid, "Invalid syslog format")
            }
        case .gelf: try checkGelf(options)
        case .fluentd: try checkFluentd(options)
        case .jsonFile, .local, .journald, .none: break
        }
    }

    private static func checkGelf(_ options: [String: String]) throws(EngineError) {
        let address = try LogAddress.gelf(options["gelf-address"])
        for option in ["gelf-compression-level", "gelf-compression-type"] {
            guard let value = options[option] else { continue }
            guard case .datagrams = address else {
                throw EngineError(.invalid, "compression is only supported on UDP")
            }
            let isKnown =
                option == "gelf-compression-type"
                ? ["gzip", "zlib", "none"].contains(value) : Int(value).map { (-1...9).contains($0) } ?? false
            guard isKnown else {
                throw EngineError(
                    .invalid, "unknown value \"\(value)\" for log opt \"\(option)\" for gelf log driver")
            }
        }
        for option in ["gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"] {
            guard let value = options[option] else { continue }
            guard case .stream = address else {
                throw EngineError(.invalid, "\"\(option)\" is only valid for TCP")
            }
            guard let number = Int(value), number >= 0 else {
                throw EngineError(.invalid, "\"\(option)\" must be a positive integer")
            }
        }
    }

    private static func checkFluentd(_ options: [String: String]) throws(EngineError) {
        _ = try LogAddress.fluentd(options["fluentd-address"])
        let flags = ["fluentd-async", "fluentd-async-connect", "fluentd-request-ack", "fluentd-sub-second-precision"]
        for option in flags {
            guard let value = options[option], !value.isEmpty else { continue }
            guard let flag = GoBool.parse(value) else {
                throw EngineError(.invalid, "strconv.ParseBool: parsing \"\(value)\": invalid syntax")
            }
            if option == "fluentd-request-ack", flag {
                throw EngineError(
                    .invalid, "fluentd-request-ack is not supported: no answer to what is sent is waited for")
            }
        }
        if let value = options["fluentd-buffer-limit"], !value.isEmpty, ByteCount.parse(value) == nil {
            throw EngineError(.invalid, "invalid size: '\(value)'")
        }
        if let value = options["fluentd-max-retries"], !value.isEmpty, UInt32(value) == nil {
            throw EngineError(.invalid, "strconv.ParseUint: parsing \"\(value)\": invalid syntax")
        }
        guard options["fluentd-async"] == nil || options["fluentd-async-connect"] == nil else {
            throw EngineError(
                .invalid,
                "conflicting options: cannot specify both 'fluentd-async' and 'fluentd-async-connect'")
        }
    }
}

/// Who speaks, to syslog: RFC 5424, table 1.
package enum SyslogFacility {
    private static let names = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    ]

    /// By its name or its number; docker's is `daemon` where none is said.
    package static func number(_ text: String?) throws(EngineError) -> Int {
        guard let text, !text.isEmpty else { return 3 }
        if let number = names.firstIndex(of: text) { return number }
        if text.hasPrefix("local"), let number = Int(text.dropFirst(5)), (0...7).contains(number) {
            return 16 + number
        }
        guard let number = Int(text), (0...23).contains(number) else {
            throw EngineError(.invalid, "invalid syslog facility")
        }
        return number
    }
}

/// How a line stands in a message to syslog.
package enum SyslogDialect: String, Hashable, Sendable {
    /// As syslog(3) writes it.
    case unix = ""
    case rfc3164
    case rfc5424
    /// With microseconds.
    case rfc5424micro
}
