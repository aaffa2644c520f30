import JSON
import Linux

/// Where a log's lines go besides its file, or instead of one, and what a line becomes on the way.
package struct LogForward: Hashable, Sendable {
    /// Whom lines are sent to. Hosts are known by their addresses here: the shim asks no name servers.
    package enum Target: Hashable, Sendable {
        case unixDatagrams(String)
        case unixStream(String)
        case datagrams(SocketEndpoint)
        case stream(SocketEndpoint)
    }

    package enum Form: Hashable, Sendable {
        /// systemd's native protocol, with fields for each message, `NAME=value`, a line each.
        case journal(fields: String)
        case syslog(Syslog)
        case gelf(Graylog)
        case fluentd(Fluentd)
    }

    package struct Syslog: Hashable, Sendable {
        /// docker's `syslog-format`; empty for what syslog(3) writes.
        package var dialect: String
        package var facility: Int
        package var tag: String
        package var host: String

        package init(dialect: String, facility: Int, tag: String, host: String) {
            self.dialect = dialect
            self.facility = facility
            self.tag = tag
            self.host = host
        }
    }

    package struct Graylog: Hashable, Sendable {
        package var host: String
        /// What each message says of the container: JSON members with their names, `"_tag":"x","_y":"z"`.
        package var members: String
        package var packing: Packing
        /// zlib's, of -1 to 9.
        package var packingLevel: Int

        package enum Packing: String, Hashable, Sendable { case gzip, zlib, none }

        package init(host: String, members: String, packing: Packing, packingLevel: Int) {
            self.host = host
            self.members = members
            self.packing = packing
            self.packingLevel = packingLevel
        }
    }

    package struct Fluentd: Hashable, Sendable {
        package var tag: String
        /// What each record says of the container.
        package var fields: [Field]
        /// Times are told to the nanosecond, not to the second.
        package var isExact: Bool

        package struct Field: Hashable, Sendable {
            package var name: String
            package var value: String

            package init(_ name: String, _ value: String) {
                self.name = name
                self.value = value
            }
        }

        package init(tag: String, fields: [Field], isExact: Bool) {
            self.tag = tag
            self.fields = fields
            self.isExact = isExact
        }
    }

    package var target: Target
    package var form: Form
    /// Whether output may wait for a target that does not keep up, for a second at most.
    package var mayWait = true
    /// Whether the log begins without the target, which is looked for again and again.
    package var beginsWithoutTarget = false
    /// How much may lie here for a stream that does not take it.
    package var queueBytes = 1 << 20

    package init(to target: Target, _ form: Form) {
        self.target = target
        self.form = form
    }
}

extension LogForward {
    package var json: JSONValue {
        [
            "target": target.json, "form": form.json, "mayWait": .bool(mayWait),
            "beginsWithoutTarget": .bool(beginsWithoutTarget), "queueBytes": .integer(Int64(queueBytes)),
        ]
    }

    package init?(json: JSONValue) {
        guard let target = json["target"].flatMap(Target.init(json:)), let form = json["form"].flatMap(Form.init(json:))
        else { return nil }
        self.init(to: target, form)
        mayWait = json["mayWait"]?.bool ?? true
        beginsWithoutTarget = json["beginsWithoutTarget"]?.bool ?? false
        queueBytes = json["queueBytes"]?.integer.map { Int($0) } ?? queueBytes
    }
}

extension LogForward.Target {
    fileprivate var json: JSONValue {
        switch self {
        case .unixDatagrams(let path): ["kind": "unixgram", "path": .string(path)]
        case .unixStream(let path): ["kind": "unix", "path": .string(path)]
        case .datagrams(let peer): Self.json("udp", peer)
        case .stream(let peer): Self.json("tcp", peer)
        }
    }

    private static func json(_ kind: String, _ peer: SocketEndpoint) -> JSONValue {
        ["kind": .string(kind), "address": .string("\(peer.address)"), "port": .integer(Int64(peer.port))]
    }

    fileprivate init?(json: JSONValue) {
        let kind = json["kind"]?.string
        if let path = json["path"]?.string {
            self = kind == "unix" ? .unixStream(path) : .unixDatagrams(path)
            return
        }
        guard let address = json["address"]?.string.flatMap({ IPAddress($0) }),
            let port = json["port"]?.integer.flatMap({ UInt16(exactly: $0) })
        else { return nil }
        let peer = SocketEndpoint(address, port)
        self = kind == "tcp" ? .stream(peer) : .datagrams(peer)
    }
}

extension LogForward.Form {
    fileprivate var json: JSONValue {
        switch self {
        case .journal(let fields): ["kind": "journal", "fields": .string(fields)]
        case .syslog(let syslog):
            [
                "kind": "syslog", "dialect": .string(syslog.dialect), "facility": .integer(Int64(syslog.facility)),
                "tag": .string(syslog.tag), "host": .string(syslog.host),
            ]
        case .gelf(let graylog):
            [
                "kind": "gelf", "host": .string(graylog.host), "members": .string(graylog.members),
                "packing": .string(graylog.packing.rawValue), "packingLevel": .integer(Int64(graylog.packingLevel)),
            ]
        case .fluentd(let fluentd):
            [
                "kind": "fluentd", "tag": .string(fluentd.tag), "isExact": .bool(fluentd.isExact),
                "fields": .array(fluentd.fields.map { [.string($0.name), .string($0.value)] }),
            ]
        }
    }

    fileprivate init?(json: JSONValue) {
        func text(_ member: String) -> String { json[member]?.string ?? "" }
        func number(_ member: String) -> Int { Int(json[member]?.integer ?? 0) }
        switch json["kind"]?.string {
        case "journal": self = .journal(fields: text("fields"))
        case "syslog":
            self = .syslog(
                .init(dialect: text("dialect"), facility: number("facility"), tag: text("tag"), host: text("host")))
        case "gelf":
            self = .gelf(
                .init(
                    host: text("host"), members: text("members"), packing: .init(rawValue: text("packing")) ?? .none,
                    packingLevel: number("packingLevel")))
        case "fluentd":
            let fields = (json["fields"]?.array ?? []).compactMap { pair -> LogForward.Fluentd.Field? in
                guard let sides = pair.array?.compactMap(\.string), sides.count == 2 else { return nil }
                return .init(sides[0], sides[1])
            }
            self = .fluentd(.init(tag: text("tag"), fields: fields, isExact: json["isExact"]?.bool ?? false))
        default: return nil
        }
    }
}
