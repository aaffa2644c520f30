import EngineAPI

extension ContractCase {
    static let restartCases = [
        ContractCase("A container with a policy is started again after a failure, as often as it says, then rests") {
            scene in
            let id = try await scene.create("echo x; exit 3") { spec in
                spec.restartPolicy = RestartPolicy(.onFailure, maximumRetries: 2)
            }
            try await scene.engine.start(id)
            try expectEqual(try await scene.engine.wait(id, for: .notRunning).exitCode, 3)
            while try await scene.engine.inspect(id).state.status != .exited {
                _ = try await scene.engine.wait(id, for: .notRunning)
            }
            let details = try await scene.engine.inspect(id)
            try expectEqual(details.restartCount, 2)
            try expectEqual(details.state.exitCode, 3)
            var lines = 0
            for try await entries in try await scene.engine.logs(id, LogRequest()) { lines += entries.count }
            try expectEqual(lines, 3)
        },
        ContractCase("Who stops a container is obeyed, whatever its policy, running or between two runs") { scene in
            let running = try await scene.start("exec sleep 60") { $0.restartPolicy = RestartPolicy(.always) }
            try await scene.engine.stop(running, signal: "KILL", timeoutSeconds: 5)
            try expectEqual(try await scene.engine.inspect(running).state.status, .exited)
            let failing = try await scene.start("exit 1") { $0.restartPolicy = RestartPolicy(.unlessStopped) }
            while try await scene.engine.inspect(failing).restartCount < 2 {
                _ = try await scene.engine.wait(failing, for: .nextExit)
            }
            do {
                try await scene.engine.stop(failing, signal: "KILL", timeoutSeconds: 5)
            } catch let error as EngineError where error.kind == .notModified {}
            try expectEqual(try await scene.engine.inspect(failing).state.status, .exited)
            try await scene.engine.remove(failing, force: false, volumes: false)
        },
        ContractCase("A policy does not go with removal at the end") { scene in
            try await expectRefusal(.invalid, "AutoRemove") {
                _ = try await scene.create("true") { spec in
                    spec.autoRemove = true
                    spec.restartPolicy = RestartPolicy(.always)
                }
            }
        },
    ]

    static let updateCases = [
        ContractCase("Limits change while it runs, and stay for the next run") { scene in
            let engine = scene.engine
            let id = try await scene.start("exec sleep 60") { $0.limits.pids = 50 }
            var update = ContainerUpdate()
            update.limits.memoryBytes = 64 << 20
            update.limits.pids = 40
            update.limits.cpuShares = 512
            _ = try await engine.update(id, update)
            try await expectLimits(engine, id, memoryBytes: 64 << 20, pids: 40)
            try expectEqual(try await engine.inspect(id).spec.limits.cpuShares, 512)
            try await engine.restart(id, signal: "KILL", timeoutSeconds: 5)
            try await expectLimits(engine, id, memoryBytes: 64 << 20, pids: 40)
        },
        ContractCase("Limits are taken away while it runs, and stay away") { scene in
            let engine = scene.engine
            let id = try await scene.start("exec sleep 60") { spec in
                spec.limits.memoryBytes = 64 << 20
                spec.limits.nanoCPUs = 500_000_000
                spec.limits.pids = 40
            }
            try await expectLimits(engine, id, memoryBytes: 64 << 20, pids: 40)
            var update = ContainerUpdate()
            update.limits.memoryBytes = -1
            update.limits.memorySwapBytes = -1
            update.limits.cpuQuotaMicroseconds = -1
            update.limits.pids = -1
            _ = try await engine.update(id, update)
            for _ in 0..<2 {
                let stream = try await engine.stats([id], every: nil)
                guard let sample = try await stream.next()?.first else {
                    throw ContractFailure(description: "no sample of a running container")
                }
                try expect(sample.memoryLimitBytes == 0 || sample.memoryLimitBytes > 1 << 30, "memory is limited")
                try expectEqual(sample.pidsLimit ?? 0, 0)
                let limits = try await engine.inspect(id).spec.limits
                try expect(limits.memoryBytes ?? 0 <= 0 && limits.nanoCPUs ?? 0 <= 0, "\(limits)")
                try await engine.restart(id, signal: "KILL", timeoutSeconds: 5)
            }
            update = ContainerUpdate()
            update.limits.nanoCPUs = 1_000_000_000
            _ = try await engine.update(id, update)
            try expectEqual(try await engine.inspect(id).spec.limits.nanoCPUs, 1_000_000_000)
        },
        ContractCase("What an update asks wrongly changes nothing") { scene in
            let engine = scene.engine
            let id = try await scene.start("exec sleep 60") { $0.limits.nanoCPUs = 500_000_000 }
            let before = try await engine.inspect(id).spec.limits
            var update = ContainerUpdate()
            update.limits.memoryBytes = 1 << 20
            try await expectRefusal(.invalid, "Minimum memory limit allowed is 6MB") {
                _ = try await engine.update(id, update)
            }
            update = ContainerUpdate()
            update.limits.cpuQuotaMicroseconds = 5000
            try await expectRefusal(.conflict, "NanoCPUs has already been set") {
                _ = try await engine.update(id, update)
            }
            try expectEqual(try await engine.inspect(id).spec.limits, before)
        },
    ]
}

private func expectLimits(_ engine: any Engine, _ id: String, memoryBytes: UInt64, pids: UInt64) async throws {
    let stream = try await engine.stats([id], every: nil)
    guard let sample = try await stream.next()?.first else {
        throw ContractFailure(description: "no sample of a running container")
    }
    try expectEqual(sample.memoryLimitBytes, memoryBytes)
    try expectEqual(sample.pidsLimit, pids)
}
