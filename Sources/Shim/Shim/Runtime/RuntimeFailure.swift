import JSON
import ShimAPI

/// What a runtime's own words mean.
enum RuntimeFailure {
    /// The reason in a runtime's JSON log: the message of its last error, else of its last line.
    static func message(log: [UInt8]) -> String? {
        let lines = log.split(separator: 10).compactMap { line in
            // A runtime that was killed may have left half a line.
            try? JSONValue(parsing: Array(line))
        }
        let errors = lines.filter { ["error", "fatal"].contains($0["level"]?.string) }
        return (errors.last ?? lines.last)?["msg"]?.string
    }

    /// In the words by which docker's users know that it was the runtime: `OCI runtime create failed: …`.
    static func failure(_ command: RuntimeCommand, _ message: String) -> ShimFailure {
        ShimFailure(kind(message), "OCI runtime \(command.name) failed: \(message)")
    }

    /// The kinds that others act on, by the phrases that runc, crun and gantry-runtime share.
    static func kind(_ message: String) -> ShimFailure.Kind {
        func says(_ phrase: String) -> Bool { message.contains(phrase) }
        let isAboutProgram = (says("exec") || says("start container process")) && !says("mount")
        if says("executable file not found") || says("not found in $PATH") { return .commandNotFound }
        if isAboutProgram, says("no such file or directory") || says("No such file or directory") {
            return .commandNotFound
        }
        if isAboutProgram, says("ermission denied") || says("is a directory") || says("xec format error") {
            return .commandNotExecutable
        }
        if says("does not exist") { return .notFound }
        if says("not running") || says("already exists") || says("has stopped") || says("not paused")
            || says("stopped container")
        {
            return .conflict
        }
        if says("No space left on device") || says("no space left on device") { return .unavailable }
        return .internal
    }
}
