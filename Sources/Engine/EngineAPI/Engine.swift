import Linux

/// A container engine, as a front end or a daemon sees it.
///
/// `GantryEngine` is the engine itself, `RemoteEngine` any engine behind Docker's API. A `reference` names a container by
/// its id, a unique prefix of its id, or its name; an image by `name:tag`, `name@digest`, id or unique prefix of the id.
/// All calls may be made from any task at once, and may be cancelled: a cancelled action is either done whole or not at
/// all. Errors are `EngineError`, with docker's words.
public protocol Engine: ImageTransfers, NetworkEngine, VolumeEngine, Sendable {
    func version() async throws(EngineError) -> EngineVersion
    func info() async throws(EngineError) -> EngineInfo

    /// Containers by creation time, newest first. Without `filter.all` only those that run or are paused.
    func containers(_ filter: ContainerFilter) async throws(EngineError) -> [ContainerSummary]
    func inspect(_ reference: String) async throws(EngineError) -> ContainerDetails
    /// Another number after each change of what `containers` and `inspect` tell, but for sizes and for what images are
    /// called: a change that was answered, or told by an event, is counted. Nil where the engine cannot say. Never blocks.
    var containersRevision: UInt64? { get }

    /// Makes a container that does not run yet.
    ///
    /// - Parameter name: nil for a name that the engine makes up.
    /// - Throws: `notFound` where the image is not in the store, `conflict` where the name is in use, `invalid` for bad
    ///   options. Nothing is left behind then.
    func create(_ spec: ContainerSpec, name: String?) async throws(EngineError) -> CreatedContainer

    /// Starts a container's process; returns once it runs. `notModified` where it runs already.
    func start(_ reference: String) async throws(EngineError)

    /// Sends the stop signal, then SIGKILL after the timeout; returns once the container is stopped.
    /// `notModified` where it is not running.
    ///
    /// - Parameters:
    ///   - signal: nil for the container's own stop signal.
    ///   - timeoutSeconds: nil for the container's own (10 by default); negative to wait for ever.
    func stop(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError)
    func restart(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError)

    /// Sends a signal by name (`TERM`, `SIGTERM`) or number. `conflict` where it is not running.
    func kill(_ reference: String, signal: String) async throws(EngineError)
    func pause(_ reference: String) async throws(EngineError)
    func unpause(_ reference: String) async throws(EngineError)
    func rename(_ reference: String, to name: String) async throws(EngineError)

    /// Changes limits, of a container that runs at once, and the restart policy. Done whole or not at all.
    ///
    /// - Returns: warnings.
    func update(_ reference: String, _ update: ContainerUpdate) async throws(EngineError) -> [String]

    /// What stands at a path of a container, running or not; a link as the last name is itself meant.
    func statPath(_ reference: String, path: String) async throws(EngineError) -> PathStat
    /// What is directly in a directory of a container, running or not, by name. Links tell where they lead as they are
    /// written; a link as the last component is followed. `invalid` where it is no directory.
    func listDirectory(_ reference: String, path: String) async throws(EngineError) -> [PathStat]
    /// A path with all below it as a tar archive. `dir/.` leaves the directory's own name out.
    func copyOut(_ reference: String, path: String) async throws(EngineError) -> PathArchive
    /// Unpacks a tar archive, packed or not, into a directory of a container. `denied` where that is read-only.
    func copyIn(
        _ reference: String, path: String, archive: EngineStream<[UInt8]>, options: CopyOptions
    ) async throws(EngineError)
    /// At which paths a container differs from its image.
    func changes(_ reference: String) async throws(EngineError) -> [PathChange]
    /// All files of a container's root as a tar archive.
    func export(_ reference: String) async throws(EngineError) -> EngineStream<[UInt8]>
    /// Removes all containers that do not run.
    func pruneContainers(_ filter: PruneFilter) async throws(EngineError) -> PruneResult

    /// Removes a container with all it owns. `conflict` while it runs, unless forced.
    func remove(_ reference: String, force: Bool, volumes: Bool) async throws(EngineError)
    /// Has a container know another one by a link's name no more; both stay.
    ///
    /// - Parameter name: `OWNER/ALIAS`
    /// - Throws: `notFound` where there is no such link, `conflict` for a container's own name.
    func removeLink(_ name: String) async throws(EngineError)

