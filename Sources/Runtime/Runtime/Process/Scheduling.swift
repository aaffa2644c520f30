import CLinux
import Glibc
import Linux
import OCI

/// What a process says of its own scheduling, set by itself while it still has the rights of the runtime.
struct Scheduling {
    let scheduler: RuntimeScheduler?
    let ioPriority: RuntimeIOPriority?
    let personality: LinuxPersonality?
    var memoryPolicy: MemoryPolicyPlan?

    func apply() throws(RuntimeError) {
        if let scheduler { try Self.apply(scheduler, to: 0) }
        if let ioPriority {
            try attempt("process.ioPriority") { () throws(KernelError) in
                try kernelCall("ioprio_set", ioPriority.class.rawValue) {
                    gantry_ioprio_set_group(ioPriority.class.number, ioPriority.priority)
                }
            }
        }
        try memoryPolicy?.apply()
        if let personality {
            try attempt("linux.personality") { () throws(KernelError) in
                try kernelCall("personality", personality.domain.rawValue) {
                    gantry_personality(personality.domain == .linux32 ? 8 : 0)
                }
            }
        }
    }

    /// - Parameter pid: 0 is the calling process.
    static func apply(_ scheduler: RuntimeScheduler, to pid: Int32) throws(RuntimeError) {
        try attempt("process.scheduler") { () throws(KernelError) in
            try kernelCall("sched_setattr", scheduler.policy.rawValue) {
                gantry_sched_setattr(
                    pid, scheduler.policy.number, scheduler.flags.reduce(0) { $0 | $1.bit }, scheduler.nice ?? 0,
                    UInt32(bitPattern: scheduler.priority ?? 0), scheduler.runtimeNanoseconds ?? 0,
                    scheduler.deadlineNanoseconds ?? 0, scheduler.periodNanoseconds ?? 0)
            }
        }
    }
}

extension RuntimeScheduler.Policy {
    /// SCHED_… of linux/sched.h.
    var number: UInt32 {
        switch self {
        case .other: 0
        case .fifo: 1
        case .roundRobin: 2
        case .batch: 3
        case .iso: 4
        case .idle: 5
        case .deadline: 6
        }
    }
}

extension RuntimeScheduler.Flag {
    /// SCHED_FLAG_… of linux/sched.h.
    var bit: UInt64 {
        switch self {
        case .resetOnFork: 0x01
        case .reclaim: 0x02
        case .deadlineOverrun: 0x04
        case .keepPolicy: 0x08
        case .keepParameters: 0x10
        case .clampMinimum: 0x20
        case .clampMaximum: 0x40
        }
    }
}

extension RuntimeIOPriority.Class {
    /// IOPRIO_CLASS_… of linux/ioprio.h.
    var number: Int32 {
        switch self {
        case .realtime: 1
        case .bestEffort: 2
        case .idle: 3
        }
    }
}
