import EngineAPI
import Testing

@testable import Interface

@Suite struct FormTests {
    private func asked(_ bench: inout Bench) -> (JobID, ContainerSpec, String?)? {
        for case .perform(let id, .run(let spec, let name, _)) in bench.takeEffects() { return (id, spec, name) }
        return nil
    }

    @Test("n and Enter ask for a container with a terminal from the first image")
    func shortest() throws {
        var bench = try Bench.connected(80, 24, containers: [])
        bench.type("n<enter>")
        let (_, spec, name) = try #require(asked(&bench))
        #expect(spec.image == "gantry/starter:latest")
        #expect(spec.tty && spec.openStdin && name == nil && spec.command == nil)
    }

    @Test("Every field reaches the engine")
    func allFields() throws {
        var bench = try Bench.connected()
        bench.type(
            "n<tab>web2<tab>sh -c 'echo a b'<tab> <tab><right><tab>64m<tab>1.5<tab>100<tab>/src:/data:ro tmpfs:/tmp")
        bench.type(" pages:/www<tab>A=1 'B=x y'<tab><right><right><tab>8080:80 53/udp<tab>www:www<tab>/srv<enter>")
        let (_, spec, name) = try #require(asked(&bench))
        #expect(name == "web2")
        #expect(spec.command == ["sh", "-c", "echo a b"])
        #expect(!spec.tty && !spec.openStdin)
        #expect(spec.limits.memoryBytes == 64 << 20)
        #expect(spec.limits.nanoCPUs == 1_500_000_000)
        #expect(spec.limits.pids == 100)
        var bind = MountSpec(.bind, source: "/src", target: "/data")
        bind.readOnly = true
        let volume = MountSpec(.volume, source: "pages", target: "/www")
        #expect(spec.mounts == [bind, MountSpec(.tmpfs, target: "/tmp"), volume])
        #expect(spec.environment == ["A=1", "B=x y"])
        #expect(spec.networkMode == .host)
        let ports = [PortBinding(ContainerPort(80), hostPort: 8080), PortBinding(ContainerPort(53, .udp))]
        #expect(spec.portBindings == ports)
        #expect(spec.user == "www:www" && spec.workingDirectory == "/srv")
        #expect(spec.restartPolicy.kind == .always && !spec.autoRemove)
        bench.type("<esc><esc>n<shift-tab> <enter>")
        #expect(try #require(asked(&bench)).1.autoRemove)
    }