    /// Begins to wait for the condition: when this returns, the container was found and the wait stands, so that an exit
    /// from then on is not missed. `run` needs it before `start`; a server sends its response's head here.
    func beginWait(_ reference: String, for condition: WaitCondition) async throws(EngineError) -> ExitWait

    /// What who passes a container's stdio on has to know of it, without the rest of its inspection.
    func stdioFacts(_ reference: String) async throws(EngineError) -> StdioFacts
    /// Attaches to the container's own stdio. May be called before `start`: then no byte is lost.
    func attach(_ reference: String, _ request: AttachRequest) async throws(EngineError) -> any AttachedStream
    func resize(_ reference: String, to size: TerminalSize) async throws(EngineError)

    /// Prepares a further process in a running container; returns the exec's id.
    func createExec(_ reference: String, _ spec: ExecSpec) async throws(EngineError) -> String
    /// Refuses what `startExec` would refuse as things are, for who has to answer before he calls that.
    func checkExec(_ id: String) async throws(EngineError)
    /// Starts a prepared process with its stdio attached as the spec asks.
    func startExec(_ id: String, size: TerminalSize?) async throws(EngineError) -> any AttachedStream
    /// Starts a prepared process without any stdio (`exec -d`); returns once it runs.
    func startExecDetached(_ id: String) async throws(EngineError)
    /// Connects to a process that runs already, as its start did: whoever started it goes on with it at the next host of
    /// the engine. `conflict` where it has ended, `unsupported` where the engine is none of ours.
    func attachExec(_ id: String) async throws(EngineError) -> any AttachedStream
    func resizeExec(_ id: String, to size: TerminalSize) async throws(EngineError)
    func inspectExec(_ id: String) async throws(EngineError) -> ExecDetails

    func logs(_ reference: String, _ request: LogRequest) async throws(EngineError) -> EngineStream<LogBatch>

    /// Samples of the named containers, taken together: the first at once, then one array per interval. A container that
    /// stops running is left out of an array; one that runs again comes back. Without an interval the stream ends after
    /// the first array.
    func stats(_ references: [String], every interval: Duration?) async throws(EngineError)
        -> EngineStream<[ContainerStats]>

    /// The processes in the container as ps(1) would list them with these options (docker's `top`).
    func top(_ reference: String, psArguments: [String]) async throws(EngineError) -> ProcessTable
    /// What stands between the engine and the container's processes: engine, shim, init, processes. An engine that
    /// cannot see its shims gives the container's processes alone.
    func processes(_ reference: String) async throws(EngineError) -> [ProcessNode]

    /// State changes: those recorded since `request.since`, then new ones as they happen until `request.until`.
    func events(_ request: EventRequest) async throws(EngineError) -> EngineStream<EngineEvent>

    func images(_ filter: ImageFilter) async throws(EngineError) -> [ImageSummary]
    func inspectImage(_ reference: String) async throws(EngineError) -> ImageDetails

    /// What the engine's data take on the disk. Reads every file's size: it may take a while.
    func diskUsage(of parts: Set<DiskUsagePart>) async throws(EngineError) -> DiskUsage

    /// Loads every image of an archive or directory. Nothing of an image that fails is kept.
    func loadImages(_ source: ImageLoadSource) async throws(EngineError) -> EngineStream<ImageLoadProgress>
    func removeImage(_ reference: String, force: Bool, prune: Bool) async throws(EngineError) -> [ImageRemoval]
}

extension Engine {
    public var containersRevision: UInt64? { nil }

    public func stdioFacts(_ reference: String) async throws(EngineError) -> StdioFacts {
        let details = try await inspect(reference)
        return StdioFacts(id: details.id, details.spec)
    }

    /// An engine that is asked elsewhere says it by `startExec`.
    public func checkExec(_ id: String) async throws(EngineError) {}

    public func attachExec(_ id: String) async throws(EngineError) -> any AttachedStream {
        throw EngineError(.unsupported, "exec \(id): this engine connects nobody to what runs already", object: id)
    }

    /// By the archive of the whole directory, for an engine that knows nothing better.
    public func listDirectory(_ reference: String, path: String) async throws(EngineError) -> [PathStat] {
        let follows = path.hasSuffix("/") ? path + "." : path + "/."
        return try await copyOut(reference, path: follows).directoryMembers(path)
    }

    /// Waits for the condition: `beginWait`, then its result.
    public func wait(_ reference: String, for condition: WaitCondition) async throws(EngineError) -> WaitResult {
        try await beginWait(reference, for: condition).result()
    }
}
