import EngineAPI
import Testing

@testable import Interface

@Suite struct FilesScreenTests {
    static let web = EngineAction.Target(id: Sample.id(1), name: "web")
    static func place(_ path: String) -> FilePlace { FilePlace(container: web, path: path) }

    static func stat(_ name: String, _ mode: UInt32 = 0o100644, size: Int64 = 12, link: String? = nil) -> PathStat {
        PathStat(name: name, sizeBytes: size, mode: mode, modifiedAt: Sample.ago(90_000), linkTarget: link)
    }

    static let root = [
        stat("README", size: 2048), stat("bin", 0o120777, link: "usr/bin"), stat("etc", 0o040755),
        stat("run.sh", 0o100755),
        stat("tmp", 0o041777),
    ]

    private static func opened(_ columns: Int = 80) throws -> Bench {
        var bench = try Bench.connected(columns, 24)
        bench.type("f")
        bench.send(.files(place("/"), .success(root)))
        bench.send(.fileChanges(containerID: web.id, [PathChange(kind: .added, path: "/run.sh")]))
        return bench
    }

    @Test("A container's root is listed, directories first, with modes, sizes, links and what was changed")
    func list() throws {
        var bench = try Bench.connected()
        bench.type("f")
        #expect(bench.takeEffects().suffix(2) == [.listFiles(Self.place("/")), .readChanges(Self.web.id)])
        #expect(bench.text.contains("asking the engine"))
        bench = try Self.opened()
        #expect(bench.row(0).contains("files · web:/"))
        #expect(bench.row(2).hasPrefix("drwxr-xr-x") && bench.row(2).contains("etc/"))
        #expect(bench.row(3).hasPrefix("drwxrwxrwt"))
        #expect(bench.row(4).contains("2.0K 2027-01-14 07:00   README"))
        #expect(bench.row(5).contains("bin → usr/bin"))
        #expect(bench.row(6).contains("A run.sh"))
        let narrow = try Self.opened(44)
        #expect(narrow.text.contains("bin → usr/bin"))
    }

    @Test("Enter goes in, h goes up to where one was, and an answer that comes late is left out")
    func walk() throws {
        var bench = try Self.opened()
        bench.type("j")
        _ = bench.takeEffects()
        bench.type("<enter>")
        #expect(bench.takeEffects() == [.listFiles(Self.place("/tmp"))])
        bench.send(.files(Self.place("/"), .success([])))
        bench.send(.files(Self.place("/tmp"), .success([Self.stat("x")])))
        #expect(bench.row(2).contains("..") && bench.row(3).contains("x"))
        _ = bench.takeEffects()
        bench.type("h")
        #expect(bench.takeEffects() == [.listFiles(Self.place("/"))])
        bench.send(.files(Self.place("/"), .success(Self.root)))
        #expect(bench.model.selectedFile?.name == "tmp")
        bench.type("<esc>")
        #expect(bench.model.dialogs.isEmpty)
    }

    @Test("A link to a file shows the file, and leaves one on the link")
    func link() throws {
        var bench = try Self.opened()
        bench.type("jjj<enter>")
        bench.send(.files(Self.place("/bin"), .failure(EngineError(.invalid, "not a directory: /bin"))))
        #expect(bench.model.keyContext == .file)
        let requests = bench.model.subscriptions.compactMap { if case .file(let request) = $0 { request } else { nil } }
        #expect(requests.map(\.path) == ["/bin"])
        bench.send(.files(Self.place("/"), .success(Self.root)))
        bench.type("<esc>")
        bench.send(.files(Self.place("/"), .success(Self.root)))
        #expect(bench.model.filePlace == Self.place("/"))
    }

