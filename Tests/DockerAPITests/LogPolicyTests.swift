import JSON
import Testing

@testable import DockerAPI
@testable import EngineAPI

@Suite struct LogPolicyTests {
    @Test(
        "What a driver does not have, or no value of its option, is refused in docker's words",
        arguments: [
            ("splunk", [:], "error looking up logging plugin splunk: plugin \"splunk\" not found"),
            ("local", ["tag": "x"], "unknown log opt 'tag' for local log driver"),
            ("json-file", ["syslog-address": "udp://h"], "unknown log opt 'syslog-address' for json-file log driver"),
            ("json-file", ["cache-disabled": "true"], "unknown log opt 'cache-disabled' for json-file log driver"),
            ("none", ["mode": "blocking"], "unknown log opt 'mode' for none log driver"),
            ("syslog", ["max-size": "1m"], "unknown log opt 'max-size' for syslog log driver"),
            ("syslog", ["syslog-address": "h:1"], "syslog-address should be in form proto://address, got h:1"),
            ("syslog", ["syslog-address": "tcp+tls://h:1"], "syslog-address: tcp+tls is not supported"),
            ("syslog", ["syslog-address": "udp://h:x"], "no host and port"),
            ("syslog", ["syslog-facility": "local8"], "invalid syslog facility"),
            ("syslog", ["syslog-facility": "24"], "invalid syslog facility"),
            ("syslog", ["syslog-format": "x"], "Invalid syslog format"),
            ("syslog", ["cache-compress": "huh"], "strconv.ParseBool"),
            ("syslog", ["cache-max-file": "1"], "compression cannot be enabled when max file count is 1"),
            ("syslog", ["cache-disabled": "huh"], "invalid value for option cache-disabled: huh"),
            ("gelf", [:], "gelf-address is a required parameter"),
            ("gelf", ["gelf-address": "udp://h"], "please provide gelf-address as proto://host:port"),
            ("gelf", ["gelf-address": "unix:///x"], "endpoint needs to be TCP or UDP"),
            ("gelf", ["gelf-address": "tcp://h:1", "gelf-compression-type": "gzip"], "only supported on UDP"),
            ("gelf", ["gelf-address": "udp://h:1", "gelf-compression-level": "10"], "unknown value \"10\""),
            ("gelf", ["gelf-address": "udp://h:1", "gelf-tcp-max-reconnect": "1"], "is only valid for TCP"),
            ("fluentd", ["fluentd-address": "udp://h"], "unsupported scheme: 'udp'"),
            ("fluentd", ["fluentd-address": "tcp://h/x"], "should not contain a path element"),
            ("fluentd", ["fluentd-address": "unix://"], "path is empty"),
            ("fluentd", ["fluentd-request-ack": "true"], "fluentd-request-ack is not supported"),
            ("fluentd", ["fluentd-async": "true", "fluentd-async-connect": "true"], "conflicting options"),
        ])
    func refusals(driver: String, options: [String: String], words: String) {
        let error = #expect(throws: EngineError.self) { try LogPolicy(driver: driver, options: options) }
        #expect(error?.kind == .invalid && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("Addresses, with the ports that are meant where none is said")
    func addresses() throws {
        #expect(try LogAddress.syslog(nil) == .machine && LogAddress.syslog("") == .machine)
        #expect(try LogAddress.syslog("udp://10.0.0.1") == .datagrams(host: "10.0.0.1", port: 514))
        #expect(try LogAddress.syslog("tcp://[fd00::1]:6514") == .stream(host: "fd00::1", port: 6514))
        #expect(try LogAddress.syslog("udp://[fd00::1]/x") == .datagrams(host: "fd00::1", port: 514))
        #expect(try LogAddress.syslog("unixgram:///dev/log") == .unixDatagrams(path: "/dev/log"))
        #expect(throws: EngineError.self) { try LogAddress.syslog("udp://fd00::1") }
        #expect(try LogAddress.gelf("udp://gray.lan:12201") == .datagrams(host: "gray.lan", port: 12201))
        #expect(try LogAddress.fluentd(nil) == .stream(host: "127.0.0.1", port: 24224))
        #expect(try LogAddress.fluentd("h") == .stream(host: "h", port: 24224))
        #expect(try LogAddress.fluentd("h:1") == .stream(host: "h", port: 1))
        #expect(try LogAddress.fluentd("unix:///run/f") == .unixStream(path: "/run/f"))
        #expect(try [nil, "kern", "local7", "5"].map { try SyslogFacility.number($0) } == [3, 0, 23, 5])
    }

    @Test("Lines that go elsewhere are kept here, too, within docker's limits, unless that is not wanted")
    func copies() throws {
        let plain = try LogPolicy(driver: "syslog", options: ["tag": "x"])
        #expect(plain.keepsFiles && plain.filesAreCompact && plain.packsOldFiles)
        #expect(plain.maximumSizeBytes == 20 << 20 && plain.maximumFiles == 5 && plain.options == ["tag": "x"])
        let small = try LogPolicy(driver: "journald", options: ["cache-max-size": "1m", "cache-max-file": "2"])
        #expect(small.maximumSizeBytes == 1 << 20 && small.maximumFiles == 2)
        #expect(try !LogPolicy(driver: "journald", options: ["cache-disabled": "true"]).keepsFiles)
        // What former versions made, which kept none.
        var old = LogPolicy()
        old.driver = .journald
        #expect(!old.keepsFiles)
    }

    @Test("Who names no driver gets the engine's, and options of its driver are completed")
    func completion() throws {
        let standard = try LogPolicy(
            driver: "local", options: ["max-size": "1m", "max-file": "3", "mode": "non-blocking"])
        #expect(try LogPolicy().completed(by: standard) == standard)
        #expect(try LogPolicy(driver: "", options: [:]).completed(by: standard) == standard)
        let own = try LogPolicy(driver: "", options: ["max-size": "2m"]).completed(by: standard)
        #expect(own.driver == .local && own.maximumSizeBytes == 2 << 20 && own.maximumFiles == 3 && !own.mayHoldUp)
        let named = try LogPolicy(driver: "local", options: [:]).completed(by: standard)
        #expect(named.maximumFiles == 3 && named.words?["max-file"] == "3")
        let other = try LogPolicy(driver: "json-file", options: [:]).completed(by: standard)
        #expect(other.maximumSizeBytes == nil && other.words == nil && other.driver == .jsonFile)
        let foreign = try LogPolicy(driver: "", options: ["syslog-address": "udp://h"])
        #expect(throws: EngineError(.invalid, "unknown log opt 'syslog-address' for local log driver")) {
            try foreign.completed(by: standard)
        }
        let cached = try LogPolicy(driver: "syslog", options: ["cache-max-file": "7"])
        #expect(try LogPolicy(driver: "journald", options: [:]).completed(by: cached).maximumFiles == 7)
        var set = LogPolicy()
        set.maximumFiles = 9
        #expect(try set.completed(by: standard) == set)
    }

