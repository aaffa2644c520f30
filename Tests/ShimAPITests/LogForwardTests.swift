import JSON
import Linux
import Testing

@testable import ShimAPI

@Suite struct LogForwardTests {
    @Test("Where lines go comes to the shim as it was said")
    func roundTrip() throws {
        let peer = SocketEndpoint(try #require(IPAddress("fd00::1")), 65535)
        var forwards = [
            LogForward(to: .unixDatagrams("/a b"), .journal(fields: "A=b\nC=d")),
            LogForward(
                to: .unixStream("/x"), .syslog(.init(dialect: "rfc5424", facility: 23, tag: "t\"", host: "h"))),
            LogForward(
                to: .datagrams(peer), .gelf(.init(host: "h", members: #""_a":"b""#, packing: .zlib, packingLevel: -1))),
            LogForward(to: .stream(peer), .fluentd(.init(tag: "t", fields: [.init("a", "b")], isExact: true))),
        ]
        forwards[3].mayWait = false
        forwards[3].beginsWithoutTarget = true
        forwards[3].queueBytes = 5
        for forward in forwards {
            let text = forward.json.compactText
            #expect(LogForward(json: try JSONValue(parsing: text)) == forward, "\(text)")
        }
        #expect(LogForward(json: [:]) == nil)
    }
}
