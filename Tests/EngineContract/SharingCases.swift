import EngineAPI

extension ContractCase {
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
            try await expectRefusal(.conflict, "container \(first) is not running") {
                try await scene.engine.start(late)
            }
        },
        ContractCase("A container shares another's ipc namespace and memory, over the other's restarts") { scene in
            let script = "readlink /proc/self/ns/ipc; cat /dev/shm/word; echo heard > /dev/shm/answer"
            let lender = try await scene.start(
                "echo said > /dev/shm/word; readlink /proc/self/ns/ipc > /dev/shm/x; mv /dev/shm/x /dev/shm/ns; exec sleep 99"
            ) { $0.ipcMode = .shareable }
            let joiner = try await scene.create(script) { $0.ipcMode = .container(lender) }
            for _ in 0..<2 {
                // The script may not be there yet: what it writes is waited for.
                let wait = "while ! test -e /dev/shm/ns; do sleep 0.01; done; cat /dev/shm/ns"
                let ns = try await scene.exec(wait, in: lender).stdout
                try expectEqual(try await scene.output(of: joiner).stdout, ns + "said\n")
                try expectEqual(try await scene.exec("cat /dev/shm/answer", in: lender).stdout, "heard\n")
                try await scene.engine.restart(lender, signal: "KILL", timeoutSeconds: 5)
            }
            // Who shares may be shared in turn.
            _ = try await scene.exec("while ! test -e /dev/shm/ns; do sleep 0.01; done", in: lender)
            let middle = try await scene.start("exec sleep 1000") { $0.ipcMode = .container(lender) }
            let last = try await scene.run("ls /dev/shm") { $0.ipcMode = .container(middle) }
            try expect(last.stdout.contains("word"), last.stdout)
        },
        ContractCase("Another's ipc namespace must be there and free to be shared") { scene in
            let words = "non-shareable IPC (hint: use IpcMode:shareable for the donor container)"
            for mode in [nil, NamespaceMode.private, .absent] {
                let closed = try await scene.start("exec sleep 1000") { $0.ipcMode = mode }
                let joiner = try await scene.create("true") { $0.ipcMode = .container(closed) }
                try await expectRefusal(.conflict, "can't join IPC of container \(closed): \(words)") {
                    try await scene.engine.start(joiner)
                }
            }
            let idle = try await scene.create("true") { $0.ipcMode = .shareable }
            let joiner = try await scene.create("true") { $0.ipcMode = .container(idle) }
            try await expectRefusal(
                .conflict, "can't join IPC of container \(idle): container \(idle) is not running"
            ) { try await scene.engine.start(joiner) }
            try await expectRefusal(.invalid, "No such container: contract-absent") {
                _ = try await scene.create("true") { $0.ipcMode = .container("contract-absent") }
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
