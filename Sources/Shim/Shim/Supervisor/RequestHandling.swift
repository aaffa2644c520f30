import Glibc
import Linux
import ShimAPI

/// From a client's frame to what is done about it.
extension ContainerSupervisor {
    /// How long a shim that was never asked to create anything waits for somebody who might.
    private static var patienceMilliseconds: Int64 { 10_000 }

    /// - Parameter connection: somebody's, taken over.
    func serve(_ connection: Descriptor) { add(Client(connection, loop: loop, scratch: readScratch)) }

    /// Ends the shim in a while unless somebody connects: the engine that started it may be dead.
    func endIfForgotten() {
        guard status == .empty, operation == nil, clients.isEmpty else { return }
        loop.after(milliseconds: Self.patienceMilliseconds) { [unowned self] in
            guard status == .empty, operation == nil, clients.isEmpty, !isLeaving else { return }
            Diagnostics.note("nobody asked for a container: ending")
            directory.removeAll()
            loop.end()
        }
    }

    private func add(_ client: Client) {
        client.onFrame = { [unowned self, unowned client] frame throws(ShimFrameError) in
            try handle(frame, from: client)
        }
        client.onClose = { [unowned self, unowned client] in remove(client) }
        clients.append(client)
        do { try client.start() } catch { client.close() }
    }

    private func remove(_ client: Client) {
        if let attachment = client.attachment, let process = client.attachedTo {
            process.detach(attachment)
            awaitSuccessor(of: process)
            forgetUnstartedExec(process)
        }
        // Not at once: the client may be further up in the present call.
        loop.after(milliseconds: 0) { [unowned self] in
            clients.removeAll { $0 === client }
            if isLeaving, clients.isEmpty { return loop.end() }
            endIfForgotten()
            endIfUnreachable()
        }
    }

    private func handle(_ frame: ShimFrame, from client: Client) throws(ShimFrameError) {
        if let attachment = client.attachment, let process = client.attachedTo {
            return try handleStream(ShimStreamFrame(frame), attachment, process, from: client)
        }
        let request = try ShimRequest(frame)
        if case .hello(let version) = request {
            guard version >= 1 else { throw ShimFrameError("version \(version) is not spoken here") }
            client.greeted = true
            return client.send(.hello(version: ShimFrame.version, shim: shim), tag: frame.tag)
        }
        guard client.greeted else { throw ShimFrameError("a request before the hello") }
        do {
            try perform(request, for: client, tag: frame.tag)
        } catch {
            client.send(.failed(error), tag: frame.tag)
        }
    }

    /// A table of requests. Those that take time answer later, by the function that they are given.
    private func perform(_ request: ShimRequest, for client: Client, tag: UInt32) throws(ShimFailure) {
        let answer: (Result<ShimAnswer, ShimFailure>) -> Void = { [weak client] result in
            switch result {
            case .success(let answer): client?.send(answer, tag: tag)
            case .failure(let failure): client?.send(.failed(failure), tag: tag)
            }
        }
        switch request {
        case .hello: break
        case .create: try create(answer)
        case .start: try start(answer)
        case .kill(let execID, let signal):
            try kill(execID, signal)
            answer(.success(.done))
        case .pause: try pause(answer)
        case .resume: try resume(answer)
        case .exec(let exec): try startExec(exec, answer)
        case .prepareExec(let id, let terminal, let input):
            prepareExec(id, ExecForm(terminal: terminal, input: input))
            answer(.success(.done))
        case .prepareProcess(let id, let process):
            prepareProcess(of: id, process)
            answer(.success(.done))
        case .resize(let execID, let columns, let rows):
            try resize(execID, columns: columns, rows: rows)
            answer(.success(.done))
        case .attach(let attach): try self.attach(client, attach, tag: tag)
        case .survey: answer(.success(.facts(facts)))
        case .subscribe:
            client.subscriptionTag = tag
            answer(.success(.facts(facts)))
            for (id, exit) in execEnds.ends { client.send(.report(.execExited(id: id, exit)), tag: tag) }
        case .delete: try delete(answer)
        case .serveNames:
            try serveNames()
            answer(.success(.done))
        }
    }

    private func handleStream(
        _ frame: ShimStreamFrame, _ attachment: Attachment, _ process: SupervisedProcess, from client: Client
    ) throws(ShimFrameError) {
        switch frame {
        case .stdin(let bytes):
            guard attachment.request.stdin else { throw ShimFrameError("input from a client that gives none") }
            client.input.give(bytes, to: process.input)
        case .inputSource:
            guard attachment.request.stdin else { throw ShimFrameError("input from a client that gives none") }
            try attachment.readInput(from: try client.input.takeLent(), for: process.input, scratch: readScratch)
        case .outputTarget(let heads): try attachment.turnOutput(to: try client.input.takeLent(), heads)
        case .inputEnd:
            if attachment.request.stdin { process.input.end() }
        case .stdout, .stderr, .lost, .sourceEnd, .outputTurn, .end:
            throw ShimFrameError("a client sent what only a shim sends")
        }
    }
}
