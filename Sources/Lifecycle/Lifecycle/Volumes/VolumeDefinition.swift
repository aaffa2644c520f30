import EngineAPI
import JSON

/// A volume as it is kept.
package struct VolumeDefinition: Hashable, Sendable, Codable {
    package var spec: VolumeSpec
    /// Nanoseconds since 1970.
    package var createdAt: Int64
    /// Made for one container, whose `--rm` and `rm -v` remove it.
    package var isAnonymous: Bool

    /// - Throws: `invalid` for a name or options that cannot be, `notFound` for an unknown driver.
    package init(_ spec: VolumeSpec, createdAt: Int64, isAnonymous: Bool) throws(EngineError) {
        try VolumeName.check(spec.name)
        guard spec.driver == "local" || spec.driver.isEmpty else {
            let words = "create \(spec.name): error looking up volume plugin \(spec.driver)"
            throw EngineError(.notFound, "\(words): plugin \"\(spec.driver)\" not found", object: spec.driver)
        }
        try Self.check(spec.options, of: spec.name)
        self.spec = spec
        self.spec.driver = "local"
        self.createdAt = createdAt
        self.isAnonymous = isAnonymous
    }

    private static func check(_ options: [String: String], of name: String) throws(EngineError) {
        for option in options.keys.sorted() where !["type", "device", "o"].contains(option) {
            throw EngineError(.invalid, "create \(name): invalid option: \"\(option)\"")
        }
        guard !options.isEmpty else { return }
        guard let type = options["type"], !type.isEmpty else {
            throw EngineError(.invalid, "create \(name): missing required option: \"type\"")
        }
        guard options["device"]?.isEmpty == false || type == "tmpfs" else {
            throw EngineError(.invalid, "create \(name): missing required option: \"device\"")
        }
    }

    /// What the volume is mounted from in a container, where it is no directory of the data root.
    var mount: VolumeMountPlan? {
        guard let type = spec.options["type"] else { return nil }
        return VolumeMountPlan(type: type, source: spec.options["device"] ?? type, options: mountOptions)
    }

    /// The same, for the runtime to mount in one container.
    var ownMount: VolumeSource? {
        guard let type = spec.options["type"] else { return nil }
        let isBind = mountOptions.contains { $0 == "bind" || $0 == "rbind" }
        return VolumeSource(
            type: isBind ? "bind" : type, source: spec.options["device"] ?? type, options: mountOptions)
    }

    private var mountOptions: [String] { (spec.options["o"] ?? "").split(separator: ",").map(String.init) }

    /// As the row keeps it.
    func text() throws(EngineError) -> String {
        do { return try JSONValue(encoding: self).compactText } catch {
            throw EngineError(.internal, "write the row of volume \(spec.name): \(error)")
        }
    }

    init(text: String) throws(EngineError) {
        do { self = try JSONValue(parsing: text).decoded() } catch {
            throw EngineError(.internal, "read the row of a volume: \(error)")
        }
    }
}

/// What a volume may be called: a name of a directory, and nothing that leads elsewhere.
package enum VolumeName {
    package static func check(_ name: String) throws(EngineError) {
        let bytes = Array(name.utf8)
        func isWord(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...122).contains(byte | 0x20) }
        guard bytes.count >= 2 else {
            throw EngineError(
                .invalid,
                "create \(name): volume name is too short, names should be at least two alphanumeric characters",
                object: name)
        }
        guard let first = bytes.first, isWord(first),
            bytes.allSatisfy({ isWord($0) || [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-")].contains($0) })
        else {
            throw EngineError(
                .invalid,
                "create \(name): \"\(name)\" includes invalid characters for a local volume name, only "
                    + "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute "
                    + "path", object: name)
        }
        guard bytes.count <= 255 else {
            throw EngineError(
                .invalid, "create \(name.prefix(12))…: a volume's name has at most 255 bytes", object: name)
        }
    }
}
