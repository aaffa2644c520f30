import EngineAPI
import JSON
import OCI
import Testing

@testable import Images

@Suite struct ConfigChangesTests {
    @Test(
        "Words, quotes, escapes and variables are read as docker's builder reads them",
        arguments: [
            ("a b", ["a", "b"]), ("'a b' \"c  d\"", ["a b", "c  d"]), (#"a\ b"#, ["a b"]), ("$HOME/x", ["/root/x"]),
            ("${HOME}x ${NONE:-other} ${HOME:+set}", ["/rootx", "other", "set"]), ("'$HOME'", ["$HOME"]),
            (#"\$HOME"#, ["$HOME"]), (#""\$HOME \n""#, [#"$HOME \n"#]), ("a$", ["a$"]), ("\"\"", [""]), ("", []),
            ("ü'ö ß'", ["üö ß"]), ("$NONE", [""]), ("\"open", ["open"]), ("end\\", ["end\\"]),
        ])
    func words(text: String, expected: [String]) {
        #expect(DockerfileWords(environment: ["HOME=/root"]).words(text) == expected)
    }

    @Test(
        "Variables and labels come in both forms, with the equals sign also in the value",
        arguments: [
            ("A=1 B=\"x y\"", ["A=1", "B=x y"]), ("A some words", ["A=some words"]), ("A=b=c", ["A=b=c"]),
            ("PATH=$HOME/bin:x", ["PATH=/root/bin:x"]), ("A=", ["A="]), ("\"a b\"=c", ["a b=c"]),
        ])
    func environment(text: String, expected: [String]) throws {
        let pairs = try #require(DockerfileWords(environment: ["HOME=/root"]).pairs(text))
        #expect(pairs.map { "\($0.name)=\($0.value)" } == expected)
    }

    @Test("Each instruction changes its member, in order")
    func instructions() throws {
        var config = ImageExecution()
        config.environment = ["PATH=/bin", "A=0"]
        config.command = ["old"]
        config.workingDirectory = "/srv"
        try ConfigChanges([
            "# a comment", "ENTRYPOINT [\"/run\", \"-x\"]", "env A=1 PATH=$PATH:/sbin", "LABEL a=b\nLABEL c \"d e\"",
            "USER $A", "WORKDIR sub/../dir", "EXPOSE 80 53/udp 8000-8001", "VOLUME [\"/a b\"]", "VOLUME /c /d",
            "STOPSIGNAL SIGQUIT", "ONBUILD RUN make", "HEALTHCHECK --interval=1m30s --retries=2 CMD curl -f localhost",
        ]).apply(to: &config)
        #expect(config.entrypoint == ["/run", "-x"] && config.command == [])
        #expect(config.environment == ["A=1", "PATH=/bin:/sbin"])
        #expect(config.labels == ["a": "b", "c": "d e"] && config.user == "1")
        #expect(config.workingDirectory == "/srv/dir" && config.stopSignal == "SIGQUIT")
        #expect(config.exposedPorts == ["53/udp", "80/tcp", "8000/tcp", "8001/tcp"])
        #expect(config.volumes == ["/a b", "/c", "/d"])
        #expect(config.other["OnBuild"] == ["RUN make"])
        let health: JSONValue = [
            "Test": ["CMD-SHELL", "curl -f localhost"], "Interval": 90_000_000_000, "Retries": 2,
        ]
        #expect(config.other["Healthcheck"] == health)
    }

    @Test("A new entrypoint makes the old command void, but not one that was set with it")
    func command() throws {
        var config = ImageExecution()
        config.command = ["old"]
        try ConfigChanges(["CMD echo hi", "ENTRYPOINT [\"sh\"]"]).apply(to: &config)
        #expect(config.command == ["/bin/sh", "-c", "echo hi"])
        config.other["Shell"] = ["/bin/ash", "-ec"]
        try ConfigChanges(["CMD echo hi"]).apply(to: &config)
        #expect(config.command == ["/bin/ash", "-ec", "echo hi"])
    }

    @Test("What names no words leaves the entrypoint and the command, but for a bare CMD: that is the shell")
    func noWords() throws {
        var config = ImageExecution()
        (config.entrypoint, config.command) = (["sh"], ["old"])
        for text in ["CMD []", "ENTRYPOINT", "ENTRYPOINT []"] {
            try ConfigChanges([text]).apply(to: &config)
            #expect(config.entrypoint == ["sh"] && config.command == ["old"], "\(text)")
        }
        try ConfigChanges(["CMD"]).apply(to: &config)
        #expect(config.command == ["/bin/sh", "-c"])
        try ConfigChanges(["CMD []", "ENTRYPOINT [\"ash\"]"]).apply(to: &config)
        #expect(config.entrypoint == ["ash"] && config.command == [])
    }

    @Test(
        "What is no change is refused",
        arguments: [
            ("FROM x", "FROM is not a valid change command"), ("USER", "USER requires exactly one argument"),
            ("LABEL", "LABEL requires at least one argument"),
            ("ENV A=1 B", "Must be of the form: name=value"), ("EXPOSE 0", "invalid containerPort: 0"),
            ("EXPOSE 80/xyz", "invalid containerPort"), ("ONBUILD ONBUILD x", "Chaining ONBUILD"),
            ("ONBUILD FROM x", "FROM isn't allowed"), ("HEALTHCHECK CMD", "Missing command"),
            ("HEALTHCHECK --interval=1 CMD x", "Interval"), ("HEALTHCHECK --nope=1 CMD x", "Unknown flag: nope"),
            ("HEALTHCHECK NONE x", "takes no arguments"), ("STOPSIGNAL xyz", "invalid signal: xyz"),
            ("VOLUME \"\"", "can not be an empty string"), ("", "file with no instructions"),
            ("# a word\n\n", "file with no instructions"),
        ])
    func refusals(text: String, words: String) {
        let error = #expect(throws: EngineError.self) {
            var config = ImageExecution()
            try ConfigChanges([text]).apply(to: &config)
        }
        #expect(error?.kind == .invalid && error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
