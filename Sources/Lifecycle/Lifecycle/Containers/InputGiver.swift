import EngineAPI
import Glibc
import Linux
import Tasks

/// The process that alone gives a container's input, where that is the one which hosts the engine: noted in the
/// container's bundle, for where it is killed the input is to end, as docker's client takes its end with it, and only the
/// next engine can do that.
struct InputGiver: Sendable {
    private let path: String

    init(bundle: String) { path = bundle + "/input-giver" }

    /// It is this process.
    func note() throws(KernelError) {
        let pid = getpid()
        let text = "\(pid) \(try ProcessStat.read(pid: pid).startTicks)"
        try FileContents.replace(path, with: Array(text.utf8), durable: false)
    }

    /// One was noted that is no more.
    var isGone: Bool {
        // Where there is no note, or none that can be read, nobody is known to be gone.
        guard let text = try? FileContents.read(path) else { return false }
        let numbers = String(decoding: text, as: UTF8.self).split(separator: " ")
        guard numbers.count == 2, let pid = Int32(numbers[0]), let startTicks = UInt64(numbers[1]) else { return false }
        // A process without an entry is gone, and its number may be another's.
        guard let stat = try? ProcessStat.read(pid: pid) else { return true }
        return stat.startTicks != startTicks || stat.isEnded
    }

    func forget() { unlink(path) }
}

extension Container {
    private nonisolated var inputGiver: InputGiver { InputGiver(bundle: context.roots.bundle(id)) }

    /// Somebody is attached whose going may be the end of the input.
    func noteGiver(_ request: AttachRequest) {
        // A terminal goes on without, and so does what others may attach to.
        guard request.isOfHost, request.stdin, definition.spec.stdinOnce, !definition.spec.tty else { return }
        do throws(KernelError) { try inputGiver.note() } catch { context.note("container \(id): \(error)") }
    }

    /// Somebody has left. Whether it was the giver is not asked: input is rather kept open than ended for another who gives.
    func forgetGiver() { inputGiver.forget() }

    /// Ends the input whose giver was killed together with the engine that he hosted.
    func endOrphanedInput() async {
        guard machine.run != nil, inputGiver.isGone else { return }
        inputGiver.forget()
        do throws(EngineError) {
            let stream = try await context.tasks.attach(
                id, execID: nil, AttachRequest(stdin: true, stdout: false, stderr: false))
            try await stream.closeInput()
            await stream.close()
        } catch { context.note("container \(id): end its input: \(error)") }
    }
}
