import EngineAPI

extension Form {
    /// The limits of a container as they are, to be changed while it runs.
    static func limits(_ details: ContainerDetails) -> Form {
        let limits = details.spec.limits
        let policy = details.spec.restartPolicy
        func text(_ name: Field.Name, _ label: String, _ placeholder: String, _ value: String?) -> Field {
            Field(name: name, label: label, placeholder: placeholder, kind: .text(LineEditor(value ?? "")))
        }
        let target = EngineAction.Target(id: details.id, name: details.name)
        return Form(
            .limits(target, limits, policy), title: "limits of \(details.name)",
            fields: [
                text(.memory, "Memory", "no limit; 64m, 1g", limits.memoryBytes.flatMap(LimitText.bytes)),
                text(.cpus, "CPUs", "no limit; 0.5, 2", limits.nanoCPUs.flatMap(LimitText.cpus)),
                text(.pids, "Processes", "no limit; 100", limits.pids.flatMap { $0 > 0 ? "\($0)" : nil }),
                restartField(policy.kind),
            ])
    }

    /// What was changed; nil where nothing was. The fields must be valid.
    func containerUpdate() throws(FormError) -> ContainerUpdate? {
        guard case .limits(_, let limits, let policy) = purpose else { return nil }
        var update = ContainerUpdate()
        let memory = text(.memory).flatMap(FormValidation.bytes)
        if memory != limits.memoryBytes.flatMap(LimitText.finite) {
            update.limits.memoryBytes = memory ?? -1
            // As much swap as before: the engine counts both together.
            if memory == nil {
                update.limits.memorySwapBytes = -1
            } else if let memory, let both = limits.memorySwapBytes, both >= 0, let before = limits.memoryBytes {
                update.limits.memorySwapBytes = memory.addingSaturated(max(0, both - before))
            }
        }
        let cpus = text(.cpus).flatMap(FormValidation.nanoCPUs)
        if cpus != limits.nanoCPUs.flatMap({ $0 > 0 ? $0 : nil }) {
            // What docker's API has in place of a word for no limit of CPUs.
            if let cpus { update.limits.nanoCPUs = cpus } else { update.limits.cpuQuotaMicroseconds = -1 }
        }
        let pids = text(.pids).flatMap { Int64($0) }
        if pids != limits.pids.flatMap({ $0 > 0 ? $0 : nil }) { update.limits.pids = pids ?? -1 }
        let kind = restartKind ?? policy.kind
        if kind != policy.kind { update.restartPolicy = RestartPolicy(kind) }
        return update == ContainerUpdate() ? nil : update
    }
}

/// Limits as people type them.
enum LimitText {
    /// `64m`: in the largest unit that leaves nothing over; nil for none.
    static func bytes(_ count: Int64) -> String? {
        guard let count = finite(count) else { return nil }
        let units: [(String, Int64)] = [("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)]
        guard let (letter, size) = units.first(where: { count % $0.1 == 0 }) else { return "\(count)" }
        return "\(count / size)\(letter)"
    }

    /// Nil for what is no limit: nothing, less, or so much that kernels say it for no limit.
    static func finite(_ count: Int64) -> Int64? { count > 0 && count < 1 << 62 ? count : nil }

    /// `0.5`, `2`; nil for none.
    static func cpus(_ nanoCPUs: Int64) -> String? {
        guard nanoCPUs > 0 else { return nil }
        guard nanoCPUs % 1_000_000_000 != 0 else { return "\(nanoCPUs / 1_000_000_000)" }
        return "\(Double(nanoCPUs) / 1e9)"
    }
}
