/// What is in each container's root whatever its image has, and no change of the container's.
package enum BottomNames {
    /// By this file programs find that they are in a container, as docker has it.
    package static let mark = "/.dockerenv"
    /// At which something is mounted in each.
    package static let directories = ["/dev", "/proc", "/sys"]
    /// At which a file of the engine's is mounted in each, by their names in /etc.
    package static let etcFiles = ["resolv.conf", "hostname", "hosts"]
    static let etc = "/etc"
    /// Docker's, for programs that know no better.
    static let mountTable = (name: "/etc/mtab", target: "/proc/mounts")

    /// All of it that is not the image's own, as /etc is.
    package static let all = [mark, mountTable.name] + directories + etcFiles.map { "\(etc)/\($0)" }
}
