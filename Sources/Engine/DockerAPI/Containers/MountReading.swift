import EngineAPI
import JSON

/// The three places where a `HostConfig` names mounts: `Binds`, `Mounts`, `Tmpfs`.
enum MountReading {
    private static let propagations: Set = ["private", "rprivate", "shared", "rshared", "slave", "rslave"]
    /// Without effect: what is so anyway, labels of SELinux, which none has here, and hints for other systems.
    static let idleModes: Set = ["rw", "z", "Z", "consistent", "cached", "delegated"]

    static func mounts(_ host: BodyReader) throws(EngineError) -> [MountSpec] {
        var mounts: [MountSpec] = []
        for text in try host.texts("Binds") ?? [] { mounts.append(try bind(text)) }
        for body in try host.objects("Mounts") { mounts.append(try mount(body)) }
        for (target, options) in try host.textMap("Tmpfs").sorted(by: { $0.key < $1.key }) {
            var mount = MountSpec(.tmpfs, target: try absolute(target, "tmpfs"))
            mount.isShort = true
            mount.options = options.split(separator: ",").map(String.init)
            mount.readOnly = mount.options.contains("ro")
            mounts.append(mount)
        }
        return mounts
    }

    /// `source:target[:options]`; a target alone for a volume without a name.
    static func bind(_ text: String) throws(EngineError) -> MountSpec {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 1, text.hasPrefix("/") {
            var mount = MountSpec(.volume, source: "", target: text)
            mount.isShort = true
            return mount
        }
        guard (2...3).contains(parts.count), !parts[0].isEmpty, !parts[1].isEmpty else {
            throw EngineError(.invalid, "invalid volume specification: '\(text)'")
        }
        // A name is a volume's, a path the host's.
        let isPath = parts[0].hasPrefix("/")
        func refusal(_ reason: String) -> EngineError {
            let words = "invalid mount config for type \"\(isPath ? "bind" : "volume")\": \(reason)"
            return EngineError(.invalid, "invalid volume specification: '\(text)': \(words)")
        }
        guard parts[1].hasPrefix("/") else {
            throw refusal("invalid mount path: '\(parts[1])' mount path must be absolute")
        }
        var mount = MountSpec(isPath ? .bind : .volume, source: parts[0], target: parts[1])
        mount.createsSource = isPath
        mount.isShort = true
        var said: Set<String> = []
        let mode = parts.count == 3 ? parts[2] : ""
        for option in mode.split(separator: ",").map(String.init) {
            // Of each kind one is said at most.
            guard said.insert(modeKind(option)).inserted else {
                throw EngineError(.invalid, "invalid mode: \(parts[2])")
            }
            switch option {
            case "ro": mount.readOnly = true
            case "nocopy": mount.noCopy = true
            case _ where idleModes.contains(option): break
            case _ where propagations.contains(option): mount.propagation = option
            default: throw EngineError(.invalid, "invalid mode: \(parts[2])")
            }
        }
        if mode != mount.plainMode { mount.shortMode = mode }
        if isPath, mount.noCopy { throw refusal("field VolumeOptions must not be specified") }
        if !isPath, mount.propagation != nil { throw refusal("field BindOptions must not be specified") }
        return mount
    }

    private static func modeKind(_ mode: String) -> String {
        switch mode {
        case "ro", "rw": "access"
        case "z", "Z": "label"
        case "consistent", "cached", "delegated": "consistency"
        case _ where propagations.contains(mode): "propagation"
        default: mode
        }
    }

    private static func mount(_ body: BodyReader) throws(EngineError) -> MountSpec {
        let type = try body.text("Type")
        let target = try body.text("Target")
        guard !target.isEmpty else {
            throw EngineError(.invalid, "invalid mount config for type \"\(type)\": field Target must not be empty")
        }
        try checkMembers(body, type)
        switch type {
        case "bind": return try bindMount(body, target)
        case "tmpfs": return try tmpfsMount(body, target)
        case "volume": return try volumeMount(body, target)
        case "image": return try imageMount(body, target)
        case "npipe", "cluster":
            throw EngineError(.unsupported, "mounts of type \"\(type)\" are not supported yet")
        default: throw EngineError(.invalid, "invalid mount config for type \"\(type)\": mount type unknown")
        }
    }

    /// What is said for mounts of another type would be passed over.
    private static func checkMembers(_ body: BodyReader, _ type: String) throws(EngineError) {
        let owners = [
            ("BindOptions", "bind"), ("VolumeOptions", "volume"), ("TmpfsOptions", "tmpfs"), ("ImageOptions", "image"),
        ]
        for (member, owner) in owners where owner != type {
            let said = try body.object(member).value
            // Docker refuses these two even where they are empty.
            let isExtra = type == "bind" ? member == "VolumeOptions" : member == "BindOptions"
            guard body.value.field(member) == nil || !isExtra && said.isEmptyValue else {
                throw EngineError(
                    .invalid, "invalid mount config for type \"\(type)\": field \(member) must not be specified")
            }
        }
    }