    @Test("A path is told of where the file is docker's own form: whoever collects logs reads it")
    func paths() throws {
        for (driver, path) in [(LogPolicy.Driver.jsonFile, "/x"), (.local, ""), (.journald, "")] {
            var spec = ContainerSpec(image: "i")
            spec.log.driver = driver
            let details = ContainerDetails(
                id: "a", name: "n", spec: spec, imageID: "i", createdAt: Timestamp(seconds: 1),
                state: ContainerState(status: .created), arguments: ["x"], environment: [], workingDirectory: "",
                user: "", hostname: "h", logPath: "/x")
            #expect(details.dockerBody["LogPath"] == .string(path))
        }
    }

    @Test("A creation names a driver only where one is chosen; an inspection always does")
    func bodies() throws {
        func sent(_ log: LogPolicy) throws -> (asked: JSONValue?, told: LogPolicy) {
            var spec = ContainerSpec(image: "x")
            spec.log = log
            let body = spec.dockerCreateBody
            let read = try CreateRequest(dockerBody: BodyReader(parsing: body.compactBytes)).spec.log
            return (body["HostConfig"]?["LogConfig"], read)
        }
        #expect(try sent(LogPolicy()).asked == ["Type": "", "Config": [:]])
        #expect(try sent(LogPolicy()).told == LogPolicy())
        let options = ["syslog-address": "udp://h", "cache-max-size": "1m"]
        let syslog = try LogPolicy(driver: "syslog", options: options)
        #expect(try sent(syslog).told == syslog)
        #expect(try sent(.standard).asked?["Type"] == "json-file")
        let unnamed = try LogPolicy(driver: "", options: options)
        let asked: JSONValue = ["cache-max-size": "1m", "syslog-address": "udp://h"]
        #expect(try sent(unnamed).asked == ["Type": "", "Config": asked])
        #expect(try sent(unnamed).told == unnamed)
        var set = LogPolicy()
        set.driver = .gelf
        set.options = ["gelf-address": "udp://h:1"]
        #expect(try sent(set).asked?["Config"] == ["cache-disabled": "true", "gelf-address": "udp://h:1"])
        #expect(try !sent(set).told.keepsFiles)
    }
}
