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

    package private(set) var allowsAll = false
    /// Letters of `rwm`, by device.
    package private(set) var exceptions: [Key: Set<Character>] = [:]

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
            (allowsAll, exceptions) = (rule.allow, [:])
            return
        }
        let key = Key(type: rule.type == "u" ? "c" : rule.type, major: rule.major, minor: rule.minor)
        if rule.allow != allowsAll {
            exceptions[key, default: []].formUnion(rule.access)
        } else {
            try remove(key, Set(rule.access))
        }
    }

    private mutating func remove(_ key: Key, _ access: Set<Character>) throws(RuntimeError) {
        let wider = [
            Key(type: key.type), Key(type: key.type, major: key.major), Key(type: key.type, minor: key.minor),
        ]
        for other in wider where other != key && !(exceptions[other] ?? []).isDisjoint(with: access) {
            throw RuntimeError(
                "linux.resources.devices: the rule for `\(key.text)` cannot make a hole in the one for `\(other.text)`")
        }
        guard let left = exceptions[key]?.subtracting(access) else { return }
        exceptions[key] = left.isEmpty ? nil : left
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
        for line in list.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3 else { continue }
            if words[0] == "a" {
                allowsAll = true
                continue
            }
            let numbers = words[1].split(separator: ":")
            guard numbers.count == 2 else { continue }
            exceptions[Key(type: String(words[0]), major: Int64(numbers[0]), minor: Int64(numbers[1]))] = Set(words[2])
        }
    }

    /// The files of a cgroup and what to write into them, to come from another ruleset to this one. Nothing that both
    /// allow is refused in between.
    package func lines(from current: DeviceRuleset) -> [Line] {
        // A cgroup that allows all does not show its exceptions: it is begun anew.
        let isReset = current.allowsAll || current.allowsAll != allowsAll
        let old = isReset ? [:] : current.exceptions
        var lines = isReset ? [Line(file: allowsAll ? "devices.allow" : "devices.deny", text: "a")] : []
        let (adding, taking) = allowsAll ? ("devices.deny", "devices.allow") : ("devices.allow", "devices.deny")
        func change(_ file: String, _ key: Key, _ access: Set<Character>) {
            if !access.isEmpty { lines.append(Line(file: file, text: "\(key.text) \(String(access.sorted()))")) }
        }
        for (key, access) in old.sorted(by: { $0.key < $1.key }) {
            change(taking, key, access.subtracting(exceptions[key] ?? []))
        }
        for (key, access) in exceptions.sorted(by: { $0.key < $1.key }) {
            change(adding, key, access.subtracting(old[key] ?? []))
        }
        return lines
    }
}
