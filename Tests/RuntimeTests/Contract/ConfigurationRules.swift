import Glibc
import JSON
import Linux
import OCI

@testable import Runtime

extension ContractRule {
    /// config.md: what holds on every platform, and POSIX's part.
    static let configuration: [ContractRule] = [
        ContractRule("config.md, Root", "the root file system must exist") { container in
            container.spec.root?.path = "missing"
            return try container.isRefused()
        },
        ContractRule("config.md, Root", "readonly makes it that") { container in
            container.spec.root?.readonly = true
            return try container.output(of: "touch /a 2>/dev/null || echo refused") == "refused\n"
        },
        ContractRule("config.md, Mounts", "mounts are made in their order") { container in
            let inner = "\(container.folder)/inner"
            try Directory.create("\(inner)/below")
            container.spec.mounts += [
                RuntimeMount(destination: "/tmp", source: inner, options: ["bind"]),
                RuntimeMount(destination: "/tmp/below", type: "tmpfs", source: "tmpfs", options: ["size=4k"]),
            ]
            return try container.output(of: "grep -c ' /tmp/below tmpfs' /proc/mounts") == "1\n"
        },
        ContractRule("config.md, Process", "cwd is absolute") { container in
            container.spec.process?.cwd = "tmp"
            return try container.isRefused()
        },
        ContractRule("config.md, Process", "the program is in cwd") { container in
            container.spec.process?.cwd = "/tmp"
            return try container.output(of: "pwd") == "/tmp\n"
        },
        ContractRule("config.md, Process", "args has an entry") { container in
            container.spec.process?.args = []
            return try container.isRefused()
        },
        ContractRule("config.md, Process", "the program has the environment") { container in
            container.spec.process?.env.append("CONTRACT=kept")
            return try container.output(of: "echo $CONTRACT") == "kept\n"
        },
        ContractRule("config.md, POSIX process", "limits of resources are set") { container in
            container.spec.process?.rlimits = [RuntimeRlimit(type: "RLIMIT_NOFILE", soft: 200, hard: 300)]
            return try container.output(of: "ulimit -Sn; ulimit -Hn") == "200\n300\n"
        },
        ContractRule("config.md, POSIX process", "a limit that there is not is an error") { container in
            container.spec.process?.rlimits = [RuntimeRlimit(type: "RLIMIT_LUCK", soft: 1, hard: 1)]
            return try container.isRefused()
        },
        ContractRule("config.md, POSIX process", "a limit that is given twice is an error") { container in
            let limit = RuntimeRlimit(type: "RLIMIT_NOFILE", soft: 200, hard: 300)
            container.spec.process?.rlimits = [limit, limit]
            return try container.isRefused()
        },
        ContractRule("config.md, Linux process", "a capability that there is not is a warning, no error") { container in
            container.spec.process?.capabilities?.bounding.append("CAP_LUCK")
            container.use("echo ran")
            let result = try container.run()
            return result.output == "ran\n" && result.errors.contains("CAP_LUCK")
        },
        ContractRule("config.md, Linux process", "no_new_privs is set") { container in
            container.spec.process?.noNewPrivileges = true
            return try container.output(of: "grep NoNewPrivs /proc/self/status") == "NoNewPrivs:\t1\n"
        },
        ContractRule("config.md, Linux process", "the score for the OOM killer is set, or the caller's kept") {
            container in
            container.spec.process?.oomScoreAdj = 321
            return try container.output(of: "cat /proc/self/oom_score_adj") == "321\n"
        },
        ContractRule("config.md, User", "user, group, further groups and mask are set") { container in
            container.spec.process?.user.uid = 1234
            container.spec.process?.user.gid = 2345
            container.spec.process?.user.additionalGids = [7, 8]
            container.spec.process?.user.umask = 0o027
            let script = "id -u; id -g; grep Groups /proc/self/status; umask"
            return try container.output(of: script) == "1234\n2345\nGroups:\t7 8 \n0027\n"
        },
        ContractRule("config.md, Hostname", "host and domain name are set") { container in
            container.spec.hostname = "contract"
            container.spec.domainname = "example"
            return try container.output(of: "hostname; cat /proc/sys/kernel/domainname") == "contract\nexample\n"
        },
        ContractRule("config.md, Annotations", "unknown keys are no error, and are in the state") { container in
            container.spec.annotations = ["org.example.unknown": "x"]
            try container.createAndStart()
            return try container.state()["annotations"]?["org.example.unknown"]?.string == "x"
        },
        ContractRule("config.md, Extensibility", "unknown properties are no error") { container in
            try container.createRaw { $0["org.example.extension"] = ["deep": [1, 2]] }.code == 0
        },
        ContractRule("config.md, Valid values", "a value of the wrong type is an error") { container in
            try container.createRaw { $0["hostname"] = 5 }.code != 0
        },
        ContractRule("config.md, Valid values", "a propagation that there is not is an error") { container in
            container.spec.linux.rootfsPropagation = "upwards"
            return try container.isRefused()
        },
    ]
}
