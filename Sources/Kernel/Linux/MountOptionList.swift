/// The options of mount(8) as mount(2) takes them: flags, and what is the file system's own.
package struct MountOptionList: Hashable, Sendable {
    private static let flagsByName: [String: MountFlags] = [
        "ro": .readOnly, "nosuid": .noSetUID, "nodev": .noDevices, "noexec": .noExecution, "sync": .synchronous,
        "dirsync": .directorySynchronous, "noatime": .noAccessTime, "nodiratime": .noDirectoryAccessTime,
        "relatime": .relativeAccessTime, "strictatime": .strictAccessTime, "bind": .bind,
        "rbind": [.bind, .recursive],
    ]
    private static let defaults: Set<String> = ["rw", "suid", "dev", "exec", "async", "atime", "defaults"]

    package private(set) var flags: MountFlags = []
    /// What no flag stands for, in its order.
    package private(set) var data: [String] = []

    package init(_ options: [String]) {
        for option in options {
            if let flag = Self.flagsByName[option] {
                flags.formUnion(flag)
            } else if !Self.defaults.contains(option) {
                data.append(option)
            }
        }
    }
}
