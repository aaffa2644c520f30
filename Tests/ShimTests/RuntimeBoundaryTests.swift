import Linux
import ShimAPI
import Testing

@testable import Shim

@Suite struct RuntimeBoundaryTests {
    @Test(
        "A runtime is called in runc's grammar",
        arguments: [
            (
                RuntimeCommand.create(bundle: "/b", pidFile: "/p", consoleSocket: nil),
                "create --bundle /b --pid-file /p c"
            ),
            (
                .create(bundle: "/b", pidFile: "/p", consoleSocket: "/s"),
                "create --bundle /b --pid-file /p --console-socket /s c"
            ),
            (.start, "start c"), (.pause, "pause c"), (.resume, "resume c"), (.delete, "delete --force c"),
            (
                .exec(processFile: "/j", pidFile: "/p", consoleSocket: "/s"),
                "exec --process /j --detach --pid-file /p --console-socket /s c"
            ),
            (
                .heldExec(processFile: "/j", hold: 4, consoleSocket: nil),
                "exec --process /j --detach --hold 4 --leave-helper c"
            ),
        ])
    func arguments(command: RuntimeCommand, expected: String) {
        let arguments = command.arguments(id: "c", root: "/r", logFile: "/l")
        #expect(arguments.joined(separator: " ") == "--root /r --log /l --log-format json " + expected)
    }

    @Test(
        "A runtime's words get the kind that they mean",
        arguments: [
            (#"exec: "x": executable file not found in $PATH"#, ShimFailure.Kind.commandNotFound),
            (
                "runc create failed: unable to start container process: exec: \"/x\": stat /x: no such file or directory",
                .commandNotFound
            ),
            ("executable file `x` not found in $PATH: No such file or directory", .commandNotFound),
            ("unable to start container process: exec: \"/tmp\": permission denied", .commandNotExecutable),
            ("exec /x: exec format error", .commandNotExecutable),
            ("unable to start container process: exec: \"/tmp\": is a directory", .commandNotExecutable),
            (
                "unable to start container process: error during container init: error mounting \"/no\" to rootfs at \"/m\": stat /no: no such file or directory",
                .internal
            ),
            ("container with id exists: x already exists", .conflict), ("container does not exist", .notFound),
            ("cannot exec in a stopped container", .conflict), ("container not running", .conflict),
            ("write /x: no space left on device", .unavailable), ("something else", .internal),
        ] as [(String, ShimFailure.Kind)])
    func kinds(message: String, kind: ShimFailure.Kind) {
        #expect(RuntimeFailure.kind(message) == kind)
    }

    @Test("Who asked is told that it was the runtime that failed, and at what")
    func failure() {
        let failure = RuntimeFailure.failure(.start, "exec: \"/x\": permission denied")
        #expect(failure.kind == .commandNotExecutable)
        #expect(failure.message == "OCI runtime start failed: exec: \"/x\": permission denied")
    }

    @Test("The reason is the last error of the log, whatever stands around it")
    func log() {
        let log = """
            {"level":"info","msg":"one"}
            {"level":"error","msg":"the cause"}
            {"level":"warning","msg":"after"}
            {"level":"err
            """
        #expect(RuntimeFailure.message(log: Array(log.utf8)) == "the cause")
        #expect(RuntimeFailure.message(log: Array(#"{"msg":"only","level":"warning"}"#.utf8)) == "only")
        #expect(RuntimeFailure.message(log: []) == nil)
    }

    @Test("Mount options become flags and data")
    func mountOptions() {
        func plan(_ type: String, _ options: [String]) -> RootMountPlan {
            RootMountPlan(ShimTask.Mount(type: type, source: "s", target: "t", options: options))
        }
        let overlay = plan("overlay", ["ro", "nosuid", "lowerdir=/a:/b", "index=off", "rw"])
        #expect(overlay.flags == [.readOnly, .noSetUID])
        #expect(overlay.data == "lowerdir=/a:/b,index=off")
        #expect(!overlay.needsRemount)
        let bind = plan("bind", ["rbind", "ro"])
        #expect(bind.flags == [.bind, .recursive, .readOnly])
        #expect(bind.needsRemount)
        #expect(!plan("bind", ["rw"]).needsRemount)
    }

    @Test("Many layers are named from the directory they share")
    func manyLayers() {
        let layers = (0..<100).map { "/var/lib/gantry/snapshots/\(String(repeating: "a", count: 60))\($0)/fs" }
        let option = "lowerdir=" + layers.joined(separator: ":")
        let plan = RootMountPlan(
            ShimTask.Mount(type: "overlay", source: "o", target: "/t", options: ["index=off", option, "upperdir=/u"]))
        #expect(plan.workingDirectory == "/var/lib/gantry/snapshots")
        let short = layers.map { String($0.dropFirst("/var/lib/gantry/snapshots/".count)) }.joined(separator: ":")
        #expect(plan.data == "index=off,lowerdir=\(short),upperdir=/u")
    }

    @Test("Many layers in a directory of a name that must be escaped are named from there as well")
    func manyEscapedLayers() {
        let layers = (0..<100).map { "/data\\:1/\(String(repeating: "a", count: 60))\($0)/fs" }
        let option = "lowerdir=" + layers.joined(separator: ":")
        let plan = RootMountPlan(ShimTask.Mount(type: "overlay", source: "o", target: "/t", options: [option]))
        #expect(plan.workingDirectory == "/data:1")
        let short = layers.map { String($0.dropFirst("/data\\:1/".count)) }.joined(separator: ":")
        #expect(plan.data == "lowerdir=\(short)")
    }
}
