import CLinux
import Glibc

/// posix_spawn(3): starts a program without running any code of ours in between, so it is safe in a threaded process.
///
/// The child starts with no signal blocked, with none ignored but the two that the C library keeps to itself (32 and 33),
/// and with no descriptor but those listed.
public struct Spawn: Sendable {
    public var program: String
    /// With the zeroth, the name shown by ps(1).
    public var arguments: [String]
    public var environment: [String] = []
    /// What becomes descriptor 0, 1, 2, … of the child. Nil: `/dev/null`.
    public var descriptors: [Descriptor?] = [nil, nil, nil]
    public var workingDirectory: String?
    /// setsid(2): a session and process group of its own.
    public var newSession = false
    /// A directory of cgroup version 2 in which the child is born, where that can be; else it is where this process is.
    package var cgroup: Descriptor?
    /// The program is this process's heir: looked up in PATH, with the same variables and descriptors, but in a process
    /// group of its own, which gets the terminal on descriptor 0 where that is one.
    package var isHeir = false

    public init(program: String, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }

    /// Starts the program; the caller reaps the returned pid. Throws what exec(3) met, such as ENOENT.
    public func start() throws(KernelError) -> Int32 {
        let raised = try raisedDescriptors()
        defer { for descriptor in raised { descriptor?.close() } }
        if let cgroup, let pid = try start(in: cgroup, raised) { return pid }
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        try prepare(&attributes)
        prepare(&actions, raised)
        return try run(&actions, &attributes)
    }

    private func prepare(_ attributes: inout posix_spawnattr_t) throws(KernelError) {
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        if newSession { flags |= gantry_spawn_new_session_flag() }
        if isHeir {
            flags |= Int32(POSIX_SPAWN_SETPGROUP)
            posix_spawnattr_setpgroup(&attributes, 0)
        }
        posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags))
    }

    /// Descriptors are first duplicated above all targets, so that no dup2 overwrites one that is still to come.
    private func raisedDescriptors() throws(KernelError) -> [Descriptor?] {
        if isHeir { return [] }
        var raised: [Descriptor?] = []
        for source in descriptors {
            guard let source else {
                raised.append(nil)
                continue
            }
            do {
                let copy = try kernelCall("duplicate descriptor") {
                    gantry_fcntl_int(source.rawValue, F_DUPFD_CLOEXEC, Int32(descriptors.count))
                }
                raised.append(Descriptor(rawValue: copy))
            } catch {
                for descriptor in raised { descriptor?.close() }
                throw error
            }
        }
        return raised
    }

    private func prepare(_ actions: inout posix_spawn_file_actions_t, _ raised: [Descriptor?]) {
        if isHeir {
            if isatty(0) == 1 { gantry_spawn_take_terminal(&actions, 0) }
            return
        }
        for (target, source) in raised.enumerated() {
            if let source {
                posix_spawn_file_actions_adddup2(&actions, source.rawValue, Int32(target))
            } else {
                posix_spawn_file_actions_addopen(&actions, Int32(target), "/dev/null", O_RDWR, 0)
            }
        }
        gantry_spawn_close_from(&actions, Int32(raised.count))
        if let workingDirectory { gantry_spawn_change_directory(&actions, workingDirectory) }
    }

    private func run(
        _ actions: inout posix_spawn_file_actions_t, _ attributes: inout posix_spawnattr_t
    ) throws(KernelError) -> Int32 {
        var pid: Int32 = 0
        var status: Int32 = 0
        withCStrings(arguments) { argv in
            if isHeir {
                status = posix_spawnp(&pid, program, &actions, &attributes, argv, gantry_environment())
                return
            }
            withCStrings(environment) { envp in
                status = posix_spawn(&pid, program, &actions, &attributes, argv, envp)
            }
        }
        guard status == 0 else { throw KernelError("start", program, Errno(rawValue: status)) }
        return pid
    }

    /// Nil where no child can be born there: an older kernel, a cgroup that is gone or may not have processes.
    private func start(in cgroup: Descriptor, _ raised: [Descriptor?]) throws(KernelError) -> Int32? {
        let numbers = raised.map { $0?.rawValue ?? -1 }
        var (pid, failure): (Int32, Int32) = (-1, 0)
        withCStrings([program] + (workingDirectory.map { [$0] } ?? [])) { paths in
            withCStrings(arguments) { argv in
                withCStrings(environment) { envp in
                    numbers.withUnsafeBufferPointer { numbers in
                        var spawn = gantry_spawn(
                            program: paths[0], arguments: argv, environment: envp, descriptors: numbers.baseAddress,
                            count: Int32(numbers.count), directory: paths[1], new_session: newSession ? 1 : 0,
                            failure: 0)
                        pid = gantry_spawn_into_cgroup(&spawn, cgroup.rawValue)
                        failure = spawn.failure
                    }
                }
            }
        }
        guard pid > 0 else { return nil }
        guard failure != 0 else { return pid }
        // It has ended already, and was never seen by anybody; why it did is what there is to tell.
        _ = try? kernelCall("wait for", program) { waitpid(pid, nil, 0) }
        throw KernelError("start", program, Errno(rawValue: failure))
    }
}
