import Linux

/// What the options of a mount say, in the words of fstab(5) and of the specification.
package struct MountOptions: Hashable, Sendable {
    package var flags = MountFlags()
    /// Attributes that were asked for, and those that were asked to go; of the mount alone.
    package var set = MountAttributes()
    package var clear = MountAttributes()
    /// The same for the mount and those below it: `rro`, `rnosuid`, …
    package var recursiveSet = MountAttributes()
    package var recursiveClear = MountAttributes()
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
        for option in options where !apply(option) { data += (data.isEmpty ? "" : ",") + option }
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
            if let flags = Self.propagation(option) {
                propagation.append(flags)
            } else if applyAttribute(option, recursively: false) {
                return true
            } else if let (flag, adds) = Self.superFlag(option) {
                if adds { flags.insert(flag) } else { flags.remove(flag) }
            } else {
                // `rro` is `ro` of the whole tree.
                guard option.utf8.first == UInt8(ascii: "r") else { return false }
                return applyAttribute(String(Substring(option.utf8.dropFirst())), recursively: true)
            }
        }
        return true
    }

    private mutating func applyAttribute(_ option: String, recursively isRecursive: Bool) -> Bool {
        if let (mode, adds) = Self.accessTime(option) {
            changeAccessTime(mode, adds: adds, recursively: isRecursive)
        } else if let (attributes, adds) = Self.attribute(option) {
            if isRecursive {
                changeRecursively(attributes, adds: adds)
            } else {
                change(attributes, adds: adds)
            }
        } else {
            return false
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
    private mutating func changeAccessTime(_ mode: MountAttributes, adds: Bool, recursively isRecursive: Bool) {
        var wanted = isRecursive ? recursiveSet : set
        wanted.subtract(adds ? .accessTimeMask : mode)
        if adds { wanted.formUnion(mode) }
        if isRecursive {
            recursiveSet = wanted
            recursiveClear.formUnion(.accessTimeMask)
        } else {
            set = wanted
            clear.formUnion(.accessTimeMask)
        }
    }

    /// The attributes as flags of mount(2), for a mount that is made new.
    package var mountFlags: MountFlags {
        var result = flags
        func carry(_ attribute: MountAttributes, as flag: MountFlags) {
            if set.contains(attribute) { result.insert(flag) }
        }
        carry(.readOnly, as: .readOnly)
        carry(.noSetUID, as: .noSetUID)
        carry(.noDevices, as: .noDevices)
        carry(.noExecution, as: .noExecution)
        carry(.noAccessTime, as: .noAccessTime)
        carry(.strictAccessTime, as: .strictAccessTime)
        carry(.noDirectoryAccessTime, as: .noDirectoryAccessTime)
        carry(.noSymbolicLinks, as: .noSymbolicLinks)
        return result
    }
}

// MARK: - The words

/// Not tables: a start of the program would make them, each time, of more words than a container has.
extension MountOptions {
    /// Every option that is not the file system's own.
    static var knownNames: [String] {
        let attributes = [
            "ro", "rw", "nosuid", "suid", "nodev", "dev", "noexec", "exec", "nodiratime", "diratime", "nosymfollow",
            "symfollow", "atime", "noatime", "relatime", "norelatime", "strictatime", "nostrictatime",
        ]
        let others = [
            "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable", "sync", "async",
            "dirsync", "mand", "nomand", "silent", "loud", "lazytime", "nolazytime", "iversion", "noiversion",
            "remount", "bind", "rbind", "defaults", "tmpcopyup", "idmap", "ridmap", "copy-symlink",
        ]
        return (attributes + attributes.map { "r" + $0 } + others).sorted()
    }

    /// The attribute that an option is about, and whether it sets it; nil for any other option.
    private static func attribute(_ option: String) -> (MountAttributes, Bool)? {
        switch option {
        case "ro": (.readOnly, true)
        case "rw": (.readOnly, false)
        case "nosuid": (.noSetUID, true)
        case "suid": (.noSetUID, false)
        case "nodev": (.noDevices, true)
        case "dev": (.noDevices, false)
        case "noexec": (.noExecution, true)
        case "exec": (.noExecution, false)
        case "nodiratime": (.noDirectoryAccessTime, true)
        case "diratime": (.noDirectoryAccessTime, false)
        case "nosymfollow": (.noSymbolicLinks, true)
        case "symfollow": (.noSymbolicLinks, false)
        default: nil
        }
    }

    /// The same for the modes of access time.
    private static func accessTime(_ option: String) -> (MountAttributes, Bool)? {
        switch option {
        case "noatime": (.noAccessTime, true)
        case "atime": (.noAccessTime, false)
        case "strictatime": (.strictAccessTime, true)
        case "nostrictatime": (.strictAccessTime, false)
        case "relatime": (MountAttributes(), true)
        case "norelatime": (MountAttributes(), false)
        default: nil
        }
    }

    /// The same for flags of the file system.
    private static func superFlag(_ option: String) -> (MountFlags, Bool)? {
        switch option {
        case "sync": (.synchronous, true)
        case "async": (.synchronous, false)
        case "dirsync": (.directorySynchronous, true)
        case "mand": (.mandatoryLocks, true)
        case "nomand": (.mandatoryLocks, false)
        case "silent": (.silent, true)
        case "loud": (.silent, false)
        case "lazytime": (.lazyTime, true)
        case "nolazytime": (.lazyTime, false)
        case "iversion": (.inodeVersion, true)
        case "noiversion": (.inodeVersion, false)
        case "remount": (.remount, true)
        default: nil
        }
    }

    static func propagation(_ option: String) -> MountFlags? {
        switch option {
        case "private": .private
        case "rprivate": .private.union(.recursive)
        case "slave": .slave
        case "rslave": .slave.union(.recursive)
        case "shared": .shared
        case "rshared": .shared.union(.recursive)
        case "unbindable": .unbindable
        case "runbindable": .unbindable.union(.recursive)
        default: nil
        }
    }
}
