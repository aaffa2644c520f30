import EngineAPI

/// Programs of the machine that the front end runs on. Given by the program, which has the processes for it.
package struct HostPrograms: Sendable {
    /// Runs one beside the screen, to its end or its cancellation, which ends it.
    package typealias Run =
        @Sendable (_ run: ProgramRun, _ host: String?) async throws(EngineError) -> ProgramOutput
    /// Runs one on the terminal, which it has until it ends; blocks meanwhile, and says itself what went wrong.
    package typealias RunOnTerminal = @Sendable (_ run: ProgramRun, _ host: String?) -> Void

    let run: Run
    let runOnTerminal: RunOnTerminal

    package init(run: @escaping Run, runOnTerminal: @escaping RunOnTerminal) {
        (self.run, self.runOnTerminal) = (run, runOnTerminal)
    }

    /// Where there are none.
    static let none = HostPrograms(
        run: { _, _ throws(EngineError) in
            throw EngineError(.unsupported, "this program gives the screen no programs to run")
        }, runOnTerminal: { _, _ in })
}

/// What a program came to.
package struct ProgramOutput: Hashable, Sendable {
    /// 128 and the signal's number where one ended it.
    package let exitCode: Int32
    /// What it wrote to both streams, up to a limit of the one who ran it.
    package let bytes: [UInt8]

    package init(exitCode: Int32, bytes: [UInt8]) { (self.exitCode, self.bytes) = (exitCode, bytes) }
}
