import EngineAPI
import Terminal
import Testing

@testable import Interface

/// What all lists of objects have in common.
@Suite struct ListTests {
    @Test("The choice stays with its row while rows come, go and change places, and near it once it is gone")
    func identity() {
        var cursor = ListCursor<String>()
        cursor.follow(["a", "b", "c"])
        #expect(cursor.id == "a")
        cursor.move(.bottom, of: ["a", "b", "c"], page: 2)
        #expect(cursor.id == "c" && cursor.scroll == 1)
        cursor.follow(["c", "x", "a", "b"])
        #expect(cursor.id == "c" && cursor.index == 0)
        cursor.move(.down, of: ["c", "x", "a", "b"], page: 2)
        cursor.follow(["c", "a", "b"])
        #expect(cursor.id == "a" && cursor.index == 1)
        cursor.follow([])
        #expect(cursor.id == nil && cursor.index == 0)
        cursor.follow(["z"])
        #expect(cursor.id == "z")
    }

    static func images(_ count: Int) -> [ImageSummary] {
        (0..<count).map { number in
            ImageSummary(
                id: "sha256:" + Sample.id(number), tags: ["app:\(100 + number)"], createdAt: Sample.ago(60),
                sizeBytes: 1000)
        }
    }

    @Test(
        "Keys of movement work in every list",
        arguments: [
            ("<end>", 49), ("G", 49), ("<end><home>", 0), ("<pgdn>", 19), ("<pgdn><pgdn><pgup>", 19), ("jjjk", 2),
        ])
    func movement(keys: String, index: Int) throws {
        var bench = try Bench.connected()
        bench.type("I")
        bench.send(.images(Self.images(50)))
        bench.type(keys)
        #expect(bench.model.listScreen?.cursor.index == index)
        #expect(bench.model.selectedImage?.name == "app:\(100 + index)")
        #expect(bench.text.contains("app:\(100 + index)"), "it is seen")
        #expect(bench.row(0).contains("\(index + 1)/50"))
    }

    @Test("A list keeps the chosen row when another list comes")
    func fresh() throws {
        var bench = try Bench.connected()
        bench.type("I")
        bench.send(.images(Self.images(5)))
        bench.type("jj")
        bench.send(.images(Array(Self.images(5).dropFirst())))
        #expect(bench.model.selectedImage?.name == "app:102")
    }

    @Test("Each list is narrowed while one types; escape drops the filter, then closes", arguments: ["I", "N", "V"])
    func filter(key: String) throws {
        var bench = try Bench.connected(containers: NetworksScreenTests.containers())
        bench.type(key)
        bench.send(.images(Self.images(3) + [Sample.starter]))
        bench.send(.networks(NetworksScreenTests.networks))
        bench.send(.volumes(NetworksScreenTests.volumes))
        let kind = try #require(bench.model.listScreen?.kind)
        let (word, wanted) =
            switch kind {
            case .images: ("GANTRY start", ["gantry/starter:latest"])
            case .networks: ("web", ["net1", "net1/\(Sample.id(1))"])
            case .volumes: ("web", ["pages"])
            case .usage, .events, .commands, .files: ("", [])
            }
        let all = bench.model.rowIDs(of: ListScreen(kind))
        bench.type("/\(word)")
        #expect(bench.model.keyContext == .filter && bench.text.contains("filter: \(word)"))
        #expect(bench.model.listScreen.map { bench.model.rowIDs(of: $0) } == wanted)
        bench.type("<enter>")
        #expect(bench.model.keyContext == kind.keyContext)
        bench.type("<esc>")
        #expect(bench.model.listScreen.map { bench.model.rowIDs(of: $0) } == all)
        bench.type("/")
        #expect(bench.row(22) == "filter: words that a row holds; !word leaves out")
        bench.type("!\(word)")
        #expect(bench.model.listScreen.map { bench.model.rowIDs(of: $0) } != all)
        #expect(bench.model.listScreen.map { bench.model.rowIDs(of: $0) } != wanted)
        bench.type("<ctrl-u>zzz")
        #expect(bench.text.contains("nothing passes `zzz`"))
        bench.type("<esc><esc>")
        #expect(bench.model.dialogs.isEmpty)
        #expect(bench.model.containers.filter.isEmpty, "the containers' own filter is another")
    }

    @Test("An image has a row for each of its names, and the row's own name is what is removed")
    func names() throws {
        var image = Sample.starter
        image.tags.append("app:1")
        var bench = try Bench.connected()
        bench.type("I")
        bench.send(
            .images([image, ImageSummary(id: "sha256:0123456789abcdef", tags: [], createdAt: nil, sizeBytes: 1)]))
        #expect(bench.model.imageRows().map(\.id) == ["app:1", "gantry/starter:latest", "sha256:0123456789abcdef"])
        _ = bench.takeEffects()
        bench.type("gdy")
        let asked = bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
        #expect(asked == [.removeImage(.init(id: "app:1", name: "app:1"), force: false)])
    }

    @Test("A page turns what is shown, and not only the choice in it")
    func pages() throws {
        var bench = try Bench.connected()
        bench.type("?")
        let first = bench.row(21)
        bench.type("<pgdn>")
        #expect(bench.row(1) == first, "the last row of a page is the first of the next")
        bench.type("<pgup>")
        #expect(bench.row(21) == first)
    }

    @Test("A menu says how many lines it has no room for")
    func menuRest() throws {
        var bench = try Bench.connected(80, 15)
        bench.type("x")
        #expect(bench.text.contains(" more below ") && !bench.text.contains("above"))
        bench.type("<up>")
        let rest = (0..<40).map { _ in "<down>" }.joined()
        bench.type(rest)
        #expect(bench.text.contains(" more above ") && !bench.text.contains("below"))
        bench.type("<esc>y")
        #expect(!bench.text.contains("more"))
    }
}
