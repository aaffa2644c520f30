import JSON
import SeededNumbers
import Testing

@testable import CLI

/// `--format` as docker's CLI reads it. What is expected here is what docker's CLI 28 printed for the same template over
/// the same value.
@Suite struct TemplateTests {
    private static let value: JSONValue = [
        "Name": "web", "State": ["Status": "up", "Running": true], "Count": 3, "Labels": ["a.b": "c", "a": "1"],
        "On": true, "Empty": "", "Items": [["N": 1], ["N": 2]], "Words": ["x", "y"], "HostConfig": ["Binds": .null],
        "Ports": ["80/tcp": [["HostPort": "8080"]], "53/udp": .null],
    ]

    @Test(
        "Fields, functions and pipelines",
        arguments: [
            ("{{.Name}}", "web"), ("{{ .State.Status }}/{{.Count}}", "up/3"), ("plain", "plain"),
            ("{{json .State}}", "{\"Status\":\"up\",\"Running\":true}"), ("{{.Labels}}", "map[a:1 a.b:c]"),
            ("{{index .Labels \"a.b\"}}", "c"), ("{{index .Labels `a.b`}}", "c"), ("{{index .Labels \"none\"}}|", "|"),
            ("{{len .Items}} {{len .Name}}", "2 3"), ("{{upper .Name}}\\t{{.On}}", "WEB\\ttrue"),
            ("{{.Name | upper | printf \"%-5s|\"}}", "WEB  |"), ("{{(index .Items 1).N}}", "2"),
            ("{{(index (index .Ports \"80/tcp\") 0).HostPort}}", "8080"), ("{{join .Words \"-\"}}", "x-y"),
            ("{{join (split \"a,b,c\" \",\") \"-\"}}", "a-b-c"), ("{{title \"hello world\"}}", "Hello World"),
            ("{{pad \"a\" 2 3}}|", "  a   |"), ("{{truncate \"abcdef\" 3}}", "abc"), ("{{slice .Name 1 3}}", "eb"),
            ("{{index .Name 0}}", "119"), ("{{print 1 2 \"a\" \"b\" 3 nil}}", "1 2ab3 <nil>"),
            ("{{printf \"%q %d %x %v %5.2f %t\" \"a\" 3 255 true 1.5 true}}", "\"a\" 3 ff true  1.50 true"),
            ("{{printf \"%05d|%-4d|%+d|%d\" 42 7 7}}", "00042|7   |+7|%!d(MISSING)"), ("{{println .Name}}", "web\n"),
            ("{{html \"<a>'&\"}}", "&lt;a&gt;&#39;&amp;"), ("{{urlquery \"a b/é\"}}", "a+b%2F%C3%A9"),
            ("{{js \"a'<=\"}} {{.Name | html}}", "a\\'\\u003C\\u003D web"),
            ("{{1.5}} {{0x10}} {{-3}} {{'a'}}", "1.5 16 -3 97"), ("{{\"a\\n\\u00e9\"}}", "a\né"),
        ])
    func values(text: String, result: String) throws { #expect(try Template(text).render(Self.value) == result) }

    @Test(
        "Conditions, loops and variables",
        arguments: [
            ("{{if .Empty}}yes{{else}}no{{end}}", "no"), ("{{if not .State.Running}}no{{else}}yes{{end}}", "yes"),
            ("{{if .Empty}}a{{else if .On}}b{{else}}c{{end}}", "b"),
            ("{{if and .On (eq .Count 3)}}both{{end}}", "both"), ("{{or .Empty .Name}}|{{and .Name .Empty}}", "web|"),
            ("{{eq .Name \"a\" \"web\"}} {{ne .Count 3}} {{lt 1 2}} {{ge \"b\" \"a\"}}", "true false true true"),
            ("{{range .Items}}{{.N}},{{end}}", "1,2,"),
            ("{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "a=1;a.b=c;"),
            ("{{range $i, $w := .Words}}{{if $i}}, {{end}}{{$w}}{{end}}", "x, y"),
            ("{{range $i := 3}}{{$i}}{{end}}", "012"), ("{{range .HostConfig.Binds}}x{{else}}none{{end}}", "none"),
            ("{{range .Words}}{{if eq . \"y\"}}{{break}}{{end}}{{.}}{{end}}", "x"),
            ("{{range .Words}}{{if eq . \"x\"}}{{continue}}{{end}}{{.}}{{$.Name}}{{end}}", "yweb"),
            (
                "{{range $p, $b := .Ports}}{{$p}} -> {{range $b}}{{.HostPort}}{{end}};{{end}}",
                "53/udp -> ;80/tcp -> 8080;"
            ),
            ("{{with .State}}{{.Status}}{{end}}{{with .Empty}}x{{else}}y{{end}}", "upy"),
            ("{{$n := .Name}}{{if .On}}{{$n = \"other\"}}{{end}}{{$n}}", "other"),
            ("{{/* nothing */}}a  {{- \" b\" -}}  c", "a bc"),
            ("{{define \"x\"}}<{{.Name}}>{{end}}{{template \"x\" .}}{{template \"x\" $}}", "<web><web>"),
            ("{{template \"n\" .Count}}{{define \"n\"}}{{. }}/{{$}}{{end}}", "3/3"),
            ("{{block \"b\" .Words}}{{range .}}{{.}}{{end}}{{end}}{{template \"b\" .Words}}", "xyxy"),
            ("{{$a := 1}}{{define \"x\"}}{{$b := 2}}{{$b}}{{end}}{{template \"x\"}}{{$a}}", "21"),
        ])
    func flow(text: String, result: String) throws { #expect(try Template(text).render(Self.value) == result) }

    @Test(
        "What docker's types have and its JSON lacks",
        arguments: [
            ("{{.HostConfig.Binds}}", "[]"), ("{{json .HostConfig.Binds}}", "null"), ("{{.State.Health}}", "<nil>"),
            ("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "none"),
            ("{{.HostConfig.Tmpfs}}", "map[]"), ("{{.Labels.missing}}", "<no value>"),
            ("{{with .Labels}}{{.missing}}{{end}}", "<no value>"), ("{{.HostConfig.Tmpfs.x}}", "<no value>"),
            ("{{len .HostConfig.CapAdd}}", "0"),
        ])
    func absent(text: String, result: String) throws { #expect(try Template(text).render(Self.value) == result) }

    @Test(
        "Members that docker's types have and its JSON leaves out, or calls otherwise",
        arguments: [
            (
                "{{range .Mounts}}{{.Name}};{{.Driver}};{{end}}", #"{"Mounts":[{"Type":"bind","Destination":"/h"}]}"#,
                ";;"
            ),
            ("{{.Os}}/{{.Variant}}", #"{"Os":"linux","RootFS":{}}"#, "linux/"),
            ("{{.Author}}{{.Comment}}{{.Manifests}}{{.Descriptor}}", #"{"RootFS":{}}"#, "[]<nil>"),
            (
                "{{range .IPAM.Config}}{{.Subnet}} {{.IPRange}}{{.Gateway}}{{.AuxAddress}}{{.AuxiliaryAddresses}}{{end}}",
                #"{"IPAM":{"Config":[{"Subnet":"10.0.0.0/8"}]}}"#, "10.0.0.0/8 map[]map[]"
            ),
            ("{{.Peers}}{{len .Services}}", #"{"IPAM":{}}"#, "[]0"),
            (
                "{{range .HostConfig.Mounts}}{{.Source}}{{.ReadOnly}}{{if .VolumeOptions}}x{{end}}{{.TmpfsOptions}}{{end}}",
                #"{"HostConfig":{"Mounts":[{"Target":"/t","Type":"tmpfs"}]}}"#, "false<nil>"
            ),
            ("{{.VolumeOptions.NoCopy}}{{.VolumeOptions.Subpath}}", #"{"VolumeOptions":{}}"#, "false"),
            ("{{.Retries}} {{.Interval}}{{if .Timeout}}x{{end}}", #"{"Test":["NONE"]}"#, "0 0s"),
            ("{{.CreatedAt}}{{.Status}}", #"{"Mountpoint":"/m"}"#, "map[]"),
            ("{{.IPAMConfig.IPv4Address}}|{{.IPAMConfig.LinkLocalIPs}}", #"{"IPAMConfig":{}}"#, "|[]"),
            ("{{.ID}} {{.Id}}", #"{"Id":"abc"}"#, "abc abc"),
            ("{{.NanoCPUs}}{{.DNS}}", #"{"NanoCpus":5,"Dns":null}"#, "5[]"),
            (
                "{{.Status}} {{.ID}} {{.From}} {{.TimeNano}}", #"{"status":"die","id":"a","from":"i","timeNano":7}"#,
                "die a i 7"
            ),
            ("{{.HostIP}}", #"{"HostIp":"0.0.0.0"}"#, "0.0.0.0"),
        ])
    func omitted(text: String, value: String, result: String) throws {
        #expect(try Template(text).render(JSONValue(parsing: value)) == result)
    }

    @Test("A member that another type has is none of this one's")
    func foreign() {
        let mistake = #expect(throws: Template.Failure.self) {
            try Template("{{.Variant}}").render(["Destination": "/h"])
        }
        #expect(mistake?.message.contains("map has no entry for key \"Variant\"") ?? false)
    }

    @Test(
        "A template that is wrong says so in docker's words",
        arguments: [
            ("{{.Name", "template: :1: unclosed action"), ("{{end}}", "template: :1: unexpected {{end}}"),
            ("{{else}}", "template: :1: unexpected {{else}}"), ("{{range .Items}}", "template: :1: unexpected EOF"),
            ("{{frob .Name}}", "template: :1: function \"frob\" not defined"),
            ("{{}}", "template: :1: missing value for command"),
            ("{{if}}x{{end}}", "template: :1: missing value for if"),
            ("{{$x := .Name}}{{$y}}", "template: :1: undefined variable \"$y\""),
            ("{{break}}", "template: :1: {{break}} outside {{range}}"),
            ("{{.Missing}}", "template: :1:2: executing \"\" at <.Missing>: map has no entry for key \"Missing\""),
            (
                "{{.Name.X}}", "template: :1:7: executing \"\" at <.Name.X>: can't evaluate field X in type string"
            ),
            ("{{upper}}", "template: :1:2: executing \"\" at <upper>: wrong number of args for upper: want 1 got 0"),
            ("{{\"a\" \"b\"}}", "template: :1:2: executing \"\" at <\"a\">: can't give argument to non-function \"a\""),
            (
                "{{.Name \"x\"}}",
                "template: :1:2: executing \"\" at <.Name>: Name has arguments but cannot be invoked as function"
            ),
            ("{{nil}}", "template: :1:2: executing \"\" at <nil>: nil is not a command"),
            (
                "{{eq .Name 1}}",
                "template: :1:2: executing \"\" at <eq .Name 1>: error calling eq: incompatible types for comparison"
            ),
            (
                "{{.State.Health.Status}}",
                "template: :1:8: executing \"\" at <.State.Health.Status>: map has no entry for key \"Health\""
            ),
        ])
    func failures(text: String, message: String) {
        let failure = #expect(throws: Template.Failure.self) { try Template(text).render(Self.value) }
        #expect(failure?.message == "template parsing error: " + message)
    }

    @Test(
        "What stands too deep in itself is refused",
        arguments: [
            ("{{", "(", "1}}", ""), ("", "{{if 1}}", "", ""), ("", "{{if 1}}", "", "{{end}}"),
            ("{{if 1}}", "{{else if 1}}", "{{end}}", ""), ("", "{{block \"b\" .}}", "", ""),
        ])
    func depth(before: String, opening: String, after: String, closing: String) {
        let text =
            before + String(repeating: opening, count: 100_000) + after + String(repeating: closing, count: 100_000)
        let failure = #expect(throws: Template.Failure.self) { try Template(text).render(Self.value) }
        #expect(failure?.message.contains("depth") == true)
    }

    @Test("A template that calls itself is refused, too")
    func ownDepth() {
        let text =
            "{{define \"a\"}}" + String(repeating: "{{if 1}}", count: 150) + "{{template \"a\" .}}"
            + String(repeating: "{{end}}", count: 151) + "{{template \"a\" .}}"
        let failure = #expect(throws: Template.Failure.self) { try Template(text).render(Self.value) }
        #expect(failure?.message.contains("depth") == true)
    }

    @Test("What stands as deep as anybody needs is filled in")
    func shallow() throws {
        let parentheses = "{{" + String(repeating: "(", count: 150) + "1" + String(repeating: ")", count: 150) + "}}"
        #expect(try Template(parentheses).render(Self.value) == "1")
        let blocks = String(repeating: "{{if 1}}", count: 150) + "x" + String(repeating: "{{end}}", count: 150)
        #expect(try Template(blocks).render(Self.value) == "x")
    }

    @Test("No text makes the reader of templates trap or hang")
    func garbage() {
        let words = [
            "{{", "}}", "{{-", " -}}", "/*", "*/", ".", "$", "$x", ":=", "=", ",", "|", "(", ")", "\"", "`", "'", "if ",
            "else ", "end", "range ", "with ", "break", "index ", "printf \"%*d%", "-", "0x", "1e", "\\", "\u{E9}", " ",
            ".Name", "json ", "pad 9 9999999 ", "slice ",
        ]
        var generator = SplitMix(seed: 28)
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...12, using: &generator)
            let text = (0..<count).map { _ in words.randomElement(using: &generator) ?? "" }.joined()
            _ = try? Template(text).render(Self.value)
        }
    }

    @Test("A list's template fills its titles in, too; a label is found by its name")
    func listing() throws {
        let listing = Listing(
            columns: [("ID", "CONTAINER ID"), ("Names", "NAMES")],
            rows: [["ID": "1", "Names": "web"], ["ID": "2", "Names": "a\u{1B}[0m"]],
            labels: [["com.example.build-date": "today"], [:]])
        func text(_ format: String?) throws -> String { try listing.text(format: format, usual: ["ID", "Names"]) }
        #expect(try text(nil) == "CONTAINER ID   NAMES\n1              web\n2              a\\x1b[0m\n")
        #expect(try text("") == text("table"))
        #expect(try text("table {{.ID}} {{.Names}}") == "CONTAINER ID NAMES\n1 web\n2 a\\x1b[0m\n")
        #expect(try text("table {{upper .Names}}") == "NAMES\nWEB\nA\\X1B[0M\n")
        #expect(
            try text("table {{.ID}}\\t{{.Label \"com.example.build-date\"}}")
                == "CONTAINER ID   build date\n1              today\n2              \n")
        #expect(try text("{{.Names | upper}}:{{.Label \"com.example.build-date\"}}").hasPrefix("WEB:today\n"))
        #expect(throws: UsageError.self) { try text("table {{.Nothing}}") }
    }
}
