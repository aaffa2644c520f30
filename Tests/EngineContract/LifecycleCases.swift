import EngineAPI

extension ContractCase {
    static let lifecycleCases = [
        ContractCase("A container is created, listed, run, and gone when removed") { scene in
            let engine = scene.engine
            let id = try await scene.create("exit 7", name: "contract-life")
            try expectEqual(id.count, 64)
            let created = try await engine.inspect(id)
            try expectEqual(created.name, "contract-life")
            try expectEqual(created.state.status, .created)
            try expectEqual(created.arguments.last, "exit 7")
            let unseen = try await engine.containers(ContainerFilter()).map(\.id)
            try expect(!unseen.contains(id), "a container that does not run is listed")
            let listed = try await engine.containers(ContainerFilter(all: true)).first { $0.id == id }
            try expectEqual(listed?.name, "contract-life")
            try expectEqual(listed?.state.status, .created)
            let wait = try await engine.beginWait(id, for: .nextExit)
            try await engine.start("contract-life")
            try expectEqual(try await wait.result().exitCode, 7)
            let ended = try await engine.inspect(id).state
            try expectEqual(ended.status, .exited)
            try expectEqual(ended.exitCode, 7)
            try expectEqual(ended.pid, 0)
            try expect(ended.startedAt.map { $0 <= ended.finishedAt ?? $0 } ?? false, "it ended before it started")
            try await engine.remove(id, force: false, volumes: false)
            try await expectRefusal(.notFound, "No such container") { _ = try await engine.inspect(id) }
        },
        ContractCase("Each step from the request to the running process is kept with its time, in order") { scene in
            let id = try await scene.start("exec sleep 60")
            let launch = try await scene.engine.inspect(id).launch
            try expectEqual(launch.map(\.name), LaunchStep.Name.allCases)
            try expect(launch.map(\.time) == launch.map(\.time).sorted(), "\(launch)")
        },
        ContractCase("A running container is listed with its process; to start it again changes nothing") { scene in
            let id = try await scene.start("sleep 60")
            let listed = try await scene.engine.containers(ContainerFilter()).first { $0.id == id }
            try expectEqual(listed?.state.status, .running)
            let pid = try await scene.engine.inspect(id).state.pid
            try expect(pid > 0, "it has no process")
            try await expectRefusal(.notModified) { try await scene.engine.start(id) }
            try expectEqual(try await scene.engine.inspect(id).state.pid, pid)
        },
        ContractCase("A container that ended runs again, with what it wrote to its files") { scene in
            let id = try await scene.create("echo x >> /file; wc -l < /file")
            for expected in ["1", "2"] {
                let stream = try await scene.engine.attach(id, AttachRequest())
                try await scene.engine.start(id)
                let output = try await Output(reading: stream)
                try expectEqual(output.stdout.filter { !$0.isWhitespace }, expected)
                _ = try await scene.engine.wait(id, for: .notRunning)
            }
        },
        ContractCase("A restarted container has another process") { scene in
            let id = try await scene.start("exec sleep 60")
            let first = try await scene.engine.inspect(id).state
            try await scene.engine.restart(id, signal: nil, timeoutSeconds: 0)
            let second = try await scene.engine.inspect(id).state
            try expectEqual(second.status, .running)
            try expect(first.pid != second.pid, "it is the same process")
        },
        ContractCase("A paused container stands still, and goes on") { scene in
            let engine = scene.engine
            let id = try await scene.start("while :; do sleep 1; done")
            try await engine.pause(id)
            try expectEqual(try await engine.inspect(id).state.status, .paused)
            try await expectRefusal(.conflict, "already paused") { try await engine.pause(id) }
            try await expectRefusal(.conflict, "paused") {
                _ = try await engine.createExec(id, ExecSpec(command: ["true"]))
            }
            try await engine.unpause(id)
            try expectEqual(try await engine.inspect(id).state.status, .running)
            try await expectRefusal(.conflict, "not paused") { try await engine.unpause(id) }
        },
        ContractCase("A paused container is killed as one that runs") { scene in
            let engine = scene.engine
            for ends in ["kill", "stop"] {
                let id = try await scene.start("exec sleep 60")
                try await engine.pause(id)
                if ends == "kill" { try await engine.kill(id, signal: "KILL") }
                if ends == "stop" { try await engine.stop(id, signal: "KILL", timeoutSeconds: 10) }
                let state = try await engine.inspect(id).state
                try expectEqual(state.status, .exited)
                try expectEqual(state.exitCode, 137)
            }
        },
        ContractCase("A name names one container; renamed, it is found by the new name alone") { scene in
            let engine = scene.engine
            let id = try await scene.create("true", name: "contract-first")
            let other = try await scene.create("true", name: "contract-other")
            try await expectRefusal(.conflict, "already in use by container") {
                _ = try await scene.create("true", name: "contract-first")
            }
            try await expectRefusal(.conflict, "already in use by container") {
                try await engine.rename(other, to: "contract-first")
            }
            try await engine.rename("contract-first", to: "contract-second")
            try expectEqual(try await engine.inspect("contract-second").id, id)
            try await expectRefusal(.notFound) { _ = try await engine.inspect("contract-first") }
            try expectEqual(try await engine.inspect(String(id.prefix(20))).id, id)
        },
        ContractCase("A running container is removed only by force") { scene in
            let engine = scene.engine
            let id = try await scene.start("sleep 60")
            try await expectRefusal(.conflict, "container is running") {
                try await engine.remove(id, force: false, volumes: false)
            }
            try await engine.remove(id, force: true, volumes: false)
            try await expectRefusal(.notFound) { _ = try await engine.inspect(id) }
            let paused = try await scene.start("sleep 60")
            try await engine.pause(paused)
            try await engine.remove(paused, force: true, volumes: false)
            try await expectRefusal(.notFound) { _ = try await engine.inspect(paused) }
        },
        ContractCase("A container made to remove itself is gone after its end") { scene in
            let id = try await scene.create("exit 3") { $0.autoRemove = true }
            let wait = try await scene.engine.beginWait(id, for: .removed)
            try await scene.engine.start(id)
            try expectEqual(try await wait.result().exitCode, 3)
            try await expectRefusal(.notFound) { _ = try await scene.engine.inspect(id) }
        },
        ContractCase("A container made to remove itself is removed by force while it runs") { scene in
            let id = try await scene.create("sleep 60") { $0.autoRemove = true }
            try await scene.engine.start(id)
            try await scene.engine.remove(id, force: true, volumes: false)
            try await expectRefusal(.notFound) { _ = try await scene.engine.inspect(id) }
        },
    ]

