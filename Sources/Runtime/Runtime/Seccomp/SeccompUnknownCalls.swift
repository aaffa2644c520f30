/// System calls that are newer than a profile: answered with ENOSYS instead of the profile's refusal, so that C libraries
/// fall back to the calls which the profile's author knew. Which are newer is told by their numbers: above the highest
/// that the profile names, for each architecture. It goes before the program of libseccomp, as in runc.
package struct SeccompUnknownCalls: Hashable, Sendable {
    /// The highest numbers of an architecture.
    package struct Architecture: Hashable, Sendable {
        /// AUDIT_ARCH_… of linux/audit.h.
        package var token: UInt32
        package var last: UInt32?
        /// Of x32, whose calls are x86_64's with the bit 30 set.
        package var lastX32: UInt32?
        /// Whether a call that the kernel does not know comes as number 0, as on s390.
        package var isMultiplexed = false
    }

    package var architectures: [Architecture]

    /// Instructions of classic BPF, eight bytes each.
    package var program: [UInt8] {
        var sections = architectures.compactMap(Self.section)
        // From the end, because each section jumps over all those after it.
        var rest = 0
        for index in sections.indices.reversed() {
            sections[index].append(Self.jump(rest))
            rest += sections[index].count
        }
        return sections.flatMap { $0 }.flatMap(\.bytes)
    }

    /// Without its last instruction, the jump over the other sections; nil for an architecture without a call.
    private static func section(_ architecture: Architecture) -> [FilterInstruction]? {
        var tests: [FilterInstruction] = []
        if architecture.isMultiplexed { tests.append(FilterInstruction(code: .isEqual, yes: 0, no: 0, value: 0)) }
        let x32: UInt32 = 0x4000_0000
        switch (architecture.last, architecture.lastX32) {
        case (nil, nil): return nil
        case (let last?, nil) where architecture.token == 0xC000_003E:
            tests += [.init(code: .isAtLeast, no: 0, value: x32), .init(code: .isGreater, value: last)]
        case (let last?, nil): tests.append(FilterInstruction(code: .isGreater, value: last))
        case (nil, let lastX32?): tests += [.init(code: .isGreater, value: lastX32)]
        case (let last?, let lastX32?):
            tests += [
                .init(code: .isAtLeast, value: x32), .init(code: .isGreater, value: last),
                .init(code: .isGreater, value: lastX32),
            ]
        }
        let answer = FilterInstruction(code: .answer, value: 0x0005_0000 | 38)
        let body =
            [FilterInstruction(code: .load, value: FilterInstruction.number)] + withTargets(tests, x32) + [answer]
        // ld [4] (the architecture); not this one: past the jump at the end.
        return [
            FilterInstruction(code: .load, value: FilterInstruction.architecture),
            FilterInstruction(code: .isEqual, no: UInt8(body.count + 1), value: architecture.token),
        ] + body
    }

    /// A test that holds leads to the answer after the last of them, except that for x32, which leads to the last test or,
    /// where x32 has no calls, past the answer. One that does not hold leads on to the next, the last ones past the answer.
    private static func withTargets(_ tests: [FilterInstruction], _ x32: UInt32) -> [FilterInstruction] {
        tests.enumerated().map { index, test in
            var test = test
            let toAnswer = UInt8(tests.count - index - 1)
            let hasX32 = tests.filter { $0.code == .isGreater }.count == 2
            if test.code == .isAtLeast {
                test.yes = hasX32 ? toAnswer - 1 : toAnswer + 1
            } else {
                test.yes = toAnswer
                if test.code == .isGreater { test.no = toAnswer + 1 }
            }
            return test
        }
    }

    private static func jump(_ count: Int) -> FilterInstruction { FilterInstruction(code: .jump, value: UInt32(count)) }
}
