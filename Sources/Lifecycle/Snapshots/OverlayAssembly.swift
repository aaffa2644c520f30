import Archive
import Linux

/// Who stacks directories to one tree, and how it is told of them.
package enum OverlayAssembly: Hashable, Sendable {
    /// overlayfs(5).
    case kernel
    /// fuse-overlayfs(1), by its absolute path: where the kernel's does not work.
    case program(String)

    /// What it leaves in upper directories.
    var marks: OverlayMarks { self == .kernel ? .kernel : .program }

    /// In a user namespace overlayfs keeps its marks in attributes that anybody may set, and then takes no word about
    /// redirects. Needs Linux 5.11.
    private static let view = UserNamespace.isOwn ? "index=off,userxattr" : "index=off"
    /// What is written to an upper directory stands by itself: no metadata without data, and a renamed directory is
    /// copied. Else it could not be told as a layer.
    private static let plainUpper = UserNamespace.isOwn ? view : "\(view),metacopy=off,redirect_dir=nofollow"

    /// As mount(8) and the program take them.
    func options(_ stack: OverlayStack) -> [String] {
        var options: [String] = []
        if self == .kernel { options.append(stack.upper == nil ? Self.view : Self.plainUpper) }
        // Unmounting an overlay syncs all of the file system below it, which takes longer than a short container.
        if stack.isVolatile { options.insert("volatile", at: 0) }
        options.append("lowerdir=\(stack.lower.joined(separator: ":"))")
        if let upper = stack.upper { options += ["upperdir=\(upper)/fs", "workdir=\(upper)/work"] }
        return options
    }

    /// Stacks them where nobody else sees it.
    ///
    /// - Parameters:
    ///   - place: an empty directory. It and the stack's are named from `directory`.
    func open(
        _ stack: OverlayStack, at place: String, in directory: String, inside: InnerMounts = InnerMounts()
    ) throws(KernelError) -> OpenedRoot {
        let options = options(stack).joined(separator: ",")
        switch self {
        case .kernel:
            return try PrivateRoot.open(.overlay(options: options), at: place, in: directory, inside: inside)
        case .program(let path):
            let server = try FuseServer.start(program: path, options: options, in: directory)
            return try PrivateRoot.open(.served(server), at: place, in: directory, inside: inside)
        }
    }
}

/// Directories to be stacked.
struct OverlayStack {
    /// Topmost first.
    var lower: [String]
    /// Has `fs`, which takes what is written, and `work`; nil for a tree that is only looked at.
    var upper: String?
    /// Nothing in it is ever synced.
    var isVolatile = false
}
