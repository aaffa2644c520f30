import EngineAPI
import Glibc
import JSON
import Linux
import ShimAPI

/// Where the lines of a container's log go, and what they say of it there: docker's options, for a shim that knows
/// addresses and finished texts alone.
struct LogForwarding {
    let attributes: LogAttributes
    /// The machine's name, which messages bear.
    let hostname: String
    let createdAt: Timestamp

    private static let journalSocket = "/run/systemd/journal/socket"
    /// Where a machine's syslog listens, as docker looks for it.
    private static let syslogSockets = ["/dev/log", "/var/run/syslog", "/var/run/log"]

    private var policy: LogPolicy { attributes.definition.spec.log }
    private var options: [String: String] { policy.options }

    /// Nil where lines are kept here alone. Blocking: hosts are looked up.
    ///
    /// - Throws: `invalid` where the target is not there or its name not known, or a tag cannot be read.
    func find() throws(EngineError) -> LogForward? {
        var forward: LogForward
        switch policy.driver {
        case .jsonFile, .local, .none: return nil
        case .journald:
            guard access(Self.journalSocket, F_OK) == 0 else { throw failure("journald is not enabled on this host") }
            forward = LogForward(to: .unixDatagrams(Self.journalSocket), .journal(fields: try attributes.journalFields))
        case .syslog: forward = LogForward(to: try target(.syslog(options["syslog-address"])), .syslog(try syslog))
        case .gelf: forward = LogForward(to: try target(.gelf(options["gelf-address"])), .gelf(try graylog))
        case .fluentd:
            forward = LogForward(to: try target(.fluentd(options["fluentd-address"])), .fluentd(try fluentd))
            let begins = options["fluentd-async"] ?? options["fluentd-async-connect"] ?? ""
            forward.beginsWithoutTarget = GoBool.parse(begins) ?? false
        }
        forward.mayWait = policy.mayHoldUp
        let room = options["max-buffer-size"] ?? options["fluentd-buffer-limit"] ?? ""
        if let bytes = ByteCount.parse(room), bytes > 0 { forward.queueBytes = Int(clamping: bytes) }
        return forward
    }

    private var syslog: LogForward.Syslog {
        get throws(EngineError) {
            .init(
                dialect: options["syslog-format"] ?? "",
                facility: try SyslogFacility.number(options["syslog-facility"]), tag: try attributes.tag, host: hostname
            )
        }
    }

    private var graylog: LogForward.Graylog {
        get throws(EngineError) {
            let definition = attributes.definition
            var members = [
                "_container_id": attributes.id, "_container_name": attributes.name,
                "_image_id": definition.imageID, "_image_name": definition.spec.image,
                "_command": definition.arguments.joined(separator: " "), "_tag": try attributes.tag,
                "_created": createdAt.rfc3339Nano,
            ]
            for (name, value) in try attributes.chosen { members[name.hasPrefix("_") ? name : "_\(name)"] = value }
            let sorted = members.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
            let text = JSONValue.object(JSONObject(sorted)).compactText
            return .init(
                host: hostname, members: String(text.dropFirst().dropLast()),
                packing: .init(rawValue: options["gelf-compression-type"] ?? "") ?? .gzip,
                packingLevel: Int(options["gelf-compression-level"] ?? "") ?? 1)
        }
    }

    private var fluentd: LogForward.Fluentd {
        get throws(EngineError) {
            var fields = ["container_id": attributes.id, "container_name": "/\(attributes.name)"]
            for (name, value) in try attributes.chosen { fields[name] = value }
            return .init(
                tag: try attributes.tag, fields: fields.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) },
                isExact: GoBool.parse(options["fluentd-sub-second-precision"] ?? "") ?? false)
        }
    }

    private func target(_ address: LogAddress) throws(EngineError) -> LogForward.Target {
        switch address {
        case .machine: try machineLog
        case .unixDatagrams(let path): .unixDatagrams(path)
        // Of syslog's, the word is docker's for either kind.
        case .unixStream(let path): Self.socket(at: path)
        case .datagrams(let host, let port): .datagrams(SocketEndpoint(try find(host), port))
        case .stream(let host, let port): .stream(SocketEndpoint(try find(host), port))
        }
    }

    private var machineLog: LogForward.Target {
        get throws(EngineError) {
            for path in Self.syslogSockets where access(path, F_OK) == 0 {
                return Self.socket(at: path)
            }
            throw failure("Unix syslog delivery error")
        }
    }

    /// Of the kind that listens there; a stream also where nobody does, which is told when it is connected to.
    private static func socket(at path: String) -> LogForward.Target {
        do throws(KernelError) {
            try UnixDatagram.connect(path).close()
            return .unixDatagrams(path)
        } catch { return .unixStream(path) }
    }

    private func find(_ host: String) throws(EngineError) -> IPAddress {
        if host.isEmpty { return IPAddress(.v4, 0x7F00_0001) }
        if let address = IPAddress(host) { return address }
        do throws(HostLookupFailure) { return try HostAddress.find(host) } catch { throw failure("\(error)") }
    }

    private func failure(_ reason: String) -> EngineError {
        EngineError(.invalid, "failed to initialize logging driver: \(reason)", object: attributes.id)
    }
}
