import OCI

/// The device rules of a container in the two forms that the kernel takes: lines for version 1's `devices.allow` and
/// `devices.deny`, a BPF program for version 2.
package struct DeviceFilter: Hashable, Sendable {
    package let rules: [LinuxDeviceRule]

    package init(_ rules: [LinuxDeviceRule]) { self.rules = rules }

    /// Files and lines in their order. All is refused first, so a document without rules opens nothing.
    package var legacyWrites: [(file: String, line: String)] {
        [("devices.deny", "a")]
            + rules.map { rule in
                let file = rule.allow ? "devices.allow" : "devices.deny"
                guard rule.type != "a" else { return (file, "a") }
                let type = rule.type == "u" ? "c" : rule.type
                let major = rule.major.map(String.init) ?? "*"
                let minor = rule.minor.map(String.init) ?? "*"
                return (file, "\(type) \(major):\(minor) \(rule.access)")
            }
    }

    /// Instructions of eBPF for BPF_PROG_TYPE_CGROUP_DEVICE: the rules from the last to the first, the first that fits
    /// decides; none does: refused. An allowing rule fits where it gives all that is asked for, a refusing one where it
    /// takes any of it.
    package var program: [UInt64] {
        var program: [UInt64] = [
            // r2 = type, r3 = access, r4 = major, r5 = minor of `struct bpf_cgroup_dev_ctx` at r1.
            instruction(0x61, to: 2, from: 1, offset: 0), instruction(0xBC, to: 3, from: 2),
            instruction(0x54, to: 2, immediate: 0xFFFF), instruction(0x74, to: 3, immediate: 16),
            instruction(0x61, to: 4, from: 1, offset: 4), instruction(0x61, to: 5, from: 1, offset: 8),
        ]
        for rule in rules.reversed() {
            program += block(of: rule)
            // A rule for everything decides everything: what is before it in the list has no say.
            if rule.type == "a", rule.access.count == 3 { return program }
        }
        return program + answer(allow: false)
    }

    private func block(of rule: LinuxDeviceRule) -> [UInt64] {
        var tests: [[UInt64]] = []
        switch rule.type {
        case "b": tests.append([jumpIfNotEqual(2, 1)])
        case "c", "u": tests.append([jumpIfNotEqual(2, 2)])
        default: break
        }
        let bits = rule.access.reduce(0) { $0 | ($1 == "m" ? 1 : $1 == "r" ? 2 : 4) }
        if bits != 7 {
            let asked: [UInt64] = [instruction(0xBC, to: 1, from: 3)]
            if rule.allow {
                // Asks for something beyond the rule: r1 & ~bits != 0.
                tests.append(asked + [instruction(0x54, to: 1, immediate: Int32(~bits & 7)), jumpIfNotEqual(1, 0)])
            } else {
                tests.append(asked + [instruction(0x54, to: 1, immediate: Int32(bits)), jumpIfEqual(1, 0)])
            }
        }
        if rule.type != "a" {
            if let major = rule.major { tests.append([jumpIfNotEqual(4, Int32(truncatingIfNeeded: major))]) }
            if let minor = rule.minor { tests.append([jumpIfNotEqual(5, Int32(truncatingIfNeeded: minor))]) }
        }
        return withTargets(tests.flatMap { $0 }) + answer(allow: rule.allow)
    }

    /// Each jump of a block goes to its end, past the two instructions of the answer.
    private func withTargets(_ block: [UInt64]) -> [UInt64] {
        block.enumerated().map { index, word in
            let code = word & 0xFF
            guard code == 0x55 || code == 0x15 else { return word }
            return word | UInt64(block.count - index - 1 + 2) << 16
        }
    }

    private func answer(allow: Bool) -> [UInt64] {
        [instruction(0xB7, to: 0, immediate: allow ? 1 : 0), instruction(0x95)]
    }

    private func jumpIfNotEqual(_ register: UInt64, _ value: Int32) -> UInt64 {
        instruction(0x55, to: register, immediate: value)
    }

    private func jumpIfEqual(_ register: UInt64, _ value: Int32) -> UInt64 {
        instruction(0x15, to: register, immediate: value)
    }

    /// `struct bpf_insn` of a little-endian machine: code, registers, offset, immediate.
    private func instruction(
        _ code: UInt64, to destination: UInt64 = 0, from source: UInt64 = 0, offset: UInt16 = 0, immediate: Int32 = 0
    ) -> UInt64 {
        code | (source << 4 | destination) << 8 | UInt64(offset) << 16 | UInt64(UInt32(bitPattern: immediate)) << 32
    }
}
