import Archive
import Glibc
import ImageFixtures
import Linux
import Testing

/// Layers packed by xz(1).
@Suite(.enabled(if: Command.exists("xz"), "needs xz")) struct XZLayerTests {
    private let layer: LayerCase

    init() throws { layer = try LayerCase() }

    private func archive() -> [UInt8] {
        var tar = TarBytes()
        tar.file("first", String(repeating: "one ", count: 200_000))
        tar.file("second", "two")
        return tar.finished
    }

    private func packed(_ bytes: some Collection<UInt8>, _ options: String...) throws -> [UInt8] {
        let path = try layer.temporary.write("plain", Array(bytes))
        defer { unlink("\(path).xz") }
        try #require(try Command.run(["xz", "-k"] + options + [path]).status == 0)
        return try FileContents.read("\(path).xz")
    }

    @Test("What xz packs best comes whole, also in two files one after the other and in many blocks")
    func whole() throws {
        let tar = archive()
        let bytes = try packed(tar[..<300_000], "-9e") + packed(tar[300_000...], "--block-size=65536")
        let digest = try layer.apply(bytes)
        #expect(try layer.text("first").utf8.count == 800_000)
        #expect(try layer.text("second") == "two")
        #expect(try digest == LayerCase().apply(tar))
    }

    @Test("A layer that asks for more memory than there is for one is refused, at whichever of its blocks that is")
    func hostileWindow() throws {
        let tar = archive()
        let hostile = "--lzma2=preset=0,dict=256MiB"
        for bytes in [try packed(tar, hostile), try packed(tar[..<300_000]) + packed(tar[300_000...], hostile)] {
            let error = #expect(throws: ArchiveError.self) { try layer.apply(bytes) }
            guard case .tooLarge(let words)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(words.contains("bytes of memory to be unpacked, more than the limit of 134217728 bytes"))
        }
    }

    @Test("One that ends early and one that is damaged are told apart")
    func damaged() throws {
        let bytes = try packed(archive())
        #expect(throws: ArchiveError.truncated) { try layer.apply(Array(bytes.dropLast(30))) }
        var changed = bytes
        changed[changed.count / 2] ^= 0x55
        let error = #expect(throws: ArchiveError.self) { try layer.apply(changed) }
        guard case .invalid? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
