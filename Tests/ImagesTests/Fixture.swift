import ImageFixtures
import Linux

enum Fixture {
    /// The upper layer hides a file, and writes through a link of the lower one.
    static func twoLayers() -> ArchiveBuilder {
        var lower = TarBytes()
        lower.directory("etc/")
        lower.file("etc/kept", "kept\n")
        lower.file("etc/hidden", "")
        lower.directory("run/")
        lower.directory("var/")
        lower.link("var/run", to: "/run")
        var upper = TarBytes()
        upper.file("var/run/pid", "upper\n")
        upper.file("etc/.wh.hidden")
        var builder = ArchiveBuilder()
        builder.layer(lower.finished)
        builder.layer(upper.finished)
        return builder
    }
}

enum Leftovers {
    /// Every file and layer below a data root that holds no image.
    static func of(_ root: String) throws -> [String] {
        var found: [String] = []
        for place in ["content/ingest", "content/blobs/sha256", "content/blobs/sha512", "snapshots"] {
            let kept = ["l", ".bottom-2", ".driver"]
            found += try Directory.list("\(root)/\(place)").filter { !kept.contains($0) }.map { "\(place)/\($0)" }
        }
        return found + (try Directory.list("\(root)/snapshots/l").map { "snapshots/l/\($0)" })
    }
}
