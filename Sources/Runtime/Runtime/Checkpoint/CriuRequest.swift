/// A request to CRIU's service, as a value: rpc.proto of CRIU 3.17, of which the numbers are.
package struct CriuRequest: Hashable, Sendable {
    package enum Kind: Int32, Sendable {
        case dump = 1
        case restore = 2
        case preDump = 4
        case notify = 6
        case checkFeatures = 9
        case version = 10
    }

    /// Options that are on or off, under the names that callers give them.
    package enum Switch: String, CaseIterable, Sendable {
        case externalSockets = "ext-unix-sk"
        case establishedTCP = "tcp-established"
        case shellJob = "shell-job"
        case fileLocks = "file-locks"
        case deduplicates = "auto-dedup"
        case linkRemap = "link-remap"
        case skipsInFlight = "tcp-skip-in-flight"
        case lazyPages = "lazy-pages"

        var field: Int {
            switch self {
            case .externalSockets: 4
            case .establishedTCP: 5
            case .shellJob: 7
            case .fileLocks: 8
            case .deduplicates: 16
            case .linkRemap: 18
            case .skipsInFlight: 46
            case .lazyPages: 48
            }
        }
    }

    package enum CgroupMode: Int32, Sendable {
        case ignore = 0, soft = 3, full, strict, `default`

        init?(_ name: String) {
            switch name {
            case "ignore": self = .ignore
            case "soft": self = .soft
            case "full": self = .full
            case "strict": self = .strict
            default: return nil
            }
        }
    }

    package var kind: Kind
    package private(set) var options = ProtocolBuffer()
    private var others = ProtocolBuffer()

    package init(_ kind: Kind) { self.kind = kind }

    package var bytes: [UInt8] {
        var message = ProtocolBuffer()
        message.put(1, kind.rawValue)
        if !options.fields.isEmpty { message.put(2, options) }
        return message.bytes + others.bytes
    }

    /// The answer to a notification, on which CRIU waits.
    package static let goOn: CriuRequest = {
        var request = CriuRequest(.notify)
        request.others.put(3, true)
        return request
    }()

    /// Whether the kernel can track memory (`mem_track`, 1) or restore pages when they are used (`lazy_pages`, 2).
    package static func feature(_ field: Int) -> CriuRequest {
        var features = ProtocolBuffer()
        features.put(field, true)
        var request = CriuRequest(.checkFeatures)
        request.others.put(5, features)
        return request
    }

    // MARK: Options

    /// Folders as descriptors of this process, which CRIU opens by /proc; the log is made in the second, or the first.
    package mutating func setFolders(images: Int32, work: Int32?, logFile: String) {
        options.put(1, images)
        if let work { options.put(17, work) }
        options.put(9, Int32(4))
        options.put(10, logFile)
    }

    package mutating func set(_ switches: Set<Switch>) {
        for option in Switch.allCases where switches.contains(option) { options.put(option.field, true) }
    }

    /// What a dump and a restore of any container have in common: notifications, cgroups kept, no network of ours, and a
    /// terminal whose other end is held outside.
    package mutating func setCommon(root: String, cgroups: CgroupMode) {
        options.put(12, true)
        options.put(13, root)
        options.put(24, true)
        options.put(34, cgroups.rawValue)
        options.put(38, Int32(0x4000_0000))
        options.put(50, true)
    }

    package mutating func setDump(pid: Int32, leavesRunning: Bool, freezing cgroup: String?) {
        options.put(2, pid)
        options.put(3, leavesRunning)
        if let cgroup { options.put(44, cgroup) }
    }

    /// - Parameter parent: the folder of the dump before, relative to the images'.
    package mutating func setParent(_ parent: String) {
        options.put(14, parent)
        options.put(15, true)
    }

    package mutating func setPageServer(_ address: String, port: Int32) {
        var server = ProtocolBuffer()
        server.put(1, address)
        server.put(2, port)
        options.put(11, server)
    }

    /// The restored process becomes a child of this one; device nodes may have moved.
    package mutating func setRestore(lsmProfile: String?, lsmMountContext: String?) {
        options.put(6, true)
        options.put(26, true)
        if let lsmProfile { options.put(53, lsmProfile) }
        if let lsmMountContext { options.put(55, lsmMountContext) }
    }

    /// A mount that comes from outside: at a dump its place and its name, at a restore its name and where it now is.
    package mutating func addMount(_ key: String, _ value: String) {
        var mount = ProtocolBuffer()
        mount.put(1, key)
        mount.put(2, value)
        options.put(23, mount)
    }

    /// A descriptor of CRIU's own that takes the place of a pipe, or of a namespace, of that name.
    package mutating func addInherited(_ key: String, descriptor: Int32) {
        var inherited = ProtocolBuffer()
        inherited.put(1, key)
        inherited.put(2, descriptor)
        options.put(27, inherited)
    }

    package mutating func addCgroupRoot(controllers: String, path: String) {
        var root = ProtocolBuffer()
        root.put(1, controllers)
        root.put(2, path)
        options.put(25, root)
    }

    /// `net[4026531840]:extRootNetNS`: a namespace that is not the container's own.
    package mutating func addExternal(_ text: String) { options.put(37, text) }

    package mutating func addJoined(_ namespace: String, path: String) {
        var joined = ProtocolBuffer()
        joined.put(1, namespace)
        joined.put(2, path)
        options.put(39, joined)
    }

    package mutating func setConfiguration(_ path: String) { options.put(51, path) }
}

/// What CRIU answers or tells.
package struct CriuResponse: Hashable, Sendable {
    package var kind: Int32
    package var isSuccess: Bool
    package var errorNumber: Int32
    /// The last error of its log, without the line's end.
    package var errorMessage: String?
    /// What a notification is about: `post-dump`, `setup-namespaces`, `orphan-pts-master`, …
    package var script: String?
    package var pid: Int32?
    /// 31700 for 3.17.
    package var version: Int32?
    /// By the field's number.
    package var features: [Int: Bool] = [:]

    /// Nil for what is no response.
    package init?(parsing bytes: some Sequence<UInt8>) {
        guard let message = ProtocolBuffer(parsing: bytes), let kind = message.int32(1),
            let success = message.number(2)
        else { return nil }
        self.kind = kind
        isSuccess = success != 0
        errorNumber = message.int32(7) ?? 0
        errorMessage = message.string(9).map { String($0.prefix { !$0.isNewline }) }
        if let notification = message.message(5) {
            script = notification.string(1)
            pid = notification.int32(2)
        }
        if let restored = message.message(4) { pid = restored.int32(1) }
        if let number = message.message(10) {
            let (major, minor) = (number.int32(1) ?? 0, number.int32(2) ?? 0)
            version = major * 10000 + minor * 100 + (number.int32(4) ?? 0)
        }
        if let found = message.message(8) {
            for (field, value) in found.fields { features[field] = value == .number(1) }
        }
    }
}
