/// What overlayfs stands on, and how it keeps its marks.
package struct OverlayFacts: Hashable, Sendable {
    /// docker's word for the kind of file system that the snapshots are on.
    package var backingFileSystem: String
    /// Marks are attributes that anybody may set, as in a user namespace.
    package var usesUserAttributes: Bool

    /// - Parameter magic: `f_type` of statfs(2).
    static func name(magic: Int64) -> String { names[magic] ?? "<unknown>" }

    private static let names: [Int64: String] = [
        0xef53: "extfs", 0x5846_5342: "xfs", 0x9123_683e: "btrfs", 0x0102_1994: "tmpfs", 0x2fc1_2fc1: "zfs",
        0xf2f5_2010: "f2fs", 0x794c_7630: "overlayfs", 0x6969: "nfs", 0x6573_5546: "fuse", 0x3153_464a: "jfs",
        0x5265_4973: "reiserfs", 0xca45_1a4e: "bcachefs",
    ]
}
