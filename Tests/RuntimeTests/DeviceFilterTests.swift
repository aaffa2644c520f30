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
        LinuxDeviceRule(allow: false, type: "c", major: 136, minor: 7, access: "w"),
    ]

    @Test(
        "The program answers as the rules read",
        arguments: [
            (Request(type: 2, major: 1, minor: 3, access: "rw"), true),
            (Request(type: 2, major: 1, minor: 1, access: "r"), false),
            (Request(type: 2, major: 1, minor: 1, access: "m"), true),
            (Request(type: 2, major: 136, minor: 5, access: "rw"), true),
            (Request(type: 2, major: 136, minor: 7, access: "r"), true),
            (Request(type: 2, major: 136, minor: 7, access: "rw"), false),
            (Request(type: 1, major: 8, minor: 1, access: "r"), true),
            (Request(type: 1, major: 8, minor: 1, access: "w"), false),
            (Request(type: 1, major: 1, minor: 3, access: "r"), false),
        ])
    func answers(_ request: Request, _ expected: Bool) {
        #expect(Self.run(DeviceFilter(Self.rules).program, request) == expected, "\(request)")
    }

    @Test("Without a rule nothing is allowed; after a rule for all everything is")
    func extremes() {
        let request = Request(type: 2, major: 1, minor: 1, access: "rwm")
        #expect(!Self.run(DeviceFilter([]).program, request))
        #expect(Self.run(DeviceFilter([LinuxDeviceRule(allow: true)]).program, request))
    }

    @Test("Version 1 gets a refusal of all, then the rules as lines")
    func lines() {
        let writes = DeviceFilter(Self.rules).legacyWrites.map { "\($0.file) \($0.line)" }
        #expect(
            writes == [
                "devices.deny a", "devices.deny a", "devices.allow c *:* m", "devices.allow c 1:3 rwm",
                "devices.allow c 136:* rwm", "devices.allow b 8:* r", "devices.deny c 136:7 w",
            ])
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
