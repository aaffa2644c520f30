import Linux
import OCI

/// The limits in force of which an update that changes others must know.
package struct CurrentLimits: Hashable, Sendable {
    /// Nil for no limit.
    package var memoryBytes: UInt64?
    /// Swap alone, as version 2 limits it; nil for no limit.
    package var swapBytes: UInt64?
    /// Of processor time; nil for no limit.
    package var quotaMicroseconds: Int64?
    package var periodMicroseconds: UInt64?
    package var memoryUsageBytes: UInt64?

    package init() {}

    /// What the kernel has. A file that is missing limits nothing.
    init(_ texts: CgroupTexts) throws(KernelError) {
        let controller = texts.isUnified ? nil : "memory"
        memoryUsageBytes = try texts.number(
            controller, texts.isUnified ? "memory.current" : "memory.usage_in_bytes")
        guard texts.isUnified else { return }
        memoryBytes = Self.finite(try texts.number(nil, "memory.max"))
        swapBytes = Self.finite(try texts.number(nil, "memory.swap.max"))
        guard let line = try texts.lines(nil, "cpu.max")?.first, line.count == 2 else { return }
        quotaMicroseconds = Int64(line[0])
        periodMicroseconds = UInt64(line[1])
    }

    private static func finite(_ value: UInt64?) -> UInt64? { value == UInt64.max ? nil : value }
}

/// What an update comes to, decided from what is asked for and what is in force.
package enum UpdatePlan {
    /// Adds to the limits asked for those that cannot change without them: version 2 has one file for quota and period,
    /// and counts swap apart from memory where callers give both together.
    package static func complete(
        _ asked: LinuxResources, _ current: CurrentLimits, isUnified: Bool
    ) throws(RuntimeError) -> LinuxResources {
        var resources = asked
        if let memory = asked.memory {
            try check(memory, current)
            resources.memory = isUnified ? unified(memory, current) : legacy(memory)
        }
        if isUnified, var cpu = asked.cpu {
            let (quota, period) = (cpu.quotaMicroseconds ?? 0, cpu.periodMicroseconds ?? 0)
            if quota != 0, period == 0 { cpu.periodMicroseconds = current.periodMicroseconds }
            if quota == 0, period != 0 { cpu.quotaMicroseconds = current.quotaMicroseconds }
            resources.cpu = cpu
        }
        return resources
    }

    /// `checkBeforeUpdate`: a limit that is used up would have the kernel kill at once.
    private static func check(_ memory: LinuxMemory, _ current: CurrentLimits) throws(RuntimeError) {
        guard memory.checkBeforeUpdate == true, let usage = current.memoryUsageBytes else { return }
        if let swap = memory.swapBytes, swap > 0, UInt64(swap) <= usage {
            throw RuntimeError("rejecting memory+swap limit \(swap) <= usage \(usage)")
        }
        if let limit = memory.limitBytes, limit > 0, UInt64(limit) <= usage {
            throw RuntimeError("rejecting memory limit \(limit) <= usage \(usage)")
        }
    }

    private static func legacy(_ memory: LinuxMemory) -> LinuxMemory {
        var memory = memory
        // The kernel keeps memory below memory and swap together: without a limit for one there is none for both.
        if memory.limitBytes == -1, memory.swapBytes ?? 0 == 0 { memory.swapBytes = -1 }
        memory.kernelTCPBytes = nil
        return memory
    }

    private static func unified(_ memory: LinuxMemory, _ current: CurrentLimits) -> LinuxMemory {
        var memory = memory
        let (limit, swap) = (memory.limitBytes ?? 0, memory.swapBytes ?? 0)
        if swap > 0, limit == 0 { memory.limitBytes = current.memoryBytes.flatMap { Int64(exactly: $0) } }
        // Memory and swap together stay what they were.
        if limit > 0, swap == 0, let old = current.memoryBytes, let oldSwap = current.swapBytes {
            memory.swapBytes = Int64(exactly: old &+ oldSwap)
        }
        return memory
    }
}
