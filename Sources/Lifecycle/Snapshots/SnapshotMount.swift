/// A mount(2) that makes up a container's root file system.
package struct SnapshotMount: Hashable, Sendable {
    package var type: String
    package var source: String
    /// As mount(8) takes them.
    package var options: [String]
    /// The program that serves the file system, in place of the kernel: the options are its own, and their paths start at
    /// `source`, a directory.
    package var server: String?

    package init(type: String, source: String, options: [String]) {
        self.type = type
        self.source = source
        self.options = options
    }
}
