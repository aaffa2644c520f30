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
        case "idmap", "ridmap": isIdentityMapped = true
        default:
            if let flags = Self.propagations[option] {
                propagation.append(flags)
            } else if let (attributes, adds) = Self.attributes[option] {
                change(attributes, adds: adds)
            } else if let (attributes, adds) = Self.recursiveAttributes[option] {
                if adds { recursiveSet.formUnion(attributes) } else { recursiveClear.formUnion(attributes) }
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
            + ["bind", "rbind", "defaults", "tmpcopyup"]).sorted()
    }

    private static let attributes: [String: (MountAttributes, Bool)] = [
        "ro": (.readOnly, true), "rw": (.readOnly, false), "nosuid": (.noSetUID, true), "suid": (.noSetUID, false),
        "nodev": (.noDevices, true), "dev": (.noDevices, false), "noexec": (.noExecution, true),
        "exec": (.noExecution, false), "noatime": (.noAccessTime, true), "atime": (.noAccessTime, false),
        "strictatime": (.strictAccessTime, true), "nostrictatime": (.strictAccessTime, false),
        "nodiratime": (.noDirectoryAccessTime, true), "diratime": (.noDirectoryAccessTime, false),
        "nosymfollow": (.noSymbolicLinks, true), "symfollow": (.noSymbolicLinks, false),
    ]

    private static let recursiveAttributes: [String: (MountAttributes, Bool)] = [
        "rro": (.readOnly, true), "rrw": (.readOnly, false), "rnosuid": (.noSetUID, true), "rsuid": (.noSetUID, false),
        "rnodev": (.noDevices, true), "rdev": (.noDevices, false), "rnoexec": (.noExecution, true),
        "rexec": (.noExecution, false), "rnoatime": (.noAccessTime, true), "ratime": (.noAccessTime, false),
        "rstrictatime": (.strictAccessTime, true), "rnodiratime": (.noDirectoryAccessTime, true),
        "rdiratime": (.noDirectoryAccessTime, false), "rnosymfollow": (.noSymbolicLinks, true),
        "rsymfollow": (.noSymbolicLinks, false),
    ]

    private static let superFlags: [String: (MountFlags, Bool)] = [
        "sync": (.synchronous, true), "async": (.synchronous, false), "dirsync": (.directorySynchronous, true),
        "mand": (.mandatoryLocks, true), "nomand": (.mandatoryLocks, false), "silent": (.silent, true),
        "loud": (.silent, false), "lazytime": (.lazyTime, true), "nolazytime": (.lazyTime, false),
        "relatime": (.relativeAccessTime, true), "norelatime": (.relativeAccessTime, false),
        "remount": (.remount, true),
    ]

    static let propagations: [String: MountFlags] = [
        "private": .private, "rprivate": [.private, .recursive], "slave": .slave, "rslave": [.slave, .recursive],
        "shared": .shared, "rshared": [.shared, .recursive], "unbindable": .unbindable,
        "runbindable": [.unbindable, .recursive],
    ]
}
