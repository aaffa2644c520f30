import Glibc
import JSON
import Linux
import OCI

/// `create`, `start`, `run`.
extension Invocation {
    static let createOptions: CommandArguments.Options =
        "bundle|b= console-socket= pid-file= no-pivot no-new-keyring preserve-fds= pidfd-socket="

    func create() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, Self.createOptions)
        try arguments.expectOperands("create", exactly: 1)
        try SealedExecutable.ensure(sealingFailure)
        try step("\(Self.program) create failed") { () throws(RuntimeError) in
            let options = try launchOptions(arguments)
            let bundle = try BundleContents(options.bundle)
            let console = try console(options, bundle)
            _ = try creation(arguments.operands[0], bundle, options).run(console: console)
        }
        return 0
    }

    func launchOptions(_ arguments: CommandArguments) throws(RuntimeError) -> LaunchOptions {
        var options = LaunchOptions()
        options.usesSystemd = usesSystemd
        options.bundle = arguments.path("bundle") ?? "."
        options.pidFile = arguments.path("pid-file")
        options.consoleSocket = arguments.path("console-socket")
        options.avoidsPivot = try arguments.flag("no-pivot")
        options.keepsKeyring = try arguments.flag("no-new-keyring")
        options.activation = SocketActivation.ofThisProcess()
        options.preservedDescriptors = try PreservedDescriptors.count(
            try arguments.integer("preserve-fds") ?? 0, after: options.activation.count)
        options.pidfdSocket = try PidfdSocket.connect(arguments["pidfd-socket"])
        return options
    }

    private func creation(_ id: String, _ bundle: BundleContents, _ options: LaunchOptions) -> ContainerCreation {
        ContainerCreation(
            store: store, id: id, bundle: bundle, options: options, log: log, rootless: rootless)
    }

    /// For a runtime that leaves once the container is made: a terminal must have somebody to go to.
    private func console(_ options: LaunchOptions, _ bundle: BundleContents) throws(RuntimeError) -> Descriptor? {
        if bundle.hasTerminal {
            guard let socket = options.consoleSocket else {
                throw RuntimeError("cannot allocate tty if \(Self.program) will detach without setting console socket")
            }
            return try ConsoleSocket.connect(socket)
        }
        guard options.consoleSocket == nil else {
            throw RuntimeError("cannot use console socket if \(Self.program) will not detach or allocate tty")
        }
        return nil
    }

    func start() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, "")
        try arguments.expectOperands("start", exactly: 1)
        let record = try store.record(of: arguments.operands[0])
        try startAndNotify(record) { () throws(RuntimeError) in
            try startContainer(CreatedContainer(record: record, channel: nil))
        }
        return 0
    }

    /// Starts, and where a service manager waits to be notified, returns only when the container is ready or has ended.
    private func startAndNotify(
        _ record: ContainerRecord, _ start: () throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        guard let notify = NotifySocket(of: record.id, in: store), let socket = try notify.bind() else {
            return try start()
        }
        defer { socket.close() }
        let process: Descriptor
        do throws(RuntimeError) {
            // Opened before the start: a container that ends at once is still to be waited for.
            process = try attempt { () throws(KernelError) in
                try PidFD.open(pid: record.pid, startTicks: record.startTicks)
            }
            do throws(RuntimeError) { try start() } catch {
                process.close()
                throw error
            }
        } catch {
            notify.unbind()
            throw error
        }
        defer { process.close() }
        try notify.forwardReady(from: socket, of: process, mainPID: record.pid)
    }

    func startContainer(_ container: CreatedContainer) throws(RuntimeError) {
        let record = container.record
        if let channel = container.channel {
            try StartGate.start(over: channel) { record.isBeyondStart }
        } else {
            try startAtGate(record)
        }
        // The specification: a failure is logged, and the container runs on.
        HookRunner.runAll(
            record.hooks.poststart, "poststart", state: HookRunner.state(record, status: "running"), log: log)
    }

    private func startAtGate(_ record: ContainerRecord) throws(RuntimeError) {
        let directory = store.directory(of: record.id)
        do throws(RuntimeError) {
            try StartGate.start(in: directory) {
                // Without a layout there is no cgroup that could be frozen.
                guard let layout = try? HostFacts.layout() else { return false }
                return ContainerStatus.of(record, in: store, layout) == .paused
            } until: {
                record.isBeyondStart
            }
        } catch {
            let layout = try HostFacts.layout()
            guard ContainerStatus.of(record, in: store, layout) == .stopped else { throw error }
            throw error.message.hasPrefix("cannot start")
                ? RuntimeError("cannot start a container that has stopped") : error
        }
        // Nobody listens there any more; a file that stays says nothing wrong.
        unlink("\(directory)/\(StartGateWords.socketName)")
    }

    func runContainer() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, Self.createOptions, "detach|d keep no-subreaper")
        try arguments.expectOperands("run", exactly: 1)
        try SealedExecutable.ensure(sealingFailure)
        return try step("\(Self.program) run failed") { () throws(RuntimeError) in
            var options = try launchOptions(arguments)
            options.detaches = try arguments.flag("detach")
            options.keeps = try arguments.flag("keep")
            options.startsItself = true
            if options.detaches {
                let bundle = try BundleContents(options.bundle)
                let console = try console(options, bundle)
                let container = try creation(arguments.operands[0], bundle, options).run(console: console)
                try orDelete(container.record) { () throws(RuntimeError) in
                    try startAndNotify(container.record) { () throws(RuntimeError) in try startContainer(container) }
                }
                return 0
            }
            return try runAttached(arguments.operands[0], options)
        }
    }

    private func runAttached(_ id: String, _ options: LaunchOptions) throws(RuntimeError) -> Int32 {
        let bundle = try BundleContents(options.bundle)
        guard options.consoleSocket == nil else {
            throw RuntimeError("cannot use console socket if \(Self.program) will not detach or allocate tty")
        }
        let foreground = try ForegroundProcess(terminal: bundle.hasTerminal, nil)
        let container = try creation(id, bundle, options).run(console: foreground.consoleForProcess)
        let record = container.record
        try orDelete(record) { () throws(RuntimeError) in
            try foreground.takeTerminal()
            if let notify = NotifySocket(of: id, in: store) { foreground.notify = (notify, try notify.bind()) }
            try startContainer(container)
        }
        let code = try foreground.wait(pid: record.pid)
        guard !options.keeps else { return code }
        // What the program said is the caller's to know, whatever becomes of its remains.
        do throws(RuntimeError) {
            try deleteContainer(record, force: true)
        } catch {
            log.warning("failed to delete container \(id): \(error.message)")
        }
        return code
    }

    private func orDelete(
        _ record: ContainerRecord, _ start: () throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        do throws(RuntimeError) {
            try start()
        } catch {
            // Why it did not start is what the caller needs to know.
            try? deleteContainer(record, force: true)
            throw error
        }
    }
}

/// Descriptors from 3 on that a program inherits: those asked for, and those of socket activation.
enum PreservedDescriptors {
    static func count(_ asked: Int32, after activated: Int32 = 0) throws(RuntimeError) -> Int32 {
        guard asked >= 0, asked < 1 << 20 else {
            throw RuntimeError("invalid value \"\(asked)\" for flag -preserve-fds")
        }
        let first = 3 + activated
        for number in first..<(first + asked) where !isInherited(number) {
            throw RuntimeError(
                "unable to stat preserved-fd \(number - first) (of \(asked)): \(Errno.noSuchFile)")
        }
        for number in 3..<first where !isInherited(number) {
            throw RuntimeError("LISTEN_FDS: file descriptor \(number) is not open")
        }
        return activated + asked
    }

    /// This program's own are all close-on-exec, which none can be that has come through an execution.
    private static func isInherited(_ number: Int32) -> Bool { fcntl(number, F_GETFD) == 0 }
}
