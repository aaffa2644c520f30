import CLI
import EngineAPI
import Glibc
import Interface

extension HostPrograms {
    /// - Parameter socket: of our own engine.
    static func ofThisMachine(socket: String, hostsEngine: @escaping @Sendable () -> Bool) -> HostPrograms {
        HostPrograms(
            run: { run, host throws(EngineError) in
                let (code, output) = try await MachinePrograms.run(
                    run.words, in: run.directory, environment: environment(of: host, socket: socket))
                return ProgramOutput(exitCode: code, bytes: output)
            },
            runOnTerminal: { run, host in
                do throws(EngineError) {
                    let code = try MachinePrograms.runOnTerminal(
                        run.words, in: run.directory, environment: environment(of: host, socket: socket),
                        continues: hostsEngine())
                    if code != 0 { wait("\(run.label): exit code \(code)") }
                } catch {
                    wait("\(run.label): \(error.message)")
                }
            })
    }

    /// What docker's client and ours find the screen's engine by, whatever this process was told.
    private static func environment(of host: String?, socket: String) -> [String] {
        var variables = Settings.environment
        (variables["DOCKER_HOST"], variables["DOCKER_CONTEXT"]) = (nil, nil)
        if let host, host.contains("://") {
            variables["DOCKER_HOST"] = host
        } else if let host, host != ContextStore.defaultName {
            variables["DOCKER_CONTEXT"] = host
        } else {
            variables["DOCKER_HOST"] = "unix://\(socket)"
        }
        return variables.map { "\($0)=\($1)" }
    }

    /// What went wrong is read before the screen comes over it.
    private static func wait(_ message: String) {
        Complaint.say("gantry: \(message); Enter goes back to the screen")
        var byte: UInt8 = 0
        while read(0, &byte, 1) == 1, byte != 0x0A {}
    }
}
