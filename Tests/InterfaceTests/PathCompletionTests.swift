import EngineAPI
import Terminal
import Testing

@testable import Interface

/// Tab at the paths of forms.
@Suite struct PathCompletionTests {
    private static func members(_ names: String...) -> [PathMember] {
        names.map { name in
            name.hasSuffix("/")
                ? PathMember(name: String(name.dropLast()), isDirectory: true)
                : PathMember(name: name, isDirectory: false)
        }
    }

    @Test(
        "What names that begin so have in common is added, and several are listed",
        arguments: [
            ("/et", "/etc/", []), ("/", "/", ["etc/", "home/", "userland", "usr/"]),
            ("/us", "/us", ["userland", "usr/"]), ("/use", "/userland", []), ("us", "us", ["userland", "usr/"]),
            ("/.", "/.hidden", []), ("", "", ["etc/", "home/", "userland", "usr/"]), ("../h", "../home/", []),
            ("/userland", "/userland", []),
        ] as [(String, String, [String])])
    func completion(text: String, completed: String, names: [String]) {
        let completion = PathCompletion(
            PathQuestion(place: .machine, text: text), Self.members("usr/", "etc/", "userland", ".hidden", "home/"))
        #expect(completion.text == completed && completion.names == names && !completion.isEmpty)
    }

    @Test("Where nothing begins so that is said; an empty directory is whole as it is")
    func nothing() {
        let question = PathQuestion(place: .machine, text: "/srv/x")
        #expect(PathCompletion(question, Self.members("a", "b")).isEmpty)
        #expect(!PathCompletion(PathQuestion(place: .machine, text: "/srv/"), []).isEmpty)
        #expect(question.directory == "/srv/" && question.beginning == "x")
    }

    @Test("Names stand in columns; what has no room is counted")
    func columns() {
        let few = NameColumns.lines(of: ["a", "bb", "ccc", "d", "e"], columns: 13, rows: 3)
        #expect(few == ["a    ccc  e", "bb   d"])
        let names = (1...20).map { "name\($0)" }
        #expect(
            NameColumns.lines(of: names, columns: 24, rows: 3)
                == ["name1   name3   name5", "name2   name4   name6", "… and 14 more"])
        #expect(NameColumns.lines(of: names, columns: 24, rows: 1) == ["… and 20 more"])
        #expect(NameColumns.lines(of: [], columns: 24, rows: 3).isEmpty)
        #expect(NameColumns.lines(of: ["longer than all"], columns: 6, rows: 2) == ["longer than all"])
    }

    private static func opened() throws -> Bench {
        var bench = try Bench.connected()
        bench.type("f")
        bench.send(.files(FilesScreenTests.place("/"), .success(FilesScreenTests.root)))
        bench.type("i")
        _ = bench.takeEffects()
        return bench
    }

    @Test("Tab completes a path of this machine, lists what there is, and goes on once the path is whole")
    func keys() throws {
        var bench = try Self.opened()
        #expect(bench.row(23).contains("tab complete") && !bench.row(23).contains("tab next"))
        bench.type("/srv/ap<tab>")
        var question = PathQuestion(place: .machine, text: "/srv/ap")
        #expect(bench.takeEffects() == [.listPath(question)])
        bench.send(.pathMembers(question, .success(Self.members("app.tar", "apple/", "zoo"))))
        guard case .form(let form)? = bench.model.dialogs.last else { return #expect(Bool(false), "no form") }
        #expect(form.text(.path) == "/srv/app" && form.choices == ["app.tar", "apple/"])
        #expect(bench.text.contains("app.tar  apple/"))
        bench.type(".")
        #expect(!bench.text.contains("app.tar  apple/"))
        bench.type("<tab>")
        question = PathQuestion(place: .machine, text: "/srv/app.")
        bench.send(.pathMembers(question, .success(Self.members("app.tar", "apple/"))))
        #expect(bench.text.contains("/srv/app.tar"))
        bench.type("<tab>")
        question = PathQuestion(place: .machine, text: "/srv/app.tar")
        bench.send(.pathMembers(question, .success(Self.members("app.tar"))))
        bench.type("e<tab>")
        #expect(
            bench.takeEffects().last == .listPath(PathQuestion(place: .container(FilesScreenTests.web), text: "/e")))
    }

    @Test("An answer to what was typed before is left out; what cannot be listed says why")
    func late() throws {
        var bench = try Self.opened()
        bench.type("/s<tab>r")
        bench.send(.pathMembers(PathQuestion(place: .machine, text: "/s"), .success(Self.members("srv/"))))
        #expect(bench.text.contains("/sr ") && !bench.text.contains("/srv"))
        bench.type("x<tab>")
        let question = PathQuestion(place: .machine, text: "/srx")
        bench.send(.pathMembers(question, .success(Self.members("srv/"))))
        #expect(bench.model.status?.text == "nothing there begins with `srx`")
        bench.send(.pathMembers(question, .failure(EngineError(.invalid, "open `/`: Permission denied"))))
        #expect(bench.model.status?.text == "open `/`: Permission denied" && bench.model.keyContext == .form)
    }

    @Test("Fields that hold no path keep Tab for the next field")
    func otherFields() throws {
        var bench = try Bench.connected()
        bench.type("n<tab>web2")
        guard case .form(let form)? = bench.model.dialogs.last else { return #expect(Bool(false), "no form") }
        #expect(form.text(.name) == "web2")
    }

    @Test("What is read for one path ends once another is asked for", .timeLimit(.minutes(1)))
    func superseded() async {
        let (ends, ended) = AsyncStream.makeStream(of: String.self)
        let files = HostFiles(
            copyOut: { _, _, _, _ in }, copyIn: { _, _, _, _ in }, save: { _, _, _ in },
            list: { directory, _ throws(EngineError) in
                guard directory == "/endless/" else { return [] }
                do { try await Task.sleep(for: .seconds(3600)) } catch {
                    ended.yield(directory)
                    throw EngineError(.cancelled, "cancelled")
                }
                return []
            })
        let runner = EffectRunner(
            engine: ScriptedEngine(), mailbox: Mailbox(), credentials: { _ in nil }, files: files)
        runner.perform(.listPath(PathQuestion(place: .machine, text: "/endless/")))
        runner.perform(.listPath(PathQuestion(place: .machine, text: "/srv/")))
        var endings = ends.makeAsyncIterator()
        #expect(await endings.next() == "/endless/")
        runner.stop()
    }

    @Test("Directories are read where the path leads: on this machine, or in the container from its root")
    func reading() async throws {
        let engine = ScriptedEngine()
        let files = HostFiles(
            copyOut: { _, _, _, _ in }, copyIn: { _, _, _, _ in }, save: { _, _, _ in },
            list: { directory, beginning in [("\(directory)|\(beginning)", true)] })
        let reading = PathReading(engine: engine, files: files)
        func names(_ place: PathQuestion.Place, _ text: String) async -> [String] {
            switch await reading.read(PathQuestion(place: place, text: text)) {
            case .success(let members): members.map(\.name)
            case .failure(let error): [error.message]
            }
        }
        #expect(await names(.machine, "~/a") == ["~/|a"])
        #expect(await names(.machine, "a") == [".|a"])
        let web = PathQuestion.Place.container(EngineAction.Target(id: "web", name: "web"))
        #expect(await names(web, "etc/pa") == ["/etc"])
        #expect(await names(web, "x") == ["/"])
        #expect(await names(web, "/usr/lib/") == ["/usr/lib"])
    }
}
