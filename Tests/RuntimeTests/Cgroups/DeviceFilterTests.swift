import OCI
import Testing

@testable import Runtime

/// Device rules, and the program that the kernel runs for them, run here by an interpreter of its few instructions.
@Suite struct DeviceFilterTests {
    struct Request: CustomStringConvertible {
        var type: UInt64
        var major: UInt64
        var minor: UInt64
        var access: String
        var description: String { "\(type == 2 ? "c" : "b") \(major):\(minor) \(access)" }
    }

    private static let rules = [
        LinuxDeviceRule(allow: false), LinuxDeviceRule(allow: true, type: "c", access: "m"),
        LinuxDeviceRule(allow: true, type: "c", major: 1, minor: 3),
        LinuxDeviceRule(allow: true, type: "c", major: 136),
        LinuxDeviceRule(allow: true, type: "b", major: 8, access: "r"),
        LinuxDeviceRule(allow: true, type: "b", major: 8, access: "w"),
        LinuxDeviceRule(allow: true, type: "c", major: 7, minor: 1),
        LinuxDeviceRule(allow: false, type: "c", major: 7, minor: 1, access: "w"),
    ]

    @Test(
        "The program answers as the rules read",
        arguments: [
            (Request(type: 2, major: 1, minor: 3, access: "rw"), true),
            (Request(type: 2, major: 1, minor: 1, access: "r"), false),
            (Request(type: 2, major: 1, minor: 1, access: "m"), true),
            (Request(type: 2, major: 136, minor: 5, access: "rw"), true),
            (Request(type: 2, major: 7, minor: 1, access: "r"), true),
            (Request(type: 2, major: 7, minor: 1, access: "rw"), false),
            (Request(type: 1, major: 8, minor: 1, access: "rw"), true),
            (Request(type: 1, major: 8, minor: 1, access: "m"), false),
            (Request(type: 1, major: 1, minor: 3, access: "r"), false),
        ])
    func answers(_ request: Request, _ expected: Bool) throws {
        let ruleset = try DeviceRuleset(Self.rules)
        #expect(Self.run(DeviceFilter(ruleset).program, request) == expected, "\(request)")
    }

    @Test("Where all is allowed, an exception takes what it names")
    func refusing() throws {
        let ruleset = try DeviceRuleset([
            LinuxDeviceRule(allow: true), LinuxDeviceRule(allow: false, type: "c", major: 1, minor: 3, access: "w"),
        ])
        let program = DeviceFilter(ruleset).program
        #expect(Self.run(program, Request(type: 2, major: 1, minor: 3, access: "r")))
        #expect(!Self.run(program, Request(type: 2, major: 1, minor: 3, access: "rw")))
        #expect(Self.run(program, Request(type: 1, major: 1, minor: 3, access: "w")))
    }

    @Test("A rule that would make a hole in a wildcard is refused, naming both")
    func holes() {
        let rules = [
            LinuxDeviceRule(allow: false), LinuxDeviceRule(allow: true, type: "c", major: 136),
            LinuxDeviceRule(allow: false, type: "c", major: 136, minor: 7, access: "w"),
        ]
        let error = #expect(throws: RuntimeError.self) { try DeviceRuleset(rules) }
        #expect(error?.message.contains("`c 136:7` cannot make a hole in the one for `c 136:*`") == true)
        // What the wildcard does not give needs no hole.
        #expect(throws: Never.self) {
            try DeviceRuleset([
                LinuxDeviceRule(allow: true, type: "c", access: "m"),
                LinuxDeviceRule(allow: false, type: "c", major: 1, minor: 3, access: "rw"),
            ])
        }
    }

    @Test("Without a rule nothing is allowed; after a rule for all everything is")
    func extremes() throws {
        let request = Request(type: 2, major: 1, minor: 1, access: "rwm")
        #expect(!Self.run(DeviceFilter(try DeviceRuleset([])).program, request))
        #expect(Self.run(DeviceFilter(try DeviceRuleset([LinuxDeviceRule(allow: true)])).program, request))
    }

    @Test("A new cgroup of version 1 gets a refusal of all, then the exceptions")
    func lines() throws {
        let all = DeviceRuleset(list: "a *:* rwm\n")
        #expect(
            Self.texts(try DeviceRuleset(Self.rules).lines(from: all)) == [
                "deny a", "allow b 8:* rw", "allow c *:* m", "allow c 1:3 mrw", "allow c 7:1 mr", "allow c 136:* mrw",
            ])
    }

    @Test("A cgroup in use gets only what differs, so that nothing is refused for a moment")
    func transition() throws {
        let now = DeviceRuleset(list: "c *:* m\nc 1:3 rwm\nc 5:0 rwm\nb 8:* r\n")
        let wanted = try DeviceRuleset([
            LinuxDeviceRule(allow: true, type: "c", access: "m"),
            LinuxDeviceRule(allow: true, type: "c", major: 1, minor: 3, access: "r"),
            LinuxDeviceRule(allow: true, type: "b", major: 8),
        ])
        #expect(
            Self.texts(wanted.lines(from: now)) == ["deny c 1:3 mw", "deny c 5:0 mrw", "allow b 8:* mw"])
        #expect(wanted.lines(from: wanted) == [])
        let open = try DeviceRuleset([LinuxDeviceRule(allow: true)])
        #expect(Self.texts(open.lines(from: now)) == ["allow a"])
    }

    private static func texts(_ lines: [DeviceRuleset.Line]) -> [String] {
        lines.map { "\($0.file.dropFirst("devices.".count)) \($0.text)" }
    }

    private static func run(_ program: [UInt64], _ request: Request) -> Bool {
        let bits = request.access.reduce(UInt64(0)) { $0 | ($1 == "m" ? 1 : $1 == "r" ? 2 : 4) }
        let context: [UInt64: UInt64] = [0: bits << 16 | request.type, 4: request.major, 8: request.minor]
        var registers = [UInt64](repeating: 0, count: 11)
        var position = 0
        while position < program.count {
            let word = program[position]
            let target = Int(word >> 8 & 15)
            let source = Int(word >> 12 & 15)
            let offset = word >> 16 & 0xFFFF
            let immediate = word >> 32
            position += 1
            switch word & 0xFF {
            case 0x61: registers[target] = context[offset] ?? 0
            case 0xBC: registers[target] = registers[source] & 0xFFFF_FFFF
            case 0x54: registers[target] &= immediate
            case 0x74: registers[target] >>= immediate
            case 0xB7: registers[target] = immediate
            case 0x55: if registers[target] != immediate { position += Int(offset) }
            case 0x15: if registers[target] == immediate { position += Int(offset) }
            case 0x95: return registers[0] == 1
            default: preconditionFailure("an instruction that the program should not have: \(String(word, radix: 16))")
            }
        }
        preconditionFailure("the program has no end")
    }
}
