import Glibc
import JSON
import Linux
import OCI
import SeededNumbers
import Testing

@testable import Runtime

/// Random changes of good configurations: reading and planning may refuse them, and do nothing worse.
///
/// `GANTRY_FUZZ_SEED` and `GANTRY_FUZZ_ROUNDS` repeat a run or make it longer.
@Suite struct FuzzTests {
    private static func setting(_ name: String, _ usual: UInt64) -> UInt64 {
        getenv(name).flatMap { UInt64(String(cString: $0)) } ?? usual
    }

    private static let seed = setting("GANTRY_FUZZ_SEED", 20_251_124)
    private static let rounds = setting("GANTRY_FUZZ_ROUNDS", 1500)

    private static let seeds: [JSONValue] = {
        var rich = Invocation.template()
        rich.linux.seccomp = DefaultSeccomp.profile(capabilities: ["CAP_KILL"])
        rich.hooks.createRuntime = [RuntimeHook(path: "/bin/true", timeoutSeconds: 3)]
        rich.linux.sysctl = ["net.ipv4.ip_forward": "1"]
        rich.linux.resources?.memory = LinuxMemory(limitBytes: 1 << 26)
        rich.linux.devices = [LinuxDevice(path: "/dev/fuse", type: "c", major: 10, minor: 229)]
        return [Invocation.template().json, rich.json, ["ociVersion": "1.0.2"]]
    }()

    /// What a plan is made from, for each kind of machine.
    private static let hosts = [ContainerPlanTests.unified, ContainerPlanTests.hybrid].map {
        HostFacts(layout: $0, capabilities: CapabilitySet(rawValue: (1 << 41) - 1))
    }

    private func attempt(_ bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes) else { return }
        let again = try? JSONValue(parsing: json.compactBytes)
        #expect(again == json, "it does not survive being written and read")
        guard let spec = try? RuntimeSpec(json) else { return }
        for facts in Self.hosts {
            guard let plan = try? ContainerPlan(id: "id", bundle: "/b", spec: spec, facts: facts) else { continue }
            _ = DeviceFilter(plan.cgroup.devices).program
        }
    }

    @Test("Random bytes in a configuration crash nothing and cost little memory")
    func bytes() throws {
        print("GANTRY_FUZZ_SEED=\(Self.seed)")
        var random = SplitMix(seed: Self.seed)
        let before = Self.peakKiB
        for _ in 0..<Self.rounds {
            var text = Self.seeds[Int(random.below(3))].compactBytes
            for _ in 0...random.below(6) { random.spoil(&text) }
            attempt(text)
        }
        #expect(Self.peakKiB - before < 64 << 10)
    }

    @Test("Random values in a configuration crash nothing")
    func values() {
        print("GANTRY_FUZZ_SEED=\(Self.seed)")
        var random = SplitMix(seed: Self.seed &+ 1)
        for _ in 0..<Self.rounds {
            var json = Self.seeds[Int(random.below(2))]
            for _ in 0...random.below(3) { json = random.changed(json, depth: 0) }
            attempt(json.compactBytes)
        }
    }

    private static var peakKiB: Int {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss
    }
}

extension SplitMix {
    mutating func below(_ bound: UInt64) -> UInt64 { next() % max(1, bound) }

    private static let tokens = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "null", "true", "-", "-0", "1e999", "0.1",
        "18446744073709551616", "-9223372036854775809", "\u{0}", "\u{FFFD}", "{\"a\":", "[[[[[[[[",
    ]

    /// One change of a text: a byte, a cut, a repetition, a token of the grammar in the wrong place.
    mutating func spoil(_ text: inout [UInt8]) {
        guard !text.isEmpty else { return }
        let place = Int(below(UInt64(text.count)))
        switch below(6) {
        case 0: text[place] = UInt8(truncatingIfNeeded: next())
        case 1: text.remove(at: place)
        case 2: text.removeLast(text.count - place)
        case 3: text.insert(contentsOf: Array(Self.tokens[Int(below(UInt64(Self.tokens.count)))].utf8), at: place)
        case 4:
            let end = min(text.count, place + Int(below(200)))
            text.insert(contentsOf: Array(text[place..<end]), at: Int(below(UInt64(text.count))))
        default:
            let end = min(text.count, place + Int(below(40)))
            text.removeSubrange(place..<end)
        }
    }

    /// A value with one that is somewhere inside replaced, left out or doubled.
    mutating func changed(_ value: JSONValue, depth: Int) -> JSONValue {
        if depth > 0, below(5) == 0 { return other() }
        switch value {
        case .array(var elements) where !elements.isEmpty:
            let index = Int(below(UInt64(elements.count)))
            switch below(6) {
            case 0: elements.remove(at: index)
            case 1: elements.append(elements[index])
            default: elements[index] = changed(elements[index], depth: depth + 1)
            }
            return .array(elements)
        case .object(var object) where !object.isEmpty:
            let member = object.members[Int(below(UInt64(object.count)))]
            object[member.name] = below(8) == 0 ? nil : changed(member.value, depth: depth + 1)
            return .object(object)
        default: return other()
        }
    }

    private mutating func other() -> JSONValue {
        let values: [JSONValue] = [
            .null, true, 0, -1, 1, .integer(.max), .integer(.min), .unsigned(.max), .number(1e300), .number(-0.5), "",
            "/", "..", "rbind", "SCMP_ACT_ALLOW", "a", "0-3,7", "-1", [], [[]], [:], ["": .null],
            .string(String(repeating: "../", count: 2000)), .array(Array(repeating: "x", count: 3000)),
        ]
        return values[Int(below(UInt64(values.count)))]
    }
}
