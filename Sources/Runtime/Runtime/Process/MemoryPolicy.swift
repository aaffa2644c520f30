import CLinux
import Linux
import OCI

/// `linux.memoryPolicy`, decided: what set_mempolicy(2) is given. A process hands it on to its children and programs.
package struct MemoryPolicyPlan: Hashable, Sendable {
    /// MPOL_… and MPOL_F_… of linux/mempolicy.h.
    package var mode: Int32
    package var nodes: ProcessorSet

    package init?(_ policy: LinuxMemoryPolicy?) throws(RuntimeError) {
        guard let policy else { return nil }
        mode = policy.flags.reduce(policy.mode.number) { $0 | $1.bit }
        let list = policy.nodes ?? ""
        guard let nodes = list.isEmpty ? ProcessorSet() : ProcessorSet(list) else {
            throw RuntimeError("linux.memoryPolicy.nodes: invalid memory policy nodes: `\(list)` is no list of nodes")
        }
        self.nodes = nodes
        let count = nodes.bytes.reduce(0) { $0 + $1.nonzeroBitCount }
        switch policy.mode {
        case .default, .local:
            guard count == 0 else {
                throw RuntimeError(
                    "linux.memoryPolicy.nodes: memory policy mode \(policy.mode.rawValue) requires 0 nodes but got \(count)"
                )
            }
        case .bind, .interleave, .weightedInterleave, .preferredMany:
            guard count > 0 else {
                throw RuntimeError(
                    "linux.memoryPolicy.nodes: memory policy mode \(policy.mode.rawValue) requires at least one node but got 0"
                )
            }
        // Without nodes it is the local one.
        case .preferred: break
        }
    }

    /// Of the calling process.
    func apply() throws(RuntimeError) {
        let mask = nodes.words
        try attempt("linux.memoryPolicy") { () throws(KernelError) in
            try kernelCall("set_mempolicy") {
                mask.withUnsafeBytes { gantry_set_mempolicy(mode, mask.isEmpty ? nil : $0.baseAddress, $0.count) }
            }
        }
    }

    /// The calling process has the machine's policy again; what was started meanwhile keeps its own.
    static func reset() throws(RuntimeError) {
        try attempt { () throws(KernelError) in try kernelCall("set_mempolicy") { gantry_set_mempolicy(0, nil, 0) } }
    }
}

extension LinuxMemoryPolicy.Mode {
    var number: Int32 {
        switch self {
        case .default: 0
        case .preferred: 1
        case .bind: 2
        case .interleave: 3
        case .local: 4
        case .preferredMany: 5
        case .weightedInterleave: 6
        }
    }
}

extension LinuxMemoryPolicy.Flag {
    var bit: Int32 {
        switch self {
        case .balancing: 1 << 13
        case .relativeNodes: 1 << 14
        case .staticNodes: 1 << 15
        }
    }
}