    @Test("What is started again is not also removed at its end, and that is said where it was asked")
    func contradiction() throws {
        var bench = try Bench.connected()
        bench.type("n<shift-tab> <down><down><down><down><down><right><enter>")
        #expect(asked(&bench) == nil)
        guard case .form(let form) = bench.model.dialogs.last else { return #expect(Bool(false), "the form is gone") }
        #expect(form.fields[form.focus].name == .autoRemove)
        #expect(bench.text.contains("cannot be removed at its end"))
        bench.type(" <enter>")
        #expect(asked(&bench) != nil)
    }

    @Test(
        "What the engine refuses is said at the field that it is about",
        arguments: [
            (.conflict, "Conflict. The container name \"/web\" is already in use by container aaa.", .name),
            (.internal, "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated", .ports),
            (.invalid, "invalid mount config for type \"bind\": bind source path does not exist: /x", .mounts),
            (.commandNotFound, "exec: \"nope\": executable file not found in $PATH", .command),
            (.invalid, "Minimum memory limit allowed is 6MB", .memory),
            (.invalid, "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available", .cpus),
            (.notFound, "network nowhere not found", .network), (.notFound, "No such image: x", .image),
            (.invalid, "unable to find user nobody2: no matching entries in passwd file", .user),
            (.internal, "the disk is on fire", nil),
        ] as [(EngineError.Kind, String, Field.Name?)])
    func blame(kind: EngineError.Kind, message: String, name: Field.Name?) throws {
        var bench = try Bench.connected()
        bench.type("n<tab>web<enter>")
        let (job, _, _) = try #require(asked(&bench))
        bench.send(.job(job, .failed(EngineError(kind, message))))
        guard case .form(let form) = bench.model.dialogs.last else { return #expect(Bool(false), "the form is gone") }
        #expect(form.fields.first { $0.error == message }?.name == name)
        #expect((form.error == message) == (name == nil))
        if let name { #expect(form.fields[form.focus].name == name) }
        #expect(bench.text.contains(message.prefix(30)))
    }

    @Test("What is wrong is said beside the field while it is typed, and nothing is sent")
    func validation() throws {
        var bench = try Bench.connected()
        bench.type("n<tab>-bad<enter>")
        #expect(asked(&bench) == nil)
        #expect(bench.text.contains("letters, digits"))
        bench.type("<ctrl-u>good")
        #expect(!bench.text.contains("letters, digits"))
    }

    @Test("The engine's error is shown in the form, and nothing typed is lost")
    func engineError() throws {
        var bench = try Bench.connected()
        bench.type("n<tab>web<enter>")
        let (job, _, _) = try #require(asked(&bench))
        let message = "Conflict. The container name \"/web\" is already in use"
        bench.send(.job(job, .failed(EngineError(.conflict, message))))
        #expect(bench.text.contains("already in use"))
        guard case .form(let form) = bench.model.dialogs.last else { return #expect(Bool(false), "the form is gone") }
        #expect(form.text(.name) == "web" && form.job == nil)
        bench.type("2<enter>")
        #expect(try #require(asked(&bench)).2 == "web2")
    }

    @Test("A container that was made is chosen and its console takes the keys")
    func created() throws {
        var bench = try Bench.connected()
        bench.type("/zzz<enter>n<enter>")
        let (job, _, _) = try #require(asked(&bench))
        let made = Sample.container(id: Sample.id(9), name: "happy_hopper", .running, age: 0)
        bench.send(.job(job, .succeeded(.created(made, warnings: []))))
        #expect(bench.model.dialogs.isEmpty)
        #expect(bench.model.selectedContainer?.id == made.id)
        #expect(bench.model.keyContext == .captured)
        // A list that was asked for before it was made does not take it away.
        bench.send(.containers(Sample.containers))
        #expect(bench.model.selectedContainer?.id == made.id)
        #expect(bench.model.keyContext == .captured)
    }

    @Test("An image that is not in the store can be typed or pasted; what begins like one that is goes to that")
    func typedImage() throws {
        let cases: [(keys: String, image: String)] = [
            ("", "gantry/starter:latest"), ("nginx", "nginx"), ("gan", "gantry/starter:latest"),
            ("gantry/other", "gantry/other"), ("nginx<ctrl-n>", "gantry/starter:latest"),
            ("ng<backspace><backspace>", "gantry/starter:latest"), ("<backspace>x", "gantry/starter:latesx"),
            ("nginx<left>1", "ngin1x"), ("<ctrl-u>alpine", "alpine"), ("gan<tab><shift-tab>nginx", "nginx"),
        ]
        for (keys, image) in cases {
            var bench = try Bench.connected()
            bench.type("n" + keys)
            // A list that comes meanwhile takes nothing away.
            bench.send(.images([Sample.starter]))
            bench.type("<enter>")
            #expect(try #require(asked(&bench)).1.image == image, "\(keys)")
        }
        var bench = try Bench.connected()
        bench.type("n")
        bench.send(.input(.paste("quay.io/org/app:2\n")))
        #expect(bench.text.contains("pulled first"))
        bench.type("<enter>")
        #expect(try #require(asked(&bench)).1.image == "quay.io/org/app:2")
    }

    @Test("Without any image the form asks for one, and says that it is pulled")
    func noImages() throws {
        var bench = try Bench.connected()
        bench.send(.images([]))
        bench.type("n")
        #expect(bench.text.contains("pulled where it is not here"))
        bench.type("<enter>")
        #expect(asked(&bench) == nil)
        #expect(bench.text.contains("must not be empty"))
        bench.type("nginx<enter>")
        #expect(try #require(asked(&bench)).1.image == "nginx")
    }

    @Test("A long refusal is read whole in the form, on a small screen, too")
    func longRefusal() throws {
        let words = (1...36).map { "word\($0)" }
        for (columns, rows) in [(80, 24), (60, 18)] {
            var bench = try Bench.connected(columns, rows)
            bench.type("n<enter>")
            let (job, _, _) = try #require(asked(&bench))
            bench.send(.job(job, .failed(EngineError(.internal, words.joined(separator: " ")))))
            bench.model.status = nil
            for word in words { #expect(bench.text.contains(word), "\(word) at \(columns)") }
        }
    }

    @Test(
        "Sizes are read as docker's are",
        arguments: [
            ("64m", 67_108_864), ("1.5g", 1_610_612_736), ("512", 512), ("4KB", 4096), ("1GiB", 1_073_741_824),
            ("", nil), ("m", nil), ("12x", nil), ("-1m", nil), ("1mm", nil), ("9999999t", nil),
        ] as [(String, Int64?)])
    func sizes(text: String, bytes: Int64?) { #expect(FormValidation.bytes(text) == bytes) }

    @Test(
        "Words are split as a shell splits them",
        arguments: [
            ("a  b", ["a", "b"]), ("'a b' \"c d\"e", ["a b", "c de"]), ("a\\ b ''", ["a b", ""]), ("", []),
        ] as [(String, [String])])
    func words(text: String, words: [String]) throws { #expect(try FormValidation.words(of: text) == words) }

    @Test("Quotes that stay open are errors", arguments: ["'a", "\"a", "a\\"])
    func openQuotes(text: String) { #expect(throws: FormError.self) { try FormValidation.words(of: text) } }

    @Test("A line is edited with the keys of a shell")
    func editor() {
        var editor = LineEditor("one two")
        for key in Bench.keys("<ctrl-w>three<home>x<ctrl-e>!<left><backspace>") { _ = editor.handle(key) }
        #expect(editor.text == "xone thre!")
        for key in Bench.keys("<ctrl-u>日本") { _ = editor.handle(key) }
        #expect(editor.text == "日本!" && editor.cursorColumn == 4)
    }

    @Test("A line longer than its field shows the part around the cursor, by columns, not characters")
    func longLines() throws {
        var bench = try Bench.connected()
        bench.type("n<tab><tab>" + String(repeating: "日本", count: 40) + "end")
        let row = try #require(bench.frame.cursor).row
        #expect(bench.row(row).contains("本end"))
        #expect(try #require(bench.frame.cursor).column < 78)
        bench.type("<esc>/" + String(repeating: "x", count: 100) + "end")
        #expect(bench.text.contains("xxend"))
        #expect(bench.frame.cursor?.column == 79)
    }
}
