import EngineAPI

/// Does what `update` asks of the engine, as tasks that it owns; what comes of them goes to the mailbox.
///
/// Used by the main loop's thread alone. Nothing here waits; nothing of the tasks runs on that thread, which sleeps in
/// poll(2) most of the time.
final class EffectRunner {
    private let engine: any Engine
    private let mailbox: Mailbox
    private let credentials: InterfaceConfiguration.Credentials
    private let files: HostFiles
    private let hosts: HostBook?
    private let programs: HostPrograms
    /// Whose engine it is.
    private let host: String?
    private var connecting: Task<Void, Never>?
    private let shelf = StreamShelf()
    private var jobs: [JobID: RunningJob] = [:]
    private var followed: [Subscription: Task<Void, Never>] = [:]
    private var consoles: [ConsoleID: ConsoleLine] = [:]
    private var listing: Task<Void, Never>?
    /// Of the path that is being typed.
    private var completing: Task<Void, Never>?
    private var changes: Task<Void, Never>?
    private let containerRefresh: Refresh
    private let imageRefresh: Refresh
    private let networkRefresh: Refresh
    private let volumeRefresh: Refresh
    private let volumeMeasuring: Refresh
    private let usageRefresh: Refresh
    private let eventRefresh: Refresh

    init(
        engine: any Engine, mailbox: Mailbox, credentials: @escaping InterfaceConfiguration.Credentials,
        files: HostFiles, hosts: HostBook? = nil, programs: HostPrograms = .none, host: String? = nil
    ) {
        (self.programs, self.host) = (programs, host)
        self.files = files
        self.hosts = hosts
        self.engine = engine
        self.mailbox = mailbox
        self.credentials = credentials
        containerRefresh = Refresh { [engine, mailbox] in
            // The engine's loss is told by the subscription that notices it first.
            if let list = try? await engine.containers(ContainerFilter(all: true)) { mailbox.post(.containers(list)) }
        }
        imageRefresh = Refresh { [engine, mailbox] in
            // As above.
            if let list = try? await engine.images(ImageFilter()) { mailbox.post(.images(list)) }
        }
        networkRefresh = Refresh { [engine, mailbox] in
            // As above.
            if let list = try? await engine.networks(NetworkFilter()) { mailbox.post(.networks(list)) }
        }
        let volumes = VolumeReading(engine: engine, mailbox: mailbox)
        volumeRefresh = Refresh { await volumes.read(measuringAll: false) }
        volumeMeasuring = Refresh { await volumes.read(measuringAll: true) }
        eventRefresh = Refresh { [engine, mailbox] in await Self.readJournal(engine, mailbox) }
        usageRefresh = Refresh { [engine, mailbox] in
            do throws(EngineError) {
                mailbox.post(.usage(try await engine.diskUsage()))
            } catch {
                mailbox.post(.failed(error.message))
            }
        }
    }

    func perform(_ effect: Effect) {
        switch effect {
        case .perform(let id, let action): begin(id, action)
        case .cancel(let id): jobs[id]?.task.cancel()
        case .refreshContainers: containerRefresh.request()
        case .refreshImages: imageRefresh.request()
        case .refreshNetworks: networkRefresh.request()
        case .refreshVolumes(let isMeasuring): (isMeasuring ? volumeMeasuring : volumeRefresh).request()
        case .refreshUsage: usageRefresh.request()
        case .refreshEvents: eventRefresh.request()
        case .listFiles(let place): list(place)
        case .readChanges(let id): readChanges(id)
        case .inspect(let id, let purpose): inspect(id, purpose)
        case .inspectObject(let object):
            // Nobody waits for it and it ends by itself: a short call or two.
            Task { [engine, mailbox] in await ObjectReading(engine: engine, mailbox: mailbox).read(object) }
        case .listPath(let question):
            // An engine that knows nothing better sends a directory with all that is in it.
            completing?.cancel()
            completing = Task { [engine, mailbox, files] in
                let result = await PathReading(engine: engine, files: files).read(question)
                guard !Task.isCancelled else { return }
                mailbox.post(.pathMembers(question, result))
            }
        case .readOriginal(let id): readOriginal(id)
        case .openConsole(let id, let source, let size): open(id, source, size)
        case .closeConsole(let id): consoles.removeValue(forKey: id)?.close()
        case .consoleInput(let id, let bytes): send(.input(bytes), to: id)
        case .consoleEndOfInput(let id): send(.endOfInput, to: id)
        case .consoleResize(let id, let size): send(.resize(size), to: id)
        case .consoleRepaint(let id, let size): send(.repaint(size), to: id)
        case .listHosts: listHosts()
        case .connectHost(let name): connect(name)
        case .leaveHost: connecting?.cancel()
        // The screen's, done by the main loop.
        case .copy, .open, .bell, .redraw, .suspend, .quit, .runOnTerminal: break
        }
    }

    /// Begins what is wanted and not yet followed, ends what is no longer wanted.
    func follow(_ wanted: Set<Subscription>) {
        for (subscription, task) in followed where !wanted.contains(subscription) {
            task.cancel()
            followed[subscription] = nil
        }
        for subscription in wanted where followed[subscription] == nil {
            followed[subscription] = Task { [engine, mailbox] in
                await Follower(engine: engine, mailbox: mailbox).follow(subscription)
            }
        }
    }

    /// Forgets the task of a job that has told its end.
    func forget(_ id: JobID) { jobs[id] = nil }

    /// Whether jobs that were given up are still being undone.
    var isUndoing: Bool { jobs.values.contains(where: \.undoesItself) }

