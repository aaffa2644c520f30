import EngineAPI

extension ContractCase {
    static let optionCases = [
        ContractCase("Environment, directory, user and host name are as given") { scene in
            let output = try await scene.run("echo $A; pwd; id -u; id -g; hostname; echo $HOME") { spec in
                spec.environment = ["A=b c"]
                spec.workingDirectory = "/srv/made"
                spec.user = "1000:1001"
                spec.hostname = "contract-name"
            }
            try expectEqual(output.stdout, "b c\n/srv/made\n1000\n1001\ncontract-name\n/\n")
        },
        ContractCase("Entrypoint and command go together") { scene in
            let output = try await scene.run("unused") { spec in
                spec.entrypoint = ["echo", "entry"]
                spec.command = ["command"]
            }
            try expectEqual(output.stdout, "entry command\n")
        },
        ContractCase("The container has a pid namespace, a network of its own and its own files in /etc") { scene in
            let output = try await scene.run(
                "echo $$; ls /sys/class/net; cat /etc/hostname; grep -c localhost /etc/hosts"
            ) { $0.hostname = "own" }
            try expectEqual(output.stdout, "1\nlo\nown\n2\n")
        },
        ContractCase("A read-only root cannot be written, a tmpfs in it can") { scene in
            let output = try await scene.run("touch /x 2>/dev/null; echo $?; touch /scratch/x; echo $?") { spec in
                spec.readOnlyRoot = true
                spec.mounts = [MountSpec(.tmpfs, target: "/scratch")]
            }
            try expectEqual(output.stdout, "1\n0\n")
        },
        ContractCase("A bound directory is the host's, read-only where asked") { scene in
            let output = try await scene.run("test -e /host/hostname && touch /host/x 2>/dev/null; echo $?") { spec in
                var mount = MountSpec(.bind, source: "/etc", target: "/host")
                mount.readOnly = true
                spec.mounts = [mount]
            }
            try expectEqual(output.stdout, "1\n")
        },
        ContractCase("Capabilities are limited, and dropped where asked") { scene in
            let script = "grep CapBnd /proc/self/status | cut -f2"
            let usual = try await scene.run(script)
            try expectEqual(usual.stdout, "00000000a80425fb\n")
            let none = try await scene.run(script) { $0.droppedCapabilities = ["ALL"] }
            try expectEqual(none.stdout, "0000000000000000\n")
        },
        ContractCase("Limits of files and processes hold") { scene in
            let output = try await scene.run("ulimit -n; for i in 1 2 3 4 5 6 7 8; do sleep 5 & done 2>&1; exit 0") {
                spec in
                spec.ulimits = [Ulimit(name: "nofile", soft: 77, hard: 99)]
                spec.limits.pids = 4
            }
            try expect(output.stdout.hasPrefix("77\n"), output.stdout)
            try expect((output.stdout + output.stderr).contains("fork"), "every process was made")
        },
        ContractCase("A program that takes more memory than it may is killed, and that is told") { scene in
            let id = try await scene.start("tail -c 100000000 /dev/zero") { spec in
                spec.limits.memoryBytes = 16 << 20
                spec.limits.memorySwapBytes = 16 << 20
            }
            try expectEqual(try await scene.engine.wait(id, for: .notRunning).exitCode, 137)
            try expectEqual(try await scene.engine.inspect(id).state.oomKilled, true)
        },
    ]

    static let refusalCases = [
        ContractCase("Who is not there is said not to be") { scene in
            let engine = scene.engine
            let words = "No such container: contract-absent"
            try await expectRefusal(.notFound, words) { try await engine.start("contract-absent") }
            try await expectRefusal(.notFound, words) {
                try await engine.stop("contract-absent", signal: nil, timeoutSeconds: nil)
            }
            try await expectRefusal(.notFound, words) { try await engine.kill("contract-absent", signal: "TERM") }
            try await expectRefusal(.notFound, words) {
                try await engine.remove("contract-absent", force: true, volumes: false)
            }
            try await expectRefusal(.notFound, words) {
                _ = try await engine.attach("contract-absent", AttachRequest())
            }
            try await expectRefusal(.notFound, words) {
                _ = try await engine.beginWait("contract-absent", for: .removed)
            }
            try await expectRefusal(.notFound, words) { _ = try await engine.logs("contract-absent", LogRequest()) }
        },
        ContractCase("A program that is not there gives 127, one that cannot be executed 126") { scene in
            for (command, code) in [("contract-no-such-program", Int32(127)), ("/etc/passwd", 126)] {
                let id = try await scene.create("unused") { $0.command = [command] }
                do {
                    try await scene.engine.start(id)
                    try expect(false, "\(command) was started")
                } catch let error as EngineError {
                    try expect(
                        [.commandNotFound, .commandNotExecutable, .invalid].contains(error.kind), "\(error.kind)")
                }
                let state = try await scene.engine.inspect(id).state
                try expectEqual(state.status, .created)
                try expectEqual(state.exitCode, code)
                try expect(!state.error.isEmpty, "the state does not say why")
            }
        },
        ContractCase("What is out of range is refused in docker's words, and leaves nothing") { scene in
            let before = try await scene.engine.containers(ContainerFilter(all: true)).map(\.name)
            try expect(!before.contains("contract-refused"), "left by another case")
            try await expectRefusal(.invalid, "Minimum memory limit allowed is 6MB") {
                _ = try await scene.create("true", name: "contract-refused") { $0.limits.memoryBytes = 1 << 20 }
            }
            try await expectRefusal(.invalid, "Range of CPUs is from 0.01 to") {
                _ = try await scene.create("true", name: "contract-refused") { $0.limits.nanoCPUs = 9_000_000_000_000 }
            }
            try await expectRefusal(.invalid, "bind source path does not exist: /contract/absent") {
                _ = try await scene.create("true", name: "contract-refused") {
                    $0.mounts = [MountSpec(.bind, source: "/contract/absent", target: "/x")]
                }
            }
            try await expectRefusal(.invalid, "Invalid container name (-bad)") {
                _ = try await scene.create("true", name: "-bad")
            }
            let after = try await scene.engine.containers(ContainerFilter(all: true)).map(\.name)
            try expect(!after.contains("contract-refused") && !after.contains("-bad"), "\(after)")
        },
        ContractCase("A user that the image does not know is refused at the start") { scene in
            let id = try await scene.create("true") { $0.user = "contract-nobody" }
            try await expectRefusal(.invalid, "unable to find user contract-nobody") {
                try await scene.engine.start(id)
            }
        },
    ]
}
