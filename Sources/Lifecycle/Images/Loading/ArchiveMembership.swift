import Archive

/// Whether an archive can be one of images, told from the paths of its members as they come: of the archive of a root file
/// system not all must be read to say so, and what is remembered of a member stays small.
struct ArchiveMembership {
    private var count = 0
    private var nameBytes = 0
    private var strangers = 0
    /// Each layer is a member or two; nothing holds so many images at once.
    private static let limit = 100_000
    private static let nameLimitBytes = 16 << 20
    private static let strangerLimit = 1000

    /// - Parameter path: without a slash at its beginning.
    /// - Throws: `tooLarge` and `invalid` in words.
    mutating func admit(_ path: String, _ kind: TarEntry.Kind) throws(ArchiveError) {
        if kind == .directory { return }
        count += 1
        nameBytes += path.utf8.count + Self.targetBytes(kind)
        guard count <= Self.limit, nameBytes <= Self.nameLimitBytes else {
            throw .tooLarge("the archive has more files than one of images: \(count), with \(nameBytes) bytes of names")
        }
        if Self.isKnownForm(path) { return }
        strangers += 1
        guard strangers <= Self.strangerLimit else {
            throw .invalid(
                "neither an OCI image layout (index.json) nor a docker archive, but one of files such as "
                    + "`\(path.prefix(200))`: `import` makes an image of a root file system")
        }
    }

    private static func targetBytes(_ kind: TarEntry.Kind) -> Int {
        switch kind {
        case .symbolicLink(let target), .hardLink(let target): target.count
        default: 0
        }
    }

    /// All tools write images so, a few members perhaps apart: `index.json`, `HEX.json`, `HEX/layer.tar`,
    /// `blobs/sha256/HEX`.
    private static func isKnownForm(_ path: String) -> Bool {
        let depth = path.utf8.count { $0 == 47 } + 1
        return depth < 3 || (depth == 3 && path.hasPrefix("blobs/"))
    }
}