    /// Cancels everything; attached processes are detached and run on. Of the jobs, those that are undone now are known
    /// until they are forgotten.
    func stop() {
        for job in jobs.values { job.task.cancel() }
        for task in followed.values { task.cancel() }
        for line in consoles.values { line.close() }
        listing?.cancel()
        completing?.cancel()
        changes?.cancel()
        connecting?.cancel()
        containerRefresh.stop()
        imageRefresh.stop()
        networkRefresh.stop()
        volumeRefresh.stop()
        volumeMeasuring.stop()
        usageRefresh.stop()
        eventRefresh.stop()
        (followed, consoles) = ([:], [:])
        jobs = jobs.filter(\.value.undoesItself)
    }

    private static func readJournal(_ engine: any Engine, _ mailbox: Mailbox) async {
        let now = Timestamp.now()
        var request = EventRequest()
        request.since = Timestamp(
            nanosecondsSinceEpoch: now.nanosecondsSinceEpoch - EventHistory.hours * 3_600_000_000_000)
        request.until = now
        var list: [EngineEvent] = []
        do {
            for try await event in try await engine.events(request) where !event.isPassing {
                list.append(event.reduced)
                if list.count > 2 * EventHistory.capacity { list.removeFirst(EventHistory.capacity) }
            }
            mailbox.post(.journal(list))
        } catch {
            mailbox.post(.failed(EngineError(ending: error).message))
        }
    }

    private func begin(_ id: JobID, _ action: EngineAction) {
        let task = Task { [engine, mailbox, shelf, credentials, files, programs, host] in
            let runner = ActionRunner(
                engine: engine, shelf: shelf, credentials: credentials, files: files,
                runProgram: { run throws(EngineError) in try await programs.run(run, host) },
                report: { mailbox.post(.job(id, .progress($0))) })
            do throws(EngineError) {
                mailbox.post(.job(id, .succeeded(try await runner.perform(action))))
            } catch {
                mailbox.post(.job(id, .failed(error)))
            }
        }
        jobs[id] = RunningJob(task: task, undoesItself: action.undoesItself)
    }

    /// One directory at a time: who goes on does not wait for the one before.
    private func list(_ place: FilePlace) {
        listing?.cancel()
        listing = Task { [engine, mailbox] in
            let result: Result<[PathStat], EngineError>
            do throws(EngineError) {
                result = .success(try await engine.listDirectory(place.container.id, path: place.path))
            } catch { result = .failure(error) }
            guard !Task.isCancelled else { return }
            mailbox.post(.files(place, result))
        }
    }

    private func listHosts() {
        guard let hosts else { return }
        connecting?.cancel()
        connecting = Task { [mailbox] in
            do throws(EngineError) { mailbox.post(.hosts(try await hosts.list())) } catch {
                mailbox.post(.failed(error.message))
            }
        }
    }

    /// The screen stays where it is until the other engine has answered.
    private func connect(_ name: String) {
        guard let hosts else { return }
        connecting?.cancel()
        connecting = Task { [mailbox] in
            do throws(EngineError) {
                let engine = try await hosts.connect(name)
                _ = try await engine.version()
                guard !Task.isCancelled else { return }
                mailbox.post(.hostAnswered(name, engine))
            } catch {
                guard !Task.isCancelled else { return }
                mailbox.post(.hostFailed(name, error.message))
            }
        }
    }

    private func readChanges(_ id: String) {
        changes?.cancel()
        changes = Task { [engine, mailbox] in
            // An engine that cannot tell them leaves the marks out.
            guard let list = try? await engine.changes(id), !Task.isCancelled else { return }
            mailbox.post(.fileChanges(containerID: id, list))
        }
    }

    private func inspect(_ id: String, _ purpose: InspectPurpose) {
        // Nobody waits for it and it ends by itself: a single short call.
        Task { [engine, mailbox] in
            do throws(EngineError) {
                mailbox.post(.inspected(try await engine.inspect(id), purpose))
            } catch {
                switch purpose {
                case .show: mailbox.post(.notInspected(id, error.message))
                case .editLimits: mailbox.post(.failed(error.message))
                case .explainStop: break  // It is perhaps just being removed.
                }
            }
        }
    }

    private func readOriginal(_ id: String) {
        // As above.
        Task { [engine, mailbox] in
            do throws(EngineError) {
                let details = try await engine.inspect(id)
                // An image that has gone says nothing of what is the container's own.
                mailbox.post(.original(details, try? await engine.inspectImage(details.imageID)))
            } catch {
                mailbox.post(.failed(error.message))
            }
        }
    }

    private func open(_ id: ConsoleID, _ source: ConsoleSource, _ size: TerminalSize) {
        consoles[id]?.close()
        consoles[id] = ConsoleLine(id, source, size, engine: engine, mailbox: mailbox, shelf: shelf)
    }

    private func send(_ command: ConsoleLine.Command, to id: ConsoleID) {
        guard let line = consoles[id], !line.send(command) else { return }
        mailbox.post(.failed("input lost: the program in the console does not read"))
    }
}

private struct RunningJob {
    let task: Task<Void, Never>
    let undoesItself: Bool
}

extension EngineError {
    /// What a stream of the engine ended with, as the engine's own error.
    init(ending error: any Error) {
        if let error = error as? EngineError {
            self = error
        } else if error is CancellationError {
            self.init(.cancelled, "cancelled")
        } else {
            self.init(.internal, "\(error)")
        }
    }
}
