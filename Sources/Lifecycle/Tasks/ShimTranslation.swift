import EngineAPI
import Glibc
import Linux
import ShimAPI

/// Between the values of the shim's protocol and those of this target.
extension EngineError {
    init(_ failure: ShimFailure, task id: String) {
        let kind: Kind =
            switch failure.kind {
            case .invalid: .invalid
            case .notFound: .notFound
            case .conflict: .conflict
            case .commandNotFound: .commandNotFound
            case .commandNotExecutable: .commandNotExecutable
            case .unavailable: .unavailable
            case .unsupported: .unsupported
            case .internal: .internal
            }
        self.init(kind, failure.message, object: id)
    }

    /// A call of the kernel that the service itself made for a task.
    init(_ error: KernelError, task id: String) {
        self.init(error.errno.isAboutRoom ? .unavailable : .internal, error.description, object: id)
    }

    static func noSuchTask(_ id: String) -> EngineError {
        EngineError(.notFound, "No such task: \(id)", object: id)
    }
}

extension ProcessIdentity {
    init(_ process: ShimProcess) { self.init(pid: process.pid, startTicks: process.startTicks) }

    /// When it was made, by the wall clock; nil where it had ended before its start could be read.
    var startedAt: Timestamp? {
        guard startTicks > 0 else { return nil }
        var time = timespec()
        // The clock by which proc(5) counts them: with the time in which the machine slept.
        clock_gettime(CLOCK_BOOTTIME, &time)
        let nanosecondsPerTick = 1_000_000_000 / Int64(sysconf(Int32(_SC_CLK_TCK)))
        let start = Int64(clamping: startTicks).multipliedSaturated(by: nanosecondsPerTick)
        return Timestamp.now().before(by: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) - start)
    }
}

extension ShimAttach {
    init(execID: String?, _ request: AttachRequest) {
        self.init(
            execID: execID, stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, replay: request.logs)
        holdsBack = request.holdsBack
    }
}

extension TaskExit {
    init(_ exit: ShimExit) {
        self.init(
            code: exit.code, time: Timestamp(nanosecondsSinceEpoch: exit.nanosecondsSinceEpoch),
            oomKilled: exit.oomKilled)
    }
}

extension TaskFacts {
    init(id: String, _ facts: ShimFacts, shim: ShimProcess) {
        let status: Status =
            switch facts.status {
            case .empty: .lost
            case .created: .created
            case .running: .running
            case .paused: .paused
            case .stopped: .stopped
            }
        self.init(id: id, status: status)
        self.shim = ProcessIdentity(shim)
        initial = facts.initial.map(ProcessIdentity.init)
        exit = facts.exit.map(TaskExit.init)
        execs = facts.execs.mapValues(ProcessIdentity.init)
    }

    /// The same with the time of its start.
    var withStart: TaskFacts {
        var facts = self
        facts.startedAt = initial?.startedAt
        return facts
    }
}

extension ShimInput {
    init(_ input: TaskSpec.Input) {
        self =
            switch input {
            case .none: .none
            case .open: .open
            case .once: .once
            }
    }
}

extension ShimExec {
    init(_ exec: ExecTaskSpec) {
        self.init(
            id: exec.id, process: exec.process, terminal: exec.terminal, columns: exec.initialSize?.columns ?? 0,
            rows: exec.initialSize?.rows ?? 0, input: ShimInput(exec.input))
    }
}

extension ShimTask {
    init(_ spec: TaskSpec, runtimeRoot: String) {
        self.init(id: spec.id, bundle: spec.bundle, runtime: spec.runtime, runtimeRoot: runtimeRoot)
        rootMounts = spec.rootMounts.map {
            var mount = Mount(type: $0.type, source: $0.source, target: $0.target, options: $0.options)
            mount.owner = $0.owner.map { ShimProcess(pid: $0.pid, startTicks: $0.startTicks) }
            mount.server = $0.server
            mount.beneath = $0.beneath
            return mount
        }
        fileIDs = spec.fileIDs.map {
            FileIDs(
                directory: $0.directory, uidMap: $0.uidMap, gidMap: $0.gidMap, rootUID: $0.rootUID, rootGID: $0.rootGID)
        }
        terminal = spec.terminal
        columns = spec.initialSize?.columns ?? 0
        rows = spec.initialSize?.rows ?? 0
        input = ShimInput(spec.input)
        log = spec.log.map { wanted in
            var log = Log(
                path: wanted.path, maximumSizeBytes: wanted.maximumSizeBytes, maximumFiles: wanted.maximumFiles)
            log.form = Log.Form(rawValue: wanted.form.rawValue) ?? .json
            log.attributes = wanted.attributes
            log.packs = wanted.packs
            log.forward = wanted.forward
            return log
        }
        cgroupsPath = spec.bundleFacts.cgroupsPath
        mayOpenGate = !spec.bundleFacts.hasStartHooks
        network = spec.network.map {
            Network(
                configuration: $0.configurationPath, servesNames: $0.servesNames, socketIsStream: $0.socketIsStream)
        }
    }
}
