import EngineAPI

extension Form {
    /// The limits of a container as they are, to be changed while it runs.
    static func limits(_ details: ContainerDetails) -> Form {
        let limits = details.spec.limits
        let policy = details.spec.restartPolicy
        let kinds = RestartPolicy.Kind.allCases.map(\.rawValue)
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
                Field(
                    name: .restart, label: "Restart",
                    kind: .choice(kinds, kinds.firstIndex(of: policy.kind.rawValue) ?? 0)),
            ])
    }

    /// What was changed; nil where nothing was. The fields must be valid.
    func containerUpdate() throws(FormError) -> ContainerUpdate? {
        guard case .limits(_, let limits, let policy) = purpose else { return nil }
        var update = ContainerUpdate()
        let memory = text(.memory).flatMap(FormValidation.bytes)
        if memory != limits.memoryBytes.flatMap({ $0 > 0 ? $0 : nil }) {
            guard let memory else { throw FormError("a memory limit can be raised, but not taken away") }
            update.limits.memoryBytes = memory
            // As much swap as before: the engine counts both together.
            if let both = limits.memorySwapBytes, both >= 0, let before = limits.memoryBytes {
                update.limits.memorySwapBytes = memory + max(0, both - before)
            }
        }
        let cpus = text(.cpus).flatMap(FormValidation.nanoCPUs)
        if cpus != limits.nanoCPUs.flatMap({ $0 > 0 ? $0 : nil }) {
            guard let cpus else { throw FormError("a CPU limit can be raised, but not taken away") }
            update.limits.nanoCPUs = cpus
        }
        let pids = text(.pids).flatMap { Int64($0) }
        if pids != limits.pids.flatMap({ $0 > 0 ? $0 : nil }) { update.limits.pids = pids ?? -1 }
        let kind = RestartPolicy.Kind(rawValue: self[.restart]?.text ?? "") ?? policy.kind
        if kind != policy.kind { update.restartPolicy = RestartPolicy(kind) }
        return update == ContainerUpdate() ? nil : update
    }
}

/// Limits as people type them.
enum LimitText {
    /// `64m`: in the largest unit that leaves nothing over; nil for none.
    static func bytes(_ count: Int64) -> String? {
        guard count > 0 else { return nil }
        let units: [(String, Int64)] = [("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)]
        guard let (letter, size) = units.first(where: { count % $0.1 == 0 }) else { return "\(count)" }
        return "\(count / size)\(letter)"
    }

    /// `0.5`, `2`; nil for none.
    static func cpus(_ nanoCPUs: Int64) -> String? {
        guard nanoCPUs > 0 else { return nil }
        guard nanoCPUs % 1_000_000_000 != 0 else { return "\(nanoCPUs / 1_000_000_000)" }
        return "\(Double(nanoCPUs) / 1e9)"
    }
}
