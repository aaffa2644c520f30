import Linux
import OCI

/// Limits as properties of a unit: what systemd would else reset by its own values at its next reload. The files of the
/// cgroup are written all the same, because they take limits that systemd has no property for.
package struct SystemdProperties: Hashable, Sendable {
    package private(set) var values: [(name: String, value: BusValue)] = []

    package static func == (left: Self, right: Self) -> Bool {
        left.values.map(\.name) == right.values.map(\.name) && left.values.map(\.value) == right.values.map(\.value)
    }

    package func hash(into hasher: inout Hasher) {
        for (name, value) in values { hasher.combine(name); hasher.combine(value) }
    }

    package init(_ resources: LinuxResources?) throws(RuntimeError) {
        guard let resources else { return }
        if let memory = resources.memory { add(memory) }
        if let cpu = resources.cpu { try add(cpu) }
        if let limit = resources.pids?.limit, limit != 0 { add("TasksMax", limit > 0 ? UInt64(limit) : .max) }
        if let weight = resources.blockIO?.weight, weight != 0 {
            add("IOWeight", CgroupPlan.weight(ofBlockWeight: weight))
        }
        for (file, text) in resources.unified.sorted(by: { $0.key < $1.key }) { try add(file, text) }
    }

    /// Those that annotations name, in the order of their names: last, so that they override what limits say.
    mutating func add(_ annotations: TextMap) throws(RuntimeError) {
        values += try SystemdAnnotations.properties(annotations)
    }

    private mutating func add(_ name: String, _ number: UInt64) { values.append((name, .uint64(number))) }

    private mutating func add(_ memory: LinuxMemory) {
        let limit = memory.limitBytes ?? 0
        if limit != 0 { add("MemoryMax", limit > 0 ? UInt64(limit) : .max) }
        if let low = memory.reservationBytes, low != 0 { add("MemoryLow", low > 0 ? UInt64(low) : .max) }
        if let both = memory.swapBytes, both != 0 {
            add("MemorySwapMax", both > 0 && limit > 0 ? UInt64(max(0, both - limit)) : .max)
        }
    }

    private mutating func add(_ cpu: LinuxCPU) throws(RuntimeError) {
        if let shares = cpu.shares, shares != 0 { add("CPUWeight", CgroupPlan.weight(ofShares: shares)) }
        let (quota, period) = (cpu.quotaMicroseconds ?? 0, cpu.periodMicroseconds ?? 0)
        if quota != 0 || period != 0 { addQuota(quota, period) }
        for (name, property, list) in [
            ("cpus", "AllowedCPUs", cpu.cpus), ("mems", "AllowedMemoryNodes", cpu.mems),
        ] {
            guard let list, !list.isEmpty else { continue }
            guard let set = ProcessorSet(list) else {
                throw RuntimeError("linux.resources.cpu.\(name): `\(list)` is no list of numbers")
            }
            values.append((property, .bytes(set.bytes)))
        }
    }

    /// systemd keeps hundredths of a processor: rounded up, so that the container never gets less than it asked for.
    private mutating func addQuota(_ quota: Int64, _ period: UInt64) {
        if period != 0 { add("CPUQuotaPeriodUSec", period) }
        guard quota > 0 else { return add("CPUQuotaPerSecUSec", .max) }
        let perSecond = UInt64(quota).multipliedSaturated(by: 1_000_000) / (period == 0 ? 100_000 : period)
        add("CPUQuotaPerSecUSec", perSecond.addingSaturated(9999) / 10_000 * 10_000)
    }

    /// The files of version 2 that have a property; the others are written only.
    private mutating func add(_ file: String, _ text: String) throws(RuntimeError) {
        func number() throws(RuntimeError) -> UInt64 {
            if text == "max" { return .max }
            guard let number = UInt64(unsigned: text) else {
                throw RuntimeError("linux.resources.unified.\(file): `\(text)` is no number")
            }
            return number
        }
        switch file {
        case "memory.max": add("MemoryMax", try number())
        case "memory.high": add("MemoryHigh", try number())
        case "memory.low": add("MemoryLow", try number())
        case "memory.min": add("MemoryMin", try number())
        case "memory.swap.max": add("MemorySwapMax", try number())
        case "pids.max": add("TasksMax", try number())
        case "cpu.weight": add("CPUWeight", try number())
        case "cpu.max":
            let words = text.split(separator: " ")
            let quota = words.first.flatMap { $0 == "max" ? -1 : Int64($0) }
            let period = words.count > 1 ? UInt64(unsigned: words[1]) : 0
            guard let quota, let period, words.count < 3 else {
                throw RuntimeError("linux.resources.unified.\(file): `\(text)` is no quota")
            }
            addQuota(quota, period)
        default: break
        }
    }
}
