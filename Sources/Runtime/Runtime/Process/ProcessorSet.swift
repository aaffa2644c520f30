import CLinux
import Linux

/// Processors, or memory nodes, by number, written as cpuset(7) has them: `0-3,7`.
package struct ProcessorSet: Hashable, Sendable {
    /// A bit a processor, the first in the lowest bit of the first byte; as long as the highest needs.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Nil for a text that is no such list, or names a processor beyond the kernel's 8192.
    package init?(_ list: String) {
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = Self.number(ends[0]), let last = ends.count == 2 ? Self.number(ends[1]) : first,
                first <= last
            else { return nil }
            for number in first...last { insert(number) }
        }
    }

    private static func number(_ text: Substring) -> Int? {
        let digits = text.drop { $0 == " " }.prefix { $0 != " " && $0 != "\n" }
        guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(digits), number < 8192 else {
            return nil
        }
        return number
    }

    private mutating func insert(_ number: Int) {
        while bytes.count <= number / 8 { bytes.append(0) }
        bytes[number / 8] |= 1 << (number % 8)
    }

    /// The bytes filled up to whole words, as the kernel takes them.
    var words: [UInt8] { bytes + [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8) }

    /// sched_setaffinity(2) of a process; 0 is the calling one. What is beyond the machine's processors is passed over.
    func apply(to pid: Int32) throws(KernelError) {
        let padded = words
        try kernelCall("set the processors of", String(pid)) {
            padded.withUnsafeBytes { gantry_sched_setaffinity(pid, $0.baseAddress, $0.count) }
        }
    }

    /// Where the calling process may run now.
    static func current() throws(KernelError) -> ProcessorSet {
        var set = ProcessorSet()
        set.bytes = [UInt8](repeating: 0, count: 1024)
        let count = try kernelCall("get the processors") {
            set.bytes.withUnsafeMutableBytes { gantry_sched_getaffinity(0, $0.baseAddress, $0.count) }
        }
        set.bytes.removeLast(1024 - Int(count))
        return set
    }
}

/// Where an `exec`'d process runs: `process.execCPUAffinity`, decided.
package struct ProcessorPlan: Hashable, Sendable {
    /// While it is made, until it is in the container's cgroup; nil where that is left alone.
    package var initial: ProcessorSet?
    package var final: ProcessorSet?

    init(_ initial: String?, _ final: String?) throws(RuntimeError) {
        self.initial = try Self.set(initial, "initial")
        self.final = try Self.set(final, "final")
    }

    private static func set(_ list: String?, _ name: String) throws(RuntimeError) -> ProcessorSet? {
        guard let list, !list.isEmpty else { return nil }
        guard let set = ProcessorSet(list) else {
            throw RuntimeError("process.execCPUAffinity.\(name): `\(list)` is no list of processors")
        }
        return set
    }
}
