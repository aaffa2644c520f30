import EngineAPI

/// Follows one thing of the engine until it is cancelled; begins again by itself when the engine was away.
struct Follower: Sendable {
    let engine: any Engine
    let mailbox: Mailbox

    func follow(_ subscription: Subscription) async {
        switch subscription {
        case .engine: await followEngine()
        case .stats(let ids): await followStats(ids)
        case .processes(let id): await followProcesses(id)
        case .logs(let log): await followLog(log)
        case .file(let request): await read(request)
        case .sift(let piece):
            guard let places = await piece.passingUnlessCancelled() else { return }
            mailbox.post(.sifted(piece.number, places), isUrgent: true)
        }
    }

    /// Events first, then the lists: what happens between the two is told twice rather than never.
    private func followEngine() async {
        var pause = Duration.milliseconds(100)
        while !Task.isCancelled {
            do {
                let events = try await engine.events(EventRequest())
                mailbox.post(.connected(try await engine.version(), try await engine.info()))
                mailbox.post(.containers(try await engine.containers(ContainerFilter(all: true))))
                mailbox.post(.images(try await engine.images(ImageFilter())))
                pause = .milliseconds(100)
                // The end of the stream is no loss yet: the next round finds out.
                for try await event in events { await mailbox.deliver(.event(event.reduced)) }
            } catch {
                guard !Task.isCancelled else { return }
                mailbox.post(.connectionLost(EngineError(ending: error).message))
            }
            guard await wait(pause) else { return }
            pause = min(pause * 2, .seconds(5))
        }
    }

    private func followStats(_ ids: [String]) async {
        while !Task.isCancelled {
            do {
                for try await samples in try await engine.stats(ids, every: .seconds(1)) {
                    await mailbox.deliver(.stats(samples))
                }
            } catch {
                // A container that is gone, or the engine is: both are told elsewhere, and the set changes then.
            }
            guard await wait(.seconds(1)) else { return }
        }
    }

    private func followProcesses(_ id: String) async {
        repeat {
            // It has ended, or the engine is away: told elsewhere.
            if let nodes = try? await engine.processes(id) {
                await mailbox.deliver(.processes(containerID: id, nodes, at: .now()))
            }
        } while await wait(.seconds(2))
    }

    /// A link as the last name is followed: its target is what somebody wants to read.
    private func read(_ request: FileRequest) async {
        let (id, path) = (request.container.id, request.path)
        let result: Result<[UInt8], EngineError>
        do throws(EngineError) {
            let target = try await engine.statPath(id, path: path).linkTarget
            let archive = try await engine.copyOut(id, path: target ?? path)
            result = .success(try await archive.fileContents(path, limitBytes: FileRequest.limitBytes))
        } catch { result = .failure(error) }
        guard !Task.isCancelled else { return }
        mailbox.post(.file(request, result))
    }

    private func followLog(_ log: LogSubscription) async {
        var request = LogRequest()
        request.follow = true
        request.certainTimesOnly = true
        request.tail = log.tail
        request.since = log.since
        do {
            for try await entries in try await engine.logs(log.containerID, request) {
                await mailbox.deliver(.logs(log, .entries(Array(entries))))
            }
            mailbox.post(.logs(log, .ended(nil)))
        } catch {
            guard !Task.isCancelled else { return }
            mailbox.post(.logs(log, .ended(EngineError(ending: error).message)))
        }
    }

    /// False when cancelled meanwhile.
    private func wait(_ duration: Duration) async -> Bool {
        do {
            try await Task.sleep(for: duration)
            return true
        } catch {
            return false
        }
    }
}
