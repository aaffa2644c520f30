import Linux

/// What the options of a mount say, in the words of fstab(5) and of the specification.
package struct MountOptions: Hashable, Sendable {
    package var flags: MountFlags = []
    /// Attributes that were asked for, and those that were asked to go; of the mount alone.
    package var set: MountAttributes = []
    package var clear: MountAttributes = []
    /// The same for the mount and those below it: `rro`, `rnosuid`, …
    package var recursiveSet: MountAttributes = []
    package var recursiveClear: MountAttributes = []
    /// In their order: `rslave`, `shared`, …
    package var propagation: [MountFlags] = []
    package var isBind = false
    package var isRecursiveBind = false
    package var copiesUp = false
    package var isIdentityMapped = false
    package var isRecursivelyMapped = false
    /// A source that is a symbolic link is made again inside, not followed.
    package var copiesLink = false
    /// The file system's own options, joined by commas.
    package var data = ""

    package init(_ options: [String]) {
        var own: [String] = []
        for option in options where !apply(option) { own.append(option) }
        data = own.joined(separator: ",")
    }

    private mutating func apply(_ option: String) -> Bool {
        switch option {
        case "defaults", "": return true
        case "bind": isBind = true
        case "rbind": (isBind, isRecursiveBind) = (true, true)
        case "tmpcopyup": copiesUp = true
        case "idmap": isIdentityMapped = true
        case "ridmap": (isIdentityMapped, isRecursivelyMapped) = (true, true)
        case "copy-symlink": copiesLink = true
        default:
            if applyAccessTime(option) { return true }
            if let flags = Self.propagations[option] {
                propagation.append(flags)
            } else if let (attributes, adds) = Self.attributes[option] {
                change(attributes, adds: adds)
            } else if let (attributes, adds) = Self.recursiveAttributes[option] {
                changeRecursively(attributes, adds: adds)
            } else if let (flag, adds) = Self.superFlags[option] {
                if adds { flags.insert(flag) } else { flags.remove(flag) }
            } else {
                return false
            }
        }
        return true
    }

    private mutating func change(_ attributes: MountAttributes, adds: Bool) {
        if adds {
            set.formUnion(attributes)
            clear.subtract(attributes)
        } else {
            clear.formUnion(attributes)
            set.subtract(attributes)
        }
    }

    private mutating func changeRecursively(_ attributes: MountAttributes, adds: Bool) {
        if adds {
            recursiveSet.formUnion(attributes)
            recursiveClear.subtract(attributes)
        } else {
            recursiveClear.formUnion(attributes)
            recursiveSet.subtract(attributes)
        }
    }

    /// The modes of access time exclude each other, and the kernel takes one only together with the order to clear the
    /// whole field; relative time is what remains then.
    private mutating func applyAccessTime(_ option: String) -> Bool {
        let isRecursive = option.hasPrefix("r") && !option.hasPrefix("relatime")
        let (mode, adds): (MountAttributes, Bool)
        switch isRecursive ? String(option.dropFirst()) : option {
        case "noatime": (mode, adds) = (.noAccessTime, true)
        case "atime": (mode, adds) = (.noAccessTime, false)
        case "strictatime": (mode, adds) = (.strictAccessTime, true)
        case "nostrictatime": (mode, adds) = (.strictAccessTime, false)
        case "relatime": (mode, adds) = ([], true)
        case "norelatime": (mode, adds) = ([], false)
        default: return false
        }
        let path = isRecursive ? \MountOptions.recursiveSet : \MountOptions.set
        self[keyPath: path].subtract(adds ? .accessTimeMask : mode)
        if adds { self[keyPath: path].formUnion(mode) }
        self[keyPath: isRecursive ? \MountOptions.recursiveClear : \MountOptions.clear].formUnion(.accessTimeMask)
        return true
    }

    /// The attributes as flags of mount(2), for a mount that is made new.
    package var mountFlags: MountFlags {
        var result = flags
        let pairs: [(MountAttributes, MountFlags)] = [
            (.readOnly, .readOnly), (.noSetUID, .noSetUID), (.noDevices, .noDevices), (.noExecution, .noExecution),
            (.noAccessTime, .noAccessTime), (.strictAccessTime, .strictAccessTime),
            (.noDirectoryAccessTime, .noDirectoryAccessTime), (.noSymbolicLinks, .noSymbolicLinks),
        ]
        for (attribute, flag) in pairs where set.contains(attribute) { result.insert(flag) }
        return result
    }

    /// Every option that is not the file system's own.
    static var knownNames: [String] {
        (Array(attributes.keys) + Array(recursiveAttributes.keys) + Array(superFlags.keys) + Array(propagations.keys)
            + accessTimeNames
            + ["bind", "rbind", "defaults", "tmpcopyup", "idmap", "ridmap", "copy-symlink"]).sorted()
    }

    private static let accessTimeNames = [
        "atime", "noatime", "relatime", "norelatime", "strictatime", "nostrictatime", "ratime", "rnoatime",
        "rrelatime", "rnorelatime", "rstrictatime", "rnostrictatime",
    ]

    private static let attributes: [String: (MountAttributes, Bool)] = [
        "ro": (.readOnly, true), "rw": (.readOnly, false), "nosuid": (.noSetUID, true), "suid": (.noSetUID, false),
        "nodev": (.noDevices, true), "dev": (.noDevices, false), "noexec": (.noExecution, true),
        "exec": (.noExecution, false), "nodiratime": (.noDirectoryAccessTime, true),
        "diratime": (.noDirectoryAccessTime, false),
        "nosymfollow": (.noSymbolicLinks, true), "symfollow": (.noSymbolicLinks, false),
    ]

    private static let recursiveAttributes: [String: (MountAttributes, Bool)] = [
        "rro": (.readOnly, true), "rrw": (.readOnly, false), "rnosuid": (.noSetUID, true), "rsuid": (.noSetUID, false),
        "rnodev": (.noDevices, true), "rdev": (.noDevices, false), "rnoexec": (.noExecution, true),
        "rexec": (.noExecution, false), "rnodiratime": (.noDirectoryAccessTime, true),
        "rdiratime": (.noDirectoryAccessTime, false), "rnosymfollow": (.noSymbolicLinks, true),
        "rsymfollow": (.noSymbolicLinks, false),
    ]

    private static let superFlags: [String: (MountFlags, Bool)] = [
        "sync": (.synchronous, true), "async": (.synchronous, false), "dirsync": (.directorySynchronous, true),
        "mand": (.mandatoryLocks, true), "nomand": (.mandatoryLocks, false), "silent": (.silent, true),
        "loud": (.silent, false), "lazytime": (.lazyTime, true), "nolazytime": (.lazyTime, false),
        "iversion": (.inodeVersion, true), "noiversion": (.inodeVersion, false), "remount": (.remount, true),
    ]

    static let propagations: [String: MountFlags] = [
        "private": .private, "rprivate": [.private, .recursive], "slave": .slave, "rslave": [.slave, .recursive],
        "shared": .shared, "rshared": [.shared, .recursive], "unbindable": .unbindable,
        "runbindable": [.unbindable, .recursive],
    ]
}
