import Faults
import Glibc
import Linux
import LocalEngine

/// The program that dies where it is told to.
enum EngineProbe {
    static let path = PathName.split(LocalEngineConfiguration().shimPath).parent + "/engine-probe"

    static var missing: String? {
        #if DEBUG
            return EngineBench.missing ?? (access(path, X_OK) == 0 ? nil : path)
        #else
            return "a debug build"
        #endif
    }

    /// Lets another process do something, and die at the point. True where it did die there.
    static func die(
        at point: FaultPoint, _ verb: String, _ bench: EngineBench, name: String = "victim"
    ) throws -> Bool {
        var spawn = Spawn(program: path, arguments: ["engine-probe", bench.root, verb, name])
        spawn.environment = ["PATH=/usr/bin:/bin", "GANTRY_FAULT=\(point.rawValue):kill"]
        let pid = try spawn.start()
        var status: Int32 = 0
        try kernelCall("wait") { waitpid(pid, &status, 0) }
        return status & 0x7F == SIGKILL
    }
}
