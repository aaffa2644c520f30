import Glibc
import Linux
import OCI

/// One run of the program: the global options and the command with its words.
package struct Invocation {
    static let program = "gantry-runtime"
    package static let version = "0.1.0"

    let store: ContainerStore
    let log: LogOutput
    /// The program that checkpoints and restores: a name or a path.
    let criu: String
    let rootless: RootlessMode
    let command: String
    let words: ArraySlice<String>
    /// `--systemd-cgroup`: new containers get their cgroup from systemd.
    let usesSystemd: Bool
    /// What the sealing of the program's own file met, before main; nil where it met nothing.
    let sealingFailure: () -> KernelError?

    private static let globals: CommandArguments.Options =
        "root= log= log-format= debug systemd-cgroup rootless= criu= version|v help|h"

    /// Runs the program with its arguments (the name first) and returns the exit code.
    ///
    /// - Parameter sealingFailure: what the sealing of the program's own file met, where it was tried.
    package static func main(sealingFailure: @escaping () -> KernelError?, _ arguments: [String]) -> Int32 {
        InheritedState.normalize()
        // A reader that went away is told by the write. A handler is gone with the next execution, unlike SIG_IGN.
        signal(SIGPIPE) { _ in }
        var log = LogOutput()
        do throws(RuntimeError) {
            let global = try CommandArguments(arguments.dropFirst(), globals, operandsEndOptions: true)
            try log.open(global["log"])
            log.isDebugging = try global.flag("debug")
            switch global["log-format"] ?? "text" {
            case "text": break
            case "json": log.isJSON = true
            case let format: throw RuntimeError("invalid log-format: \(format)")
            }
            if try global.flag("version") { return try printVersion() }
            if try global.flag("help") || global.operands.isEmpty || global.operands[0] == "help" {
                return try print(Usage.text)
            }
            let store = ContainerStore(root: global["root"] ?? defaultRoot)
            let invocation = Invocation(
                store: store, log: log, criu: global["criu"] ?? "criu",
                rootless: try RootlessMode(global["rootless"] ?? "auto"), command: global.operands[0],
                words: global.operands.dropFirst(), usesSystemd: try global.flag("systemd-cgroup"),
                sealingFailure: sealingFailure)
            return try invocation.run()
        } catch {
            log.failure(error.message)
            return error.exitCode
        }
    }

    private func run() throws(RuntimeError) -> Int32 {
        // Later words may be a container's own.
        if let first = words.first, ["--help", "-help", "-h"].contains(first) { return try Self.print(Usage.text) }
        return switch command {
        case "create": try create()
        case "start": try start()
        case "run": try runContainer()
        case "exec": try exec()
        case "state": try state()
        case "kill": try kill()
        case "delete": try delete()
        case "pause": try pause()
        case "resume": try resume()
        case "list": try list()
        case "ps": try processes()
        case "events": try events()
        case "checkpoint": try checkpoint()
        case "restore": try restore()
        case "spec": try writeSpec()
        case "features": try features()
        case "update": try update()
        default: throw RuntimeError("No help topic for '\(command)'", exitCode: 3)
        }
    }

    private static var defaultRoot: String {
        // The root of a user namespace may be an ordinary user outside.
        let isOrdinary =
            geteuid() != 0
            || RootlessMode.isInUserNamespace && getenv("USER").map { String(cString: $0) } != "root"
        if isOrdinary, let directory = getenv("XDG_RUNTIME_DIR"), directory.pointee != 0 {
            return "\(String(cString: directory))/gantry/runtime"
        }
        return "/run/gantry/runtime"
    }

    private static func printVersion() throws(RuntimeError) -> Int32 {
        // Callers look for all three words; what was built is told by its version.
        try print("\(program) version \(version)\ncommit: v\(version)\nspec: \(RuntimeSpec.newestVersion)\n")
    }

    /// Standard output, whole; a reader that went away is no failure of ours.
    static func print(_ text: String) throws(RuntimeError) -> Int32 {
        _ = try write(text)
        return 0
    }

    /// - Returns: whether there is still somebody who reads.
    static func write(_ text: String) throws(RuntimeError) -> Bool {
        do throws(KernelError) {
            try Descriptor.standardOutput.writeAll(Array(text.utf8))
            return true
        } catch  where error.errno == .brokenPipe {
            return false
        } catch { throw RuntimeError(error) }
    }
}
