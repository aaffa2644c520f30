import CLinux
import CSeccomp
import Glibc
import Linux
import OCI

/// Makes the kernel's filter program of a profile, by libseccomp.
enum SeccompCompiler {
    /// The instructions, eight bytes each, as seccomp(2) takes them.
    static func compile(_ profile: LinuxSeccomp) throws(RuntimeError) -> [UInt8] {
        let fallback = try step("linux.seccomp.defaultAction") { () throws(RuntimeError) in
            try action(profile.defaultAction, errno: profile.defaultErrnoRet)
        }
        guard let context = seccomp_init(fallback) else {
            throw RuntimeError("seccomp: unable to start a filter with \(profile.defaultAction)")
        }
        defer { seccomp_release(context) }
        for name in profile.architectures {
            guard let token = architectures[name] else {
                throw RuntimeError("string \(name) is not a valid arch for seccomp")
            }
            let status = seccomp_arch_add(context, token)
            guard status == 0 || status == -EEXIST else { throw failure("add architecture \(name)", status) }
        }
        // no_new_privs is the runtime's to set, where the configuration asks for it.
        seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0)
        for (index, rule) in profile.syscalls.enumerated() {
            try step("linux.seccomp.syscalls[\(index)]") { () throws(RuntimeError) in
                try add(rule, to: context, fallback: fallback)
            }
        }
        return unknownCalls(profile, fallback).program + (try export(context))
    }

    private static func unknownCalls(_ profile: LinuxSeccomp, _ fallback: UInt32) -> SeccompUnknownCalls {
        // What is let through, perhaps watched, is the kernel's to answer; a profile that says ENOSYS needs no help.
        let isPermissive = [0x7FFF_0000, 0x7FFC_0000, 0x7FF0_0000].contains(fallback & 0xFFFF_0000)
        guard !isPermissive, fallback != 0x0005_0000 | UInt32(ENOSYS) else {
            return SeccompUnknownCalls(architectures: [])
        }
        let names = Set(profile.syscalls.flatMap(\.names))
        func last(_ token: UInt32) -> UInt32? {
            names.map { seccomp_syscall_resolve_name_arch(token, $0) }.filter { $0 > 0 }.max().map(UInt32.init)
        }
        let native = seccomp_arch_native()
        var found: [SeccompUnknownCalls.Architecture] = []
        // The native one is part of every filter.
        for token in [native] + profile.architectures.compactMap({ architectures[$0] }) {
            let isX32 = token == 0x4000_003E
            let audit = isX32 ? 0xC000_003E : token
            let index = found.firstIndex { $0.token == audit } ?? found.count
            if index == found.count { found.append(SeccompUnknownCalls.Architecture(token: audit)) }
            if isX32 { found[index].lastX32 = last(token) } else { found[index].last = last(token) }
            found[index].isMultiplexed = token == 0x8000_0016 || token == 0x16
        }
        return SeccompUnknownCalls(architectures: found)
    }

    private static func add(
        _ rule: LinuxSyscall, to context: scmp_filter_ctx, fallback: UInt32
    ) throws(RuntimeError) {
        guard !rule.names.isEmpty else { throw RuntimeError("names must not be empty") }
        let action = try action(rule.action, errno: rule.errnoRet)
        // A rule that says what holds anyway is refused by libseccomp, and of no use.
        if action == fallback { return }
        let groups = try argumentGroups(rule)
        for name in rule.names {
            let number = seccomp_syscall_resolve_name(name)
            // A call that this libseccomp does not know cannot be told from others: passed over, as all runtimes do.
            if number == __NR_SCMP_ERROR { continue }
            for group in groups {
                let status = group.withUnsafeBufferPointer {
                    seccomp_rule_add_array(context, action, number, UInt32($0.count), $0.baseAddress)
                }
                guard status == 0 || status == -EEXIST else { throw failure("add the rule for \(name)", status) }
            }
        }
    }

    /// libseccomp takes one condition an argument and rule: where a document gives several on the same one, each makes
    /// a rule of its own, as in other runtimes.
    private static func argumentGroups(_ rule: LinuxSyscall) throws(RuntimeError) -> [[scmp_arg_cmp]] {
        var conditions: [scmp_arg_cmp] = []
        for argument in rule.args {
            guard let comparison = comparisons[argument.comparison] else {
                throw RuntimeError("string \(argument.comparison) is not a valid operator for seccomp")
            }
            conditions.append(
                scmp_arg_cmp(
                    arg: argument.index, op: comparison, datum_a: argument.value, datum_b: argument.valueTwo))
        }
        let isRepeated = Set(rule.args.map(\.index)).count < rule.args.count
        return isRepeated ? conditions.map { [$0] } : [conditions]
    }

    private static func export(_ context: scmp_filter_ctx) throws(RuntimeError) -> [UInt8] {
        try attempt("seccomp") { () throws(KernelError) in
            let file = OwnedDescriptor(try Descriptor.memory("seccomp"))
            let number = file.descriptor.rawValue
            let status = seccomp_export_bpf(context, number)
            if status != 0 { throw KernelError("export the filter", "", Errno(rawValue: -status)) }
            try kernelCall("seek") { lseek(number, 0, SEEK_SET) }
            return try file.descriptor.readAll()
        }
    }

    private static func failure(_ attempted: String, _ status: Int32) -> RuntimeError {
        RuntimeError("seccomp: \(attempted): \(Errno(rawValue: -status))")
    }

    /// SECCOMP_RET_…, as seccomp(2) has them.
    private static func action(_ name: String, errno: UInt32?) throws(RuntimeError) -> UInt32 {
        guard errno == nil || name == "SCMP_ACT_ERRNO" || name == "SCMP_ACT_TRACE" else {
            throw RuntimeError("\(name) takes no errno code")
        }
        let number = errno ?? UInt32(EPERM)
        switch name {
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": return 0
        case "SCMP_ACT_KILL_PROCESS": return 0x8000_0000
        case "SCMP_ACT_TRAP": return 0x0003_0000
        case "SCMP_ACT_ERRNO": return 0x0005_0000 | number & 0xFFFF
        case "SCMP_ACT_TRACE": return 0x7FF0_0000 | number & 0xFFFF
        case "SCMP_ACT_LOG": return 0x7FFC_0000
        case "SCMP_ACT_ALLOW": return 0x7FFF_0000
        case SeccompListener.action: return 0x7FC0_0000
        default: throw RuntimeError("string \(name) is not a valid action for seccomp")
        }
    }

    static let actionNames = [
        "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
        "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
    ]
    static var comparisonNames: [String] { comparisons.keys.sorted() }
    static var architectureNames: [String] { architectures.keys.sorted() }

    private static let comparisons: [String: scmp_compare] = [
        "SCMP_CMP_NE": SCMP_CMP_NE, "SCMP_CMP_LT": SCMP_CMP_LT, "SCMP_CMP_LE": SCMP_CMP_LE,
        "SCMP_CMP_EQ": SCMP_CMP_EQ, "SCMP_CMP_GE": SCMP_CMP_GE, "SCMP_CMP_GT": SCMP_CMP_GT,
        "SCMP_CMP_MASKED_EQ": SCMP_CMP_MASKED_EQ,
    ]

    /// AUDIT_ARCH_… of linux/audit.h, which libseccomp's tokens are, and its own ones for x32 and n32.
    private static let architectures: [String: UInt32] = [
        "SCMP_ARCH_X86": 0x4000_0003, "SCMP_ARCH_X86_64": 0xC000_003E, "SCMP_ARCH_X32": 0x4000_003E,
        "SCMP_ARCH_ARM": 0x4000_0028, "SCMP_ARCH_AARCH64": 0xC000_00B7, "SCMP_ARCH_MIPS": 0x0000_0008,
        "SCMP_ARCH_MIPS64": 0x8000_0008, "SCMP_ARCH_MIPS64N32": 0xA000_0008, "SCMP_ARCH_MIPSEL": 0x4000_0008,
        "SCMP_ARCH_MIPSEL64": 0xC000_0008, "SCMP_ARCH_MIPSEL64N32": 0xE000_0008, "SCMP_ARCH_PPC": 0x0000_0014,
        "SCMP_ARCH_PPC64": 0x8000_0015, "SCMP_ARCH_PPC64LE": 0xC000_0015, "SCMP_ARCH_S390": 0x0000_0016,
        "SCMP_ARCH_S390X": 0x8000_0016, "SCMP_ARCH_PARISC": 0x0000_000F, "SCMP_ARCH_PARISC64": 0x8000_000F,
        "SCMP_ARCH_M68K": 0x0000_0004, "SCMP_ARCH_SH": 0x4000_002A, "SCMP_ARCH_SHEB": 0x0000_002A,
        "SCMP_ARCH_RISCV64": 0xC000_00F3, "SCMP_ARCH_LOONGARCH64": 0xC000_0102,
    ]
}