    static let stoppingCases = [
        ContractCase("A stop sends the stop signal and takes the program's own exit code") { scene in
            let id = try await scene.start(after: "trap 'exit 5' TERM", "while :; do sleep 0.1; done")
            try await scene.engine.stop(id, signal: nil, timeoutSeconds: 20)
            try expectEqual(try await scene.engine.inspect(id).state.exitCode, 5)
            try await expectRefusal(.notModified) { try await scene.engine.stop(id, signal: nil, timeoutSeconds: nil) }
        },
        ContractCase("A stop may have all the time that there is") { scene in
            let id = try await scene.start(after: "trap 'exit 5' TERM", "while :; do sleep 0.1; done")
            try await scene.engine.stop(id, signal: nil, timeoutSeconds: .max)
            try expectEqual(try await scene.engine.inspect(id).state.status, .exited)
        },
        ContractCase("A program that will not stop is killed when the time is over") { scene in
            let id = try await scene.start(after: "trap '' TERM", "while :; do sleep 1; done")
            try await scene.engine.stop(id, signal: nil, timeoutSeconds: 1)
            let state = try await scene.engine.inspect(id).state
            try expectEqual(state.status, .exited)
            try expectEqual(state.exitCode, 137)
        },
        ContractCase("A paused container can be stopped") { scene in
            let id = try await scene.start(after: "trap 'exit 6' TERM", "while :; do sleep 0.1; done")
            try await scene.engine.pause(id)
            try await scene.engine.stop(id, signal: nil, timeoutSeconds: 20)
            try expectEqual(try await scene.engine.inspect(id).state.status, .exited)
        },
        ContractCase("A signal is sent by name or number; a killed container has ended") { scene in
            let engine = scene.engine
            let id = try await scene.start(after: "trap 'exit 8' USR1", "while :; do sleep 0.1; done")
            let wait = try await engine.beginWait(id, for: .nextExit)
            try await engine.kill(id, signal: "USR1")
            try expectEqual(try await wait.result().exitCode, 8)
            try await expectRefusal(.conflict, "is not running") { try await engine.kill(id, signal: "KILL") }
            try await engine.start(id)
            try await expectRefusal(.invalid) { try await engine.kill(id, signal: "NOPE") }
            try await engine.kill(id, signal: "9")
            try expectEqual(try await engine.inspect(id).state.exitCode, 137)
        },
    ]

    static let waitingCases = [
        ContractCase("Who waits for a container that does not run is told its last exit at once") { scene in
            let id = try await scene.create("exit 4")
            let wait = try await scene.engine.beginWait(id, for: .nextExit)
            try await scene.engine.start(id)
            _ = try await wait.result()
            try expectEqual(try await scene.engine.wait(id, for: .notRunning).exitCode, 4)
        },
        ContractCase("Any number may wait, and each is told") { scene in
            let id = try await scene.start(after: "trap 'exit 2' TERM", "while :; do sleep 0.1; done")
            var waits: [ExitWait] = []
            for condition in [WaitCondition.notRunning, .nextExit, .notRunning] {
                waits.append(try await scene.engine.beginWait(id, for: condition))
            }
            try await scene.engine.stop(id, signal: nil, timeoutSeconds: 20)
            for wait in waits { try expectEqual(try await wait.result().exitCode, 2) }
        },
    ]
}
