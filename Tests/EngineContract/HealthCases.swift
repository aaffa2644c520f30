import EngineAPI

extension ContractCase {
    static let healthCases = [
        ContractCase("A container whose check succeeds is healthy, one whose check fails too often is not") { scene in
            let engine = scene.engine
            let id = try await scene.start("touch /well; exec sleep 60") { spec in
                spec.healthCheck = Self.quick("echo looked; test -e /well")
            }
            let healthy = try await Self.health(engine, id) { $0.status == .healthy }
            try expectEqual(healthy.failingStreak, 0)
            try expectEqual(healthy.log.last?.exitCode, 0)
            try expectEqual(healthy.log.last?.output, "looked\n")
            let exec = try await engine.createExec(id, ExecSpec(command: ["rm", "/well"]))
            try await engine.startExecDetached(exec)
            let unhealthy = try await Self.health(engine, id) { $0.status == .unhealthy }
            try expect(unhealthy.failingStreak >= 2, "\(unhealthy)")
            try expectEqual(unhealthy.log.last?.exitCode, 1)
            try expect(unhealthy.log.count <= 5, "\(unhealthy.log.count) results are kept")
            var request = EventRequest()
            (request.since, request.until) = (Timestamp(nanosecondsSinceEpoch: 0), .now())
            (request.containers, request.actions) = ([id], ["health_status"])
            var words: [String] = []
            for try await event in try await engine.events(request) { words.append(event.action) }
            try expectEqual(words, ["health_status: healthy", "health_status: unhealthy"])
        },
        ContractCase("A check that takes too long is ended and counts as failed") { scene in
            let id = try await scene.start("exec sleep 60") { spec in
                spec.healthCheck = Self.quick("sleep 50")
                spec.healthCheck?.timeout = .milliseconds(50)
            }
            let state = try await Self.health(scene.engine, id) { $0.status == .unhealthy }
            try expectEqual(state.log.last?.exitCode, -1)
            try expect(state.log.last?.output.contains("exceeded timeout") == true, "\(state.log)")
        },
        ContractCase("Where nobody asks there is no health") { scene in
            let plain = try await scene.start("exec sleep 60")
            try expectEqual(try await scene.engine.inspect(plain).state.health, nil)
            let silent = try await scene.start("exec sleep 60") { $0.healthCheck = HealthCheck(test: ["NONE"]) }
            try expectEqual(try await scene.engine.inspect(silent).state.health, nil)
        },
    ]

    private static func quick(_ line: String) -> HealthCheck {
        var check = HealthCheck(test: ["CMD-SHELL", line])
        check.interval = .milliseconds(20)
        check.retries = 2
        return check
    }

    private static func health(
        _ engine: any Engine, _ id: String, until holds: (HealthState) -> Bool
    ) async throws -> HealthState {
        for _ in 0..<1000 {
            if let state = try await engine.inspect(id).state.health, holds(state) { return state }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ContractFailure(description: "health: \(try await engine.inspect(id).state)")
    }

    static let sharingCases = [
        ContractCase("Who shares the host's namespaces is in them, who does not is not") { scene in
            let script =
                "cat /proc/sys/kernel/hostname; for i in uts ipc pid; do readlink /proc/self/ns/$i; done"
            let own = try await scene.run(script) { $0.hostname = "own" }
            let shared = try await scene.run(script) { spec in
                (spec.utsMode, spec.ipcMode, spec.pidMode) = (.host, .host, .host)
            }
            let (first, second) = (own.stdout.split(separator: "\n"), shared.stdout.split(separator: "\n"))
            try expectEqual(first.count, 4)
            try expectEqual(second.count, 4)
            for (left, right) in zip(first, second) { try expect(left != right, "\(left) is shared") }
        },
        ContractCase("A container joins another's pid namespace, which must run") { scene in
            let first = try await scene.start("exec sleep 77")
            let output = try await scene.run("ps") { $0.pidMode = .container(first) }
            try expect(output.stdout.contains("sleep 77"), output.stdout)
            try await scene.engine.stop(first, signal: "KILL", timeoutSeconds: 5)
            let late = try await scene.create("true") { $0.pidMode = .container(first) }
            try await expectRefusal(.conflict, "cannot join PID of a non running container") {
                try await scene.engine.start(late)
            }
        },
        ContractCase("An init process comes first, and reaps whom the program leaves behind") { scene in
            let output = try await scene.run(
                "echo $$; cat /proc/1/comm; (sleep 0.01 & ); sleep 0.2; ps | grep -c '\\[sleep\\]'"
            ) { $0.usesInit = true }
            let lines = output.stdout.split(separator: "\n")
            try expect(lines.count == 3 && lines[0] != "1" && lines[1].contains("init"), output.stdout)
            try expectEqual(lines.last, "0")
        },
        ContractCase("A device that is given can be used, others cannot") { scene in
            let script =
                "test -c /dev/given && echo there; cat /dev/given >/dev/null && echo read; mknod /x c 1 4; cat /x"
            let output = try await scene.run(script) { spec in
                spec.devices = [DeviceSpec(hostPath: "/dev/null", containerPath: "/dev/given", permissions: "r")]
            }
            try expectEqual(output.stdout, "there\nread\n")
            try expect(output.stderr.contains("not permitted"), output.stderr)
            let missing = try await scene.create("true") { spec in
                spec.devices = [DeviceSpec(hostPath: "/dev/contract", containerPath: "/dev/x")]
            }
            try await expectRefusal(.invalid, "adding custom device \"/dev/contract\"") {
                try await scene.engine.start(missing)
            }
        },
        ContractCase("A system-call profile of one's own holds") { scene in
            let profile = #"""
                {"defaultAction":"SCMP_ACT_ALLOW","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":[]}],
                "syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","args":[]},
                {"names":["chmod","fchmodat"],"action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_SYS_BOOT"]}}]}
                """#
            let output = try await scene.run("mkdir /x 2>/dev/null; echo $?; chmod 700 /etc; echo $?") { spec in
                spec.seccompProfile = profile
            }
            try expectEqual(output.stdout, "1\n0\n")
            try await expectRefusal(.invalid, "seccomp") {
                _ = try await scene.create("true") { $0.seccompProfile = "{" }
            }
        },
        ContractCase("Paths of /proc are hidden unless it is said otherwise") { scene in
            let script = "grep -c ' /proc/' /proc/self/mounts"
            let usual = try await scene.run(script)
            try expect(usual.stdout != "0\n", "nothing is hidden")
            let open = try await scene.run(script) { ($0.maskedPaths, $0.readonlyPaths) = ([], []) }
            try expectEqual(open.stdout, "0\n")
        },
        ContractCase("A runtime that nobody knows is refused by its name") { scene in
            try await expectRefusal(.invalid, "unknown or invalid runtime name: contract-runtime") {
                _ = try await scene.create("true") { $0.runtime = "contract-runtime" }
            }
        },
    ]
}
