import OCI
import Testing

@testable import Runtime

/// What profiles say of single calls.
@Suite struct SeccompVerdictTests {
    private static func profile(_ fallback: String, _ rules: [LinuxSyscall]) -> LinuxSeccomp {
        var profile = LinuxSeccomp(defaultAction: fallback)
        profile.syscalls = rules
        return profile
    }

    private static func rule(
        _ action: String, _ comparison: String? = nil, _ value: UInt64 = 0, _ second: UInt64 = 0, index: UInt32 = 0
    ) -> LinuxSyscall {
        let argument = comparison.map {
            LinuxSyscallArgument(index: index, value: value, valueTwo: second, comparison: $0)
        }
        return LinuxSyscall(["other", "clone"], action: action, args: [argument].compactMap(\.self))
    }

    @Test(
        "A call passes by a rule that holds, or by the default, where no rule says otherwise",
        arguments: [
            ("SCMP_ACT_ALLOW", [], true), ("SCMP_ACT_LOG", [], true), ("SCMP_ACT_ERRNO", [], false),
            ("SCMP_ACT_ALLOW", [rule("SCMP_ACT_ERRNO")], false), ("SCMP_ACT_ERRNO", [rule("SCMP_ACT_ALLOW")], true),
            ("SCMP_ACT_ALLOW", [rule("SCMP_ACT_NOTIFY", "SCMP_CMP_EQ", 1)], false),
            ("SCMP_ACT_ERRNO", [rule("SCMP_ACT_ALLOW", "SCMP_CMP_EQ", 6)], true),
            ("SCMP_ACT_ERRNO", [rule("SCMP_ACT_ALLOW", "SCMP_CMP_EQ", 7)], false),
            ("SCMP_ACT_ERRNO", [rule("SCMP_ACT_ALLOW", "SCMP_CMP_NE", 7)], true),
            ("SCMP_ACT_ERRNO", [rule("SCMP_ACT_LOG", "SCMP_CMP_MASKED_EQ", 2, 2)], true),
            ("SCMP_ACT_ERRNO", [rule("SCMP_ACT_ALLOW", "SCMP_CMP_MASKED_EQ", 2, 0)], false),
            (
                "SCMP_ACT_ERRNO", [rule("SCMP_ACT_ALLOW", "SCMP_CMP_LT", 6), rule("SCMP_ACT_ALLOW", "SCMP_CMP_GE", 6)],
                true
            ),
            ("SCMP_ACT_ERRNO", [rule("SCMP_ACT_ALLOW", "SCMP_CMP_EQ", 6, index: 1)], false),
        ] as [(String, [LinuxSyscall], Bool)])
    func verdicts(_ fallback: String, _ rules: [LinuxSyscall], _ passes: Bool) {
        #expect(SeccompVerdict.allows("clone", first: 6, Self.profile(fallback, rules)) == passes)
    }

    @Test("Docker's filter lets a process be made; one that forbids it does not")
    func known() {
        #expect(SeccompVerdict.allowsEntry(DefaultSeccomp.profile(capabilities: [])))
        #expect(!SeccompVerdict.allowsEntry(Self.profile("SCMP_ACT_ALLOW", [Self.rule("SCMP_ACT_ERRNO")])))
        // CLONE_VM.
        let others = LinuxSyscall(
            ["write", "rt_sigaction", "exit_group", "setsid", "ioctl", "close_range", "close", "read"],
            action: "SCMP_ACT_ALLOW")
        for (flags, passes) in [(0, true), (0x100, false)] as [(UInt64, Bool)] {
            let clone = Self.rule("SCMP_ACT_ALLOW", "SCMP_CMP_MASKED_EQ", flags, 0)
            #expect(SeccompVerdict.allowsEntry(Self.profile("SCMP_ACT_ERRNO", [others, clone])) == passes)
        }
    }
}