    @Test("A file is shown with numbered lines, searched, and asked for once")
    func view() throws {
        var bench = try Self.opened()
        bench.type("jj<enter>")
        let asked = bench.model.subscriptions.compactMap { if case .file(let request) = $0 { request } else { nil } }
        let request = try #require(asked.first)
        #expect(request.path == "/README")
        bench.send(.file(request, .success(Array("one\n\ttwo \u{1b}[31mred\u{1b}[0m\nthree".utf8))))
        #expect(bench.row(1).hasPrefix("1  one") && bench.row(2).hasPrefix("2          two red"))
        #expect(!bench.model.subscriptions.contains(.file(request)))
        bench.type("/three<enter>")
        guard case .file(let screen)? = bench.model.dialogs.last else { return #expect(Bool(false), "no file") }
        #expect(screen.pager.cursor == 2)
        bench.type("q")
        #expect(bench.model.keyContext == .files)
    }

    @Test("What is no text is shown in hexadecimal, an error in its words")
    func binary() {
        let lines = FileText.lines(of: [0x7F, 0x45, 0x4C, 0x46, 0] + [UInt8](repeating: 0x41, count: 20))
        #expect(lines[0].text == "00000000  7f 45 4c 46 00 41 41 41 41 41 41 41 41 41 41 41  .ELF.AAAAAAAAAAA")
        #expect(lines.count == 2 && lines[1].text.hasSuffix("AAAAAAAAA"))
        #expect(FileText.lines(of: []).map(\.text) == ["the file is empty"])
        #expect(FileText.lines(of: Array("a\nb\n".utf8)).count == 2)
    }

    @Test("Files are copied out, several at once, and in; the list is read again then")
    func copies() throws {
        func asked(_ bench: inout Bench) -> [EngineAction] {
            bench.takeEffects().compactMap { if case .perform(_, let action) = $0 { action } else { nil } }
        }
        var bench = try Self.opened()
        bench.type("jjc")
        #expect(bench.text.contains("copy README to this machine"))
        bench.type("<ctrl-u>/srv<enter>")
        #expect(asked(&bench) == [.copyOut(Self.web, path: "/README", to: "/srv")])
        bench.send(
            .job(try #require(bench.model.jobs.first?.id), .failed(EngineError(.invalid, "no such directory: /srv"))))
        #expect(bench.text.contains("no such directory: /srv"))
        #expect(bench.model.status == nil, "the form says it, and nothing stays of it behind the form")
        bench.type("<esc>g  c<enter>")
        #expect(asked(&bench) == ["etc", "tmp"].map { .copyOut(Self.web, path: "/\($0)", to: "./") })
        for job in bench.model.jobs { bench.send(.job(job.id, .succeeded(.done("")))) }
        bench.type("i/home/x.txt<enter>")
        #expect(asked(&bench) == [.copyIn(Self.web, from: "/home/x.txt", to: "/")])
        bench.send(.job(try #require(bench.model.jobs.first?.id), .succeeded(.done("copied"))))
        let effects = bench.takeEffects()
        #expect(effects.contains(.listFiles(Self.place("/"))) && effects.contains(.readChanges(Self.web.id)))
        #expect(bench.model.commands.entries[0].line() == "docker cp /home/x.txt web:/")
        bench.type("i/home/x.txt<down>tmp/y.txt<enter>")
        #expect(asked(&bench) == [.copyIn(Self.web, from: "/home/x.txt", to: "/tmp/y.txt")])
        let refusal = EngineError(.notFound, "Could not find the file /tmp in container web")
        bench.send(.job(try #require(bench.model.jobs.first?.id), .failed(refusal)))
        guard case .form(let form)? = bench.model.dialogs.last else { return #expect(Bool(false), "no form") }
        #expect(form[.target]?.error == refusal.message && form.fields[form.focus].name == .target)
    }

    @Test("A directory that cannot be read says why, and other containers' events read none again")
    func failure() throws {
        var bench = try Bench.connected()
        bench.type("f")
        bench.send(.files(Self.place("/"), .failure(EngineError(.notFound, "No such container: web"))))
        #expect(bench.text.contains("No such container: web"))
        _ = bench.takeEffects()
        bench.send(
            .event(.init(kind: .container, action: "start", actorID: "a", attributes: [:], time: Sample.now)))
        #expect(!bench.takeEffects().contains(.listFiles(Self.place("/"))))
    }

    @Test(
        "Paths of a place", arguments: [("/", "a", "/a"), ("/a", "b", "/a/b"), ("/a/b", "..", "/a"), ("/a", "..", "/")])
    func paths(path: String, name: String, result: String) { #expect(Self.place(path).path(of: name) == result) }

    @Test("All that differs from the image is listed, without directories that only hold it, and gone to")
    func changes() throws {
        var bench = try Bench.connected()
        bench.type("fD")
        #expect(bench.model.status?.text == "the engine has not told yet what differs")
        bench.send(.files(Self.place("/"), .success(Self.root)))
        bench.send(.fileChanges(containerID: Self.web.id, []))
        bench.type("D")
        #expect(bench.model.status?.text == "nothing differs from the image")
        let changes: [(PathChange.Kind, String)] = [
            (.modified, "/etc"), (.modified, "/etc/app"), (.deleted, "/etc/app/old.conf"),
            (.added, "/etc/app/new.conf"),
            (.added, "/run.sh"), (.modified, "/tmp"),
        ]
        bench.send(.fileChanges(containerID: Self.web.id, changes.map { PathChange(kind: $0.0, path: $0.1) }))
        bench.type("D")
        guard case .menu(let menu)? = bench.model.dialogs.last else { return #expect(Bool(false), "no menu") }
        #expect(menu.shown.map(\.label) == ["A /etc/app/new.conf", "D /etc/app/old.conf", "A /run.sh", "C /tmp"])
        _ = bench.takeEffects()
        bench.type("old<enter>")
        #expect(bench.takeEffects() == [.listFiles(Self.place("/etc/app"))])
        bench.send(.files(Self.place("/etc/app"), .success([Self.stat("a"), Self.stat("new.conf")])))
        bench.type("Dnew<enter>")
        bench.send(.files(Self.place("/etc/app"), .success([Self.stat("a"), Self.stat("new.conf")])))
        #expect(bench.model.selectedFile?.name == "new.conf")
        bench.type("Drun<enter>")
        bench.send(.files(Self.place("/"), .success(Self.root)))
        #expect(bench.model.selectedFile?.name == "run.sh")
    }
}
