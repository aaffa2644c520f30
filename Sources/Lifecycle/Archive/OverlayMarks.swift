import Glibc

/// The marks by which an overlay's upper directory says what it hides of the layers below.
package enum OverlayMarks: Hashable, Sendable {
    /// overlayfs(5): character devices 0/0, and an attribute of a directory.
    case kernel
    /// fuse-overlayfs(1): the kernel's where it may make them, names that begin with `.wh.` else and beside, and an
    /// attribute of its own. Such names are nobody else's: the program shows none of them.
    case program

    private static let prefix = Array(".wh.".utf8)
    /// In a directory that hides all of the same directory below.
    package static let opaqueName = Array(".wh..wh..opq".utf8)

    /// The beginnings of the names of the attributes in which overlays of either kind keep what is their own.
    package static let attributePrefixes = ["trusted.overlay.", "user.overlay.", "user.fuseoverlayfs."]

    /// Whether an attribute is an overlay's, and not its file's.
    static func isOwn(attribute name: String) -> Bool { attributePrefixes.contains { name.hasPrefix($0) } }

    /// What a name in an upper directory stands for.
    package enum Meaning: Hashable, Sendable {
        /// What it is.
        case entry
        /// Something of that name is hidden.
        case whiteout([UInt8])
        /// No entry, and no whiteout of one.
        case aside
    }

    package func meaning(of name: some Collection<UInt8>, _ facts: stat) -> Meaning {
        if self == .program, name.starts(with: Self.prefix) {
            let hidden = Array(name.dropFirst(Self.prefix.count))
            // `.opq`: what the program leaves beside the name above where it may make devices.
            return hidden.starts(with: Self.prefix) || hidden == Array(".opq".utf8) ? .aside : .whiteout(hidden)
        }
        return facts.st_mode & S_IFMT == S_IFCHR && facts.st_rdev == 0 ? .whiteout(Array(name)) : .entry
    }

    /// The name beside which an entry of that name is hidden; nil where no name is a mark.
    package func whiteoutName(of name: some Collection<UInt8>) -> [UInt8]? {
        self == .program ? Self.prefix + name : nil
    }
}
