import JSON

/// How the kernel divides processors among processes, for sched_setattr(2).
package struct RuntimeScheduler: Hashable, Sendable, RuntimeWritable {
    package enum Policy: String, Hashable, Sendable, CaseIterable {
        case other = "SCHED_OTHER"
        case fifo = "SCHED_FIFO"
        case roundRobin = "SCHED_RR"
        case batch = "SCHED_BATCH"
        case iso = "SCHED_ISO"
        case idle = "SCHED_IDLE"
        case deadline = "SCHED_DEADLINE"
    }

    package enum Flag: String, Hashable, Sendable, CaseIterable {
        case resetOnFork = "SCHED_FLAG_RESET_ON_FORK"
        case reclaim = "SCHED_FLAG_RECLAIM"
        case deadlineOverrun = "SCHED_FLAG_DL_OVERRUN"
        case keepPolicy = "SCHED_FLAG_KEEP_POLICY"
        case keepParameters = "SCHED_FLAG_KEEP_PARAMS"
        case clampMinimum = "SCHED_FLAG_UTIL_CLAMP_MIN"
        case clampMaximum = "SCHED_FLAG_UTIL_CLAMP_MAX"
    }

    package var policy: Policy
    package var nice: Int32?
    /// Of the real-time policies.
    package var priority: Int32?
    package var flags: [Flag] = []
    package var runtimeNanoseconds: UInt64?
    package var deadlineNanoseconds: UInt64?
    package var periodNanoseconds: UInt64?

    package init(_ policy: Policy) { self.policy = policy }

    init(_ scheduler: RuntimeProperty) throws(RuntimeSpecError) {
        policy = try scheduler.required("policy").word()
        nice = try scheduler["nice"]?.integer()
        priority = try scheduler["priority"]?.integer()
        flags = try scheduler["flags"]?.list { (flag) throws(RuntimeSpecError) in try flag.word() } ?? []
        runtimeNanoseconds = try scheduler["runtime"]?.integer()
        deadlineNanoseconds = try scheduler["deadline"]?.integer()
        periodNanoseconds = try scheduler["period"]?.integer()
        try check(scheduler)
    }

    /// What sched_setattr(2) would refuse or pass over is refused here, by name.
    private func check(_ scheduler: RuntimeProperty) throws(RuntimeSpecError) {
        if policy == .other || policy == .batch, let nice, !(-20...19).contains(nice) {
            throw RuntimeSpecError("\(scheduler.path).nice", "must be -20 to 19 with \(policy.rawValue)")
        }
        if priority ?? 0 != 0, policy != .fifo, policy != .roundRobin {
            throw RuntimeSpecError("\(scheduler.path).priority", "is for SCHED_FIFO and SCHED_RR only")
        }
        let times = [
            ("runtime", runtimeNanoseconds), ("deadline", deadlineNanoseconds), ("period", periodNanoseconds),
        ]
        for (name, time) in times where time ?? 0 != 0 && policy != .deadline {
            throw RuntimeSpecError("\(scheduler.path).\(name)", "is for SCHED_DEADLINE only")
        }
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("policy", policy.rawValue)
        object.put("nice", nice)
        object.put("priority", priority)
        object.putList("flags", flags.map(\.rawValue))
        object.put("runtime", runtimeNanoseconds)
        object.put("deadline", deadlineNanoseconds)
        object.put("period", periodNanoseconds)
        return .object(object)
    }
}

/// The class and level of a process's input and output, for ioprio_set(2).
package struct RuntimeIOPriority: Hashable, Sendable, RuntimeWritable {
    package enum Class: String, Hashable, Sendable, CaseIterable {
        case realtime = "IOPRIO_CLASS_RT"
        case bestEffort = "IOPRIO_CLASS_BE"
        case idle = "IOPRIO_CLASS_IDLE"
    }

    package var `class`: Class
    /// 0, the highest, to 7.
    package var priority: Int32

    package init(_ class: Class, priority: Int32) {
        self.class = `class`
        self.priority = priority
    }

    init(_ io: RuntimeProperty) throws(RuntimeSpecError) {
        `class` = try io.required("class").word()
        let level = try io.required("priority")
        priority = try level.integer()
        guard (0...7).contains(priority) else { throw level.failure("must be 0 to 7") }
    }

    package var json: JSONValue { ["class": `class`.rawValue.json, "priority": priority.json] }
}

/// The processors that an `exec`'d process begins on, and those that it stays on: lists such as `0-3,7`.
package struct RuntimeCPUAffinity: Hashable, Sendable, RuntimeWritable {
    package var initial: String?
    package var final: String?

    package init(initial: String? = nil, final: String? = nil) {
        self.initial = initial
        self.final = final
    }

    init(_ affinity: RuntimeProperty) throws(RuntimeSpecError) {
        initial = try affinity["initial"]?.string()
        final = try affinity["final"]?.string()
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("initial", initial)
        object.put("final", final)
        return .object(object)
    }
}

/// The execution domain of a container's programs, for personality(2).
package struct LinuxPersonality: Hashable, Sendable, RuntimeWritable {
    package enum Domain: String, Hashable, Sendable, CaseIterable {
        case linux = "LINUX"
        /// uname(2) tells of a 32-bit machine.
        case linux32 = "LINUX32"
    }

    package var domain: Domain

    package init(_ domain: Domain) { self.domain = domain }

    init(_ personality: RuntimeProperty) throws(RuntimeSpecError) {
        domain = try personality.required("domain").word()
        // The specification defines none so far: one that is asked for cannot be given.
        if let flags = try personality["flags"], try !flags.strings().isEmpty {
            throw flags.failure("no personality flag is supported")
        }
    }

    package var json: JSONValue { ["domain": domain.rawValue.json] }
}
