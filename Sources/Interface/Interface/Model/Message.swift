import EngineAPI
import Terminal

/// What can happen: to the person's side of the screen, or to the engine's.
enum Message: Sendable {
    case input(InputEvent)
    /// The wall clock, told before each batch of messages and at the intervals that `clockInterval` asks for.
    case tick(Timestamp)

    case connected(EngineVersion, EngineInfo)
    case connectionLost(String)
    case containers([ContainerSummary])
    case event(EngineEvent)
    case stats([ContainerStats])
    case processes(containerID: String, [ProcessNode], at: Timestamp? = nil)
    case images([ImageSummary])
    case networks([NetworkDetails])
    case volumes([VolumeDetails])
    case usage(DiskUsage)
    /// The journal, oldest first.
    case journal([EngineEvent])
    case files(FilePlace, Result<[PathStat], EngineError>)
    case fileChanges(containerID: String, [PathChange])
    case pathMembers(PathQuestion, Result<[PathMember], EngineError>)
    case file(FileRequest, Result<[UInt8], EngineError>)
    case inspected(ContainerDetails, InspectPurpose)
    /// What a container was made from, with its image where that is still there.
    case original(ContainerDetails, ImageDetails?)
    /// By the name that was asked for.
    case imageInspected(String, ImageDetails, [ImageHistoryStep])
    case networkInspected(NetworkDetails)
    case volumeInspected(VolumeDetails)
    /// Of the container or the object with this id or name; in words.
    case notInspected(String, String)

    case hosts([HostBook.Entry])
    /// An engine that has answered: the main loop goes over to it.
    case hostAnswered(String, any Engine)
    case hostFailed(String, String)

    case console(ConsoleID, ConsoleNews)
    case logs(LogSubscription, LogNews)
    /// Of the lines of a piece, by its number, those that pass the filter.
    case sifted(Int, [Int])
    case job(JobID, JobNews)
    /// Something that needs no answer went wrong: one line for the status line.
    case failed(String)
}

/// What comes from an attached process.
enum ConsoleNews: Sendable {
    /// What the log holds from before: shown, but questions in it are not answered.
    case replay([UInt8])
    /// The stream is open; input goes to the process where `takesInput` says so.
    case attached(takesInput: Bool, tty: Bool)
    case output(StreamChunk)
    /// The process's output has ended, or the attach failed; in words.
    case ended(String)
    /// The container is paused, and its engine attaches to none such.
    case paused
    /// The connection broke while the process runs on.
    case lost
}

enum LogNews: Sendable {
    case entries([LogEntry])
    case ended(String?)
}

/// An action on the engine's side that the person asked for.
struct JobID: Hashable, Sendable {
    let number: Int
}

enum JobNews: Sendable {
    case progress(JobProgress)
    case succeeded(JobResult)
    case failed(EngineError)
}

enum JobResult: Hashable, Sendable {
    /// The status line's words.
    case done(String)
    /// A container was made from the form and runs.
    case created(ContainerSummary, warnings: [String])
    /// A program has ended, whatever came of it: what it wrote is to be shown.
    case output(ProgramOutput)

    /// What came of it, in short.
    var words: String {
        switch self {
        case .done(let text): text
        case .created(let container, let warnings):
            ([String(container.id.prefix(12))] + warnings).joined(separator: "; ")
        case .output(let output): output.failure ?? output.lastWords
        }
    }
}
