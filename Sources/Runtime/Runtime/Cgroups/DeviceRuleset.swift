import OCI

/// What the device rules of a document come to, as the devices controller of cgroup v1 reckons them: everything is allowed
/// or refused, but for exceptions. Both versions of cgroups get their rules from this, so that they mean the same.
package struct DeviceRuleset: Hashable, Sendable {
    /// The devices of an exception.
    package struct Key: Hashable, Sendable, Comparable {
        /// `b` or `c`.
        package var type: String
        /// Nil for all.
        package var major: Int64?
        package var minor: Int64?

        package static func < (left: Key, right: Key) -> Bool {
            (left.type, left.major ?? -1, left.minor ?? -1) < (right.type, right.major ?? -1, right.minor ?? -1)
        }

        var text: String { "\(type) \(major.map(String.init) ?? "*"):\(minor.map(String.init) ?? "*")" }
    }

    /// What may be done with a device: letters of `rwm`, as bits of `struct bpf_cgroup_dev_ctx`.
    package struct Access: Hashable, Sendable {
        package private(set) var bits: UInt8 = 0

        init(_ letters: some StringProtocol) {
            for letter in letters.utf8 {
                bits |= letter == UInt8(ascii: "m") ? 1 : letter == UInt8(ascii: "r") ? 2 : 4
            }
        }

        private init(bits: UInt8) { self.bits = bits }

        var isEmpty: Bool { bits == 0 }
        func union(_ other: Access) -> Access { Access(bits: bits | other.bits) }
        func subtracting(_ other: Access?) -> Access { Access(bits: bits & ~(other?.bits ?? 0)) }
        func isDisjoint(with other: Access) -> Bool { bits & other.bits == 0 }

        var text: String {
            (bits & 1 != 0 ? "m" : "") + (bits & 2 != 0 ? "r" : "") + (bits & 4 != 0 ? "w" : "")
        }
    }

    package struct Exception: Hashable, Sendable {
        package var key: Key
        package var access: Access
    }

    package private(set) var allowsAll = false
    /// In the order of their keys, none of them twice.
    package private(set) var exceptions: [Exception] = []

    private init() {}

    /// - Throws: for a rule that would have to make a hole in a wildcard, which version 1 passes over in silence.
    package init(_ rules: [LinuxDeviceRule]) throws(RuntimeError) {
        for rule in rules { try apply(rule) }
    }

    /// What every container may use: making any node, the standard character devices, terminals, and tunnels, which
    /// callers have always relied on.
    package static let always: [LinuxDeviceRule] =
        ["c", "b"].map { LinuxDeviceRule(allow: true, type: $0, access: "m") }
        + [(1, 3), (1, 8), (1, 7), (5, 0), (1, 5), (1, 9), (5, 2), (10, 200)].map {
            LinuxDeviceRule(allow: true, type: "c", major: $0.0, minor: $0.1)
        } + [LinuxDeviceRule(allow: true, type: "c", major: 136)]

    private mutating func apply(_ rule: LinuxDeviceRule) throws(RuntimeError) {
        guard rule.type != "a" else {
            (allowsAll, exceptions) = (rule.allow, [])
            return
        }
        let key = Key(type: rule.type == "u" ? "c" : rule.type, major: rule.major, minor: rule.minor)
        if rule.allow != allowsAll {
            set((access(of: key) ?? Access("")).union(Access(rule.access)), for: key)
            guard exceptions.count <= Self.exceptionLimit else {
                throw RuntimeError("linux.resources.devices: more than \(Self.exceptionLimit) exceptions")
            }
        } else {
            try remove(key, Access(rule.access))
        }
    }

    private mutating func remove(_ key: Key, _ access: Access) throws(RuntimeError) {
        let wider = [
            Key(type: key.type), Key(type: key.type, major: key.major), Key(type: key.type, minor: key.minor),
        ]
        for other in wider where other != key && self.access(of: other)?.isDisjoint(with: access) == false {
            throw RuntimeError(
                "linux.resources.devices: the rule for `\(key.text)` cannot make a hole in the one for `\(other.text)`")
        }
        guard let left = self.access(of: key)?.subtracting(access) else { return }
        set(left, for: key)
    }

    /// Nil where the devices are no exception.
    private func access(of key: Key) -> Access? {
        let index = place(of: key)
        return index < exceptions.count && exceptions[index].key == key ? exceptions[index].access : nil
    }

    /// Far more than the kernel takes, in either version.
    private static let exceptionLimit = 16384

    private mutating func set(_ access: Access, for key: Key) {
        let index = place(of: key)
        let isThere = index < exceptions.count && exceptions[index].key == key
        if isThere { exceptions.remove(at: index) }
        if !access.isEmpty { exceptions.insert(Exception(key: key, access: access), at: index) }
    }

    /// The index of the key, or where it belongs. Found by halving: a document may have many.
    private func place(of key: Key) -> Int {
        var (low, high) = (0, exceptions.count)
        while low < high {
            let middle = (low + high) / 2
            if exceptions[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

// MARK: - Version 1

extension DeviceRuleset {
    package struct Line: Hashable, Sendable {
        package var file: String
        package var text: String
    }

    /// What the kernel shows in `devices.list`.
    package init(list: String) {
        for line in list.utf8.split(separator: 10) {
            let words = line.split(separator: 32)
            guard words.count == 3 else { continue }
            if words[0].elementsEqual("a".utf8) {
                allowsAll = true
                continue
            }
            let numbers = words[1].split(separator: 58)
            guard numbers.count == 2 else { continue }
            let (major, minor) = (Int64(Substring(numbers[0])), Int64(Substring(numbers[1])))
            set(Access(Substring(words[2])), for: Key(type: String(Substring(words[0])), major: major, minor: minor))
        }
    }

    /// The files of a cgroup and what to write into them, to come from another ruleset to this one. Nothing that both
    /// allow is refused in between.
    package func lines(from current: DeviceRuleset) -> [Line] {
        // A cgroup that allows all does not show its exceptions: it is begun anew.
        let isReset = current.allowsAll || current.allowsAll != allowsAll
        let old = isReset ? DeviceRuleset() : current
        var lines = isReset ? [Line(file: allowsAll ? "devices.allow" : "devices.deny", text: "a")] : []
        let (adding, taking) = allowsAll ? ("devices.deny", "devices.allow") : ("devices.allow", "devices.deny")
        func change(_ file: String, _ key: Key, _ access: Access) {
            if !access.isEmpty { lines.append(Line(file: file, text: "\(key.text) \(access.text)")) }
        }
        for exception in old.exceptions {
            change(taking, exception.key, exception.access.subtracting(access(of: exception.key)))
        }
        for exception in exceptions {
            change(adding, exception.key, exception.access.subtracting(old.access(of: exception.key)))
        }
        return lines
    }
}
