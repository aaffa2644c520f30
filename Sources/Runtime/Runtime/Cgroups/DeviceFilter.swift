/// Device rules as a program of eBPF for version 2 (BPF_PROG_TYPE_CGROUP_DEVICE).
package struct DeviceFilter: Hashable, Sendable {
    package let ruleset: DeviceRuleset

    package init(_ ruleset: DeviceRuleset) { self.ruleset = ruleset }

    /// The exceptions one after the other; the first that fits decides, and none means what holds for all. An allowing
    /// exception fits where it gives all that is asked for, a refusing one where it takes any of it.
    package var program: [UInt64] {
        let start: [UInt64] = [
            // r2 = type, r3 = access, r4 = major, r5 = minor of `struct bpf_cgroup_dev_ctx` at r1.
            instruction(0x61, to: 2, from: 1, offset: 0), instruction(0xBC, to: 3, from: 2),
            instruction(0x54, to: 2, immediate: 0xFFFF), instruction(0x74, to: 3, immediate: 16),
            instruction(0x61, to: 4, from: 1, offset: 4), instruction(0x61, to: 5, from: 1, offset: 8),
        ]
        let blocks = ruleset.exceptions.flatMap { block($0.key, $0.access) }
        return start + blocks + answer(allow: ruleset.allowsAll)
    }

    private func block(_ key: DeviceRuleset.Key, _ access: DeviceRuleset.Access) -> [UInt64] {
        var tests = [jumpIfNotEqual(2, key.type == "b" ? 1 : 2)]
        let bits = Int32(access.bits)
        if bits != 7 {
            tests.append(instruction(0xBC, to: 1, from: 3))
            if ruleset.allowsAll {
                tests += [instruction(0x54, to: 1, immediate: bits), jumpIfEqual(1, 0)]
            } else {
                // Asks for something beyond the exception: r1 & ~bits != 0.
                tests += [instruction(0x54, to: 1, immediate: ~bits & 7), jumpIfNotEqual(1, 0)]
            }
        }
        if let major = key.major { tests.append(jumpIfNotEqual(4, Int32(truncatingIfNeeded: major))) }
        if let minor = key.minor { tests.append(jumpIfNotEqual(5, Int32(truncatingIfNeeded: minor))) }
        return withTargets(tests) + answer(allow: !ruleset.allowsAll)
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
