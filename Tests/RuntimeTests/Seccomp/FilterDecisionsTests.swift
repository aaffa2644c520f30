import Glibc
import OCI
import SeededNumbers
import Testing

@testable import Runtime

/// Filters by halving, beside those of libseccomp that they are made of, both run by an interpreter.
@Suite struct FilterDecisionsTests {
    @Test("Every call gets the answer that libseccomp's program gives", arguments: 0..<40 as Range<UInt64>)
    func answers(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let profile =
            seed == 0
            ? DefaultSeccomp.profile(capabilities: ["CAP_KILL"], machine: .x86_64) : Self.profile(&random)
        let made = FilterInstruction.list(try SeccompCompiler.compile(profile))
        let halved = try #require(FilterDecisions(made)).program
        #expect(halved.count <= 4096)
        let low: ClosedRange<UInt32> = 0...600
        let numbers =
            Array(low) + low.map { $0 + 0x4000_0000 } + [0x3FFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]
        let values = profile.syscalls.flatMap { $0.args.flatMap { [$0.value, $0.valueTwo] } } + [0, 1, .max]
        for architecture in Self.tokens {
            for number in numbers {
                let arguments = (0..<6).map { _ in Self.argument(&random, near: values) }
                let call = Call(number: number, architecture: architecture, arguments: arguments)
                let expected = call.answer(of: made)
                let found = call.answer(of: halved)
                #expect(found.value == expected.value, "\(call), seed \(seed)")
            }
        }
    }

    @Test("The kernel finds the answer to each number in some ten steps")
    func steps() throws {
        let profile = DefaultSeccomp.profile(capabilities: ["CAP_KILL"], machine: .x86_64)
        let made = FilterInstruction.list(try SeccompCompiler.compile(profile))
        let halved = try #require(FilterDecisions(made)).program
        #expect(halved.count < made.count)
        func most(_ program: [FilterInstruction]) -> Int {
            // What arguments decide takes longer, in both.
            let numbers = (0...600 as ClosedRange<UInt32>).filter { ![41, 56, 102, 120, 135, 136, 359].contains($0) }
            return numbers.map {
                Call(number: $0, architecture: 0xC000_003E, arguments: []).answer(of: program).steps
            }.max() ?? 0
        }
        #expect(most(halved) <= 16)
        #expect(most(made) > 300)
    }

    @Test("Tests at the ends of the numbers part nothing that is not there")
    func ends() throws {
        func answer(_ value: UInt32) -> FilterInstruction { .init(code: .answer, value: value) }
        let program: [FilterInstruction] = [
            .init(code: .load, value: FilterInstruction.number),
            .init(code: .isGreater, yes: 5, no: 0, value: .max),
            .init(code: .isAtLeast, yes: 0, no: 4, value: 0),
            .init(code: .isEqual, yes: 0, no: 1, value: .max), answer(1),
            .init(code: .isEqual, yes: 2, no: 0, value: 0), answer(2), answer(3), answer(4),
        ]
        let decisions = try #require(FilterDecisions(program))
        #expect(
            decisions.architectures == [
                .init(
                    first: 0,
                    content: [
                        .init(first: 0, content: .verdict(4)), .init(first: 1, content: .verdict(2)),
                        .init(first: .max, content: .verdict(1)),
                    ])
            ])
    }

    @Test("A program that counts with what it loaded is left alone")
    func others() {
        let mask = FilterInstruction(code: .init(rawValue: 0x54), value: 0xFF)
        let load = FilterInstruction(code: .load, value: FilterInstruction.number)
        #expect(FilterDecisions([load, mask, .init(code: .answer, value: 0)]) == nil)
        #expect(FilterDecisions([load, .init(code: .jump, value: 7)]) == nil)
        #expect(FilterDecisions([.init(code: .isEqual, value: 0), .init(code: .answer, value: 0)]) == nil)
    }

    private static let tokens: [UInt32] = [0xC000_003E, 0x4000_0003, 0xC000_00B7, 0x1234]

    private static func profile(_ random: inout SplitMix) -> LinuxSeccomp {
        let actions = [
            "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG",
            "SCMP_ACT_TRAP",
        ]
        let comparisons = SeccompCompiler.comparisonNames
        let names = DefaultSeccomp.profile(capabilities: [], machine: .x86_64).syscalls[0].names
        var profile = LinuxSeccomp(defaultAction: actions.randomElement(using: &random) ?? "")
        profile.architectures =
            [
                ["SCMP_ARCH_X86_64"], ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
                ["SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"],
            ].randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            let called = (0..<Int.random(in: 1...30, using: &random)).map { _ in
                names.randomElement(using: &random) ?? ""
            }
            var rule = LinuxSyscall(called, action: actions.randomElement(using: &random) ?? "")
            if rule.action == "SCMP_ACT_ERRNO" { rule.errnoRet = UInt32.random(in: 1...99, using: &random) }
            for index in 0..<6 where Int.random(in: 0...4, using: &random) == 0 {
                rule.args.append(
                    LinuxSyscallArgument(
                        index: UInt32(index), value: .random(in: 0...(1 << 40), using: &random),
                        valueTwo: .random(in: 0...255, using: &random),
                        comparison: comparisons.randomElement(using: &random) ?? ""))
            }
            profile.syscalls.append(rule)
        }
        return profile
    }

    private static func argument(_ random: inout SplitMix, near values: [UInt64]) -> UInt64 {
        let value = values.randomElement(using: &random) ?? 0
        return switch Int.random(in: 0...3, using: &random) {
        case 0: value
        case 1: value &+ 1
        case 2: value &- 1
        default: .random(in: 0...UInt64.max, using: &random)
        }
    }
}

/// `struct seccomp_data` of a call.
private struct Call: CustomStringConvertible {
    var number: UInt32
    var architecture: UInt32
    var arguments: [UInt64]

    var description: String { "call \(number) of \(String(architecture, radix: 16)) with \(arguments)" }

    private func word(at offset: UInt32) -> UInt32 {
        switch offset {
        case 0: return number
        case 4: return architecture
        case 8, 12: return 0
        default:
            let index = Int(offset - 16) / 8
            let argument = arguments.indices.contains(index) ? arguments[index] : 0
            return UInt32(truncatingIfNeeded: offset % 8 == 0 ? argument : argument >> 32)
        }
    }

    func answer(of program: [FilterInstruction]) -> (value: UInt32, steps: Int) {
        var accumulator: UInt32 = 0
        var position = 0
        var steps = 0
        while true {
            let instruction = program[position]
            func jump(_ holds: Bool) { position += Int(holds ? instruction.yes : instruction.no) }
            position += 1
            steps += 1
            switch instruction.code {
            case .load: accumulator = word(at: instruction.value)
            case .isEqual: jump(accumulator == instruction.value)
            case .isGreater: jump(accumulator > instruction.value)
            case .isAtLeast: jump(accumulator >= instruction.value)
            case .jump: position += Int(instruction.value)
            case .answer: return (instruction.value, steps)
            // BPF_ALU | BPF_AND | BPF_K, BPF_JMP | BPF_JSET | BPF_K.
            case .init(rawValue: 0x54): accumulator &= instruction.value
            case .init(rawValue: 0x45): jump(accumulator & instruction.value != 0)
            default: preconditionFailure("an instruction that no filter has: \(instruction)")
            }
        }
    }
}