    private static func bindMount(_ body: BodyReader, _ target: String) throws(EngineError) -> MountSpec {
        let source = try body.text("Source")
        guard !source.isEmpty else {
            throw EngineError(.invalid, "invalid mount config for type \"bind\": field Source must not be empty")
        }
        guard source.hasPrefix("/") else {
            throw EngineError(
                .invalid,
                "invalid mount config for type \"bind\": invalid mount path: '\(source)' mount path must be "
                    + "absolute")
        }
        var mount = MountSpec(.bind, source: source, target: try absolute(target, "bind"))
        mount.readOnly = try body.flag("ReadOnly")
        let options = try body.object("BindOptions")
        mount.createsSource = try options.flag("CreateMountpoint")
        if let propagation = try options.filledText("Propagation") {
            guard propagations.contains(propagation) else {
                throw EngineError(
                    .invalid, "invalid mount config for type \"bind\": invalid propagation mode: \(propagation)")
            }
            mount.propagation = propagation
        }
        mount.isNonRecursive = try options.flag("NonRecursive")
        for (name, depth) in [("ReadOnlyNonRecursive", MountSpec.ReadOnlyDepth.top), ("ReadOnlyForceRecursive", .all)]
        where try options.flag(name) {
            guard mount.readOnly, mount.readOnlyDepth == nil else {
                let other = mount.readOnly ? "BindOptions.ReadOnlyNonRecursive" : "!ReadOnly"
                throw EngineError(
                    .invalid,
                    "invalid mount config for type \"bind\": mount options conflict: \(other) && BindOptions.\(name)")
            }
            mount.readOnlyDepth = depth
        }
        return mount
    }

    private static func volumeMount(_ body: BodyReader, _ target: String) throws(EngineError) -> MountSpec {
        var mount = MountSpec(.volume, source: try body.text("Source"), target: try absolute(target, "volume"))
        mount.readOnly = try body.flag("ReadOnly")
        let options = try body.object("VolumeOptions")
        mount.noCopy = try options.flag("NoCopy")
        mount.volumeLabels = try options.textMap("Labels")
        mount.subpath = try subpath(options, "volume")
        if mount.source.isEmpty {
            for (isSo, what) in [(mount.subpath != nil, "Subpath"), (mount.readOnly, "ReadOnly mode")] where isSo {
                throw EngineError(
                    .invalid,
                    "invalid mount config for type \"volume\": must not set \(what) when using anonymous volumes")
            }
        }
        let driver = try options.object("DriverConfig")
        mount.volumeDriver = try driver.filledText("Name")
        mount.volumeOptions = try driver.textMap("Options")
        return mount
    }

    private static func imageMount(_ body: BodyReader, _ target: String) throws(EngineError) -> MountSpec {
        var mount = MountSpec(.image, source: try body.text("Source"), target: try absolute(target, "image"))
        guard !mount.source.isEmpty else {
            throw EngineError(.invalid, "invalid mount config for type \"image\": field Source must not be empty")
        }
        mount.readOnly = try body.flag("ReadOnly")
        mount.subpath = try subpath(body.object("ImageOptions"), "image")
        return mount
    }

    /// - Throws: `invalid` for one that leads out by its words alone.
    private static func subpath(_ options: BodyReader, _ type: String) throws(EngineError) -> String? {
        guard let path = try options.filledText("Subpath") else { return nil }
        var depth = 0
        for name in path.split(separator: "/") where name != "." {
            depth += name == ".." ? -1 : 1
            if depth < 0 { break }
        }
        guard depth >= 0, !path.hasPrefix("/") else {
            throw EngineError(
                .invalid,
                "invalid mount config for type \"\(type)\": subpath must be a relative path within the \(type)")
        }
        return path
    }

    private static func tmpfsMount(_ body: BodyReader, _ target: String) throws(EngineError) -> MountSpec {
        guard try body.text("Source").isEmpty else {
            throw EngineError(.invalid, "invalid mount config for type \"tmpfs\": field Source must not be specified")
        }
        var mount = MountSpec(.tmpfs, target: try absolute(target, "tmpfs"))
        mount.readOnly = try body.flag("ReadOnly")
        let options = try body.object("TmpfsOptions")
        if let size = try options.filledWhole("SizeBytes") {
            guard size > 0 else {
                throw EngineError(.invalid, "invalid mount config for type \"tmpfs\": invalid size: \(size)")
            }
            mount.options.append("size=\(size)")
        }
        if let mode = try options.unsigned("Mode"), mode != 0 {
            mount.options.append("mode=\(String(mode, radix: 8))")
        }
        for words in try options.textLists("Options") { mount.options.append(words.joined(separator: "=")) }
        return mount
    }

    private static func absolute(_ target: String, _ type: String) throws(EngineError) -> String {
        guard target.hasPrefix("/") else {
            throw EngineError(
                .invalid,
                "invalid mount config for type \"\(type)\": invalid mount path: '\(target)' mount path must "
                    + "be absolute")
        }
        return target
    }
}
