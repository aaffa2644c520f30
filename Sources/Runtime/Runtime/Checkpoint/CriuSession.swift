import CLinux
import Glibc
import Linux

/// One conversation with CRIU's service mode (`criu swrk`) over a pair of packet sockets:
///
/// ```
///   runtime                                 criu swrk 3
///     ├─ request: version, dump, restore ─────►│
///     │◄──────── notify: post-dump, … ─────────┤  (each waits for its answer)
///     ├─ notify, success ─────────────────────►│
///     │◄──────── response, success or errno ───┤
/// ```
///
/// The service is used, not CRIU's command line: only it makes the restored process this program's child, hands over
/// the terminal's other end as a descriptor, and stops where the hooks have to run.
struct CriuSession {
    /// The program: a path, or a name to be looked for.
    let program: String
    let log: LogOutput

    /// 31700 for 3.17; throws where it is older than any that has this protocol whole.
    func version() throws(RuntimeError) -> Int32 {
        let response = try step("CRIU version check failed") { () throws(RuntimeError) in
            try converse(CriuRequest(.version)) { (_, _) throws(RuntimeError) in }
        }
        let version = response.version ?? 0
        guard version >= 30000 else { throw RuntimeError("CRIU version \(version) must be 30000 or higher") }
        log.debug("using CRIU \(version)")
        return version
    }

    func require(_ name: String, feature: Int) throws(RuntimeError) {
        let response = try step("CRIU feature check failed") { () throws(RuntimeError) in
            try converse(CriuRequest.feature(feature)) { (_, _) throws(RuntimeError) in }
        }
        guard response.features[feature] == true else { throw RuntimeError("criu is missing features: [\(name)]") }
    }

    /// Sends the request and answers what CRIU tells meanwhile.
    ///
    /// - Parameters:
    ///   - inherited: descriptors that become CRIU's from 4 on; its first three are this program's own.
    ///   - prepare: is given CRIU's pid before it is given the request, and may complete that.
    ///   - notified: is called for each notification, with the descriptor that came along, which it closes.
    @discardableResult
    func converse(
        _ request: CriuRequest, inheriting inherited: [Descriptor] = [],
        prepare: (Int32, inout CriuRequest) throws(RuntimeError) -> Void = { (_, _) throws(RuntimeError) in },
        notified: (CriuResponse, Descriptor?) throws(RuntimeError) -> Void
    ) throws(RuntimeError) -> CriuResponse {
        let (near, far) = try attempt { () throws(KernelError) in try SyncChannel.pair() }
        let connection = OwnedDescriptor(near.socket)
        let process: Descriptor
        let pid: Int32
        do throws(RuntimeError) {
            defer { far.socket.close() }
            // After a pre-dump CRIU complains that no dump has followed.
            pid = try start(far.socket, inherited, isQuiet: request.kind == .preDump)
            process = try attempt { () throws(KernelError) in try PidFD.open(pid: pid) }
        } catch {
            throw error
        }
        do throws(RuntimeError) {
            var request = request
            try prepare(pid, &request)
            let response = try exchange(request, connection.descriptor, notified)
            let isPreDump = request.kind == .preDump
            _ = consume connection
            // After a pre-dump CRIU waits for the dump, until it sees that none will come.
            let code = try attempt { () throws(KernelError) in try PidFD.reap(process) }
            process.close()
            guard code == 0 || isPreDump else { throw RuntimeError("criu failed: exit status \(code)") }
            return response
        } catch {
            // What went wrong before is what is told; CRIU may have ended by itself.
            try? PidFD.send(SIGKILL, to: process)
            // As above.
            _ = try? PidFD.reap(process)
            process.close()
            throw error
        }
    }

    /// - Parameter isQuiet: whether CRIU's error stream is left out; what went wrong is in its log.
    private func start(
        _ far: Descriptor, _ inherited: [Descriptor], isQuiet: Bool
    ) throws(RuntimeError) -> Int32 {
        let path = try find()
        var spawn = Spawn(program: path, arguments: ["criu", "swrk", "3"])
        spawn.environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        let standard = (Int32(0)...2).map { number in
            fcntl(number, F_GETFD) < 0 || (isQuiet && number == 2) ? nil : Descriptor(rawValue: number)
        }
        spawn.descriptors = standard + [far] + inherited
        return try attempt("unable to run criu") { () throws(KernelError) in try spawn.start() }
    }

    private func find() throws(RuntimeError) -> String {
        if program.contains("/") { return program }
        let search = getenv("PATH").map { String(cString: $0) } ?? ""
        for folder in search.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin"] {
            let candidate = PathName.joined(folder, program)
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw RuntimeError("exec: \"\(program)\": executable file not found in $PATH")
    }

    private func exchange(
        _ request: CriuRequest, _ socket: Descriptor,
        _ notified: (CriuResponse, Descriptor?) throws(RuntimeError) -> Void
    ) throws(RuntimeError) -> CriuResponse {
        try send(request, socket)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var brought: Int32 = -1
            let count = try attempt { () throws(KernelError) in
                try kernelCall("receive from criu") {
                    gantry_receive_message(socket.rawValue, &buffer, buffer.count, &brought)
                }
            }
            guard count > 0 else { throw RuntimeError("criu failed: it ended without an answer") }
            let descriptor = brought < 0 ? nil : Descriptor(rawValue: brought)
            guard let response = CriuResponse(parsing: buffer[..<count]) else {
                descriptor?.close()
                throw RuntimeError("unable to parse the response of criu")
            }
            guard response.isSuccess else {
                let words = response.errorMessage.map { ": \($0)" } ?? ""
                throw RuntimeError(
                    "criu failed: type \(Self.name(response.kind)) errno \(response.errorNumber)\(words)")
            }
            guard response.kind == CriuRequest.Kind.notify.rawValue else { return response }
            log.debug("criu: \(response.script ?? "notification")")
            try notified(response, descriptor)
            try send(.goOn, socket)
        }
    }

    private func send(_ request: CriuRequest, _ socket: Descriptor) throws(RuntimeError) {
        let bytes = request.bytes
        try attempt { () throws(KernelError) in
            try kernelCall("send to criu") { Glibc.send(socket.rawValue, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
        }
    }

    private static func name(_ kind: Int32) -> String {
        switch CriuRequest.Kind(rawValue: kind) {
        case .dump: "DUMP"
        case .restore: "RESTORE"
        case .preDump: "PRE_DUMP"
        case .notify: "NOTIFY"
        case .checkFeatures: "FEATURE_CHECK"
        case .version: "VERSION"
        case nil: String(kind)
        }
    }
}
