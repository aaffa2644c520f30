import Glibc
import JSON
import Linux
import OCI

@testable import Runtime

extension ContractRule {
    /// runtime.md: states, operations, hooks.
    static let lifecycle: [ContractRule] = operations + hookRules

    private static let operations: [ContractRule] = [
        ContractRule("runtime.md, State", "the state has version, id, status, pid and bundle") { container in
            try container.createAndStart()
            let state = try container.state()
            return state["ociVersion"]?.string != nil && state["id"]?.string == container.id
                && state["status"]?.string == "running" && (state["pid"]?.integer ?? 0) > 0
                && state["bundle"]?.string == container.bundle
        },
        ContractRule("runtime.md, Query State", "an error without an id, and for one that does not exist") {
            container in
            try container.command("state").code != 0 && container.command("state", "nobody").code != 0
        },
        ContractRule("runtime.md, Create", "an id that is taken is an error and makes no container") { container in
            try container.createAndStart()
            let pid = try container.state()["pid"]?.integer
            return try container.create().code != 0 && container.state()["pid"]?.integer == pid
        },
        ContractRule("runtime.md, Create", "an error without an id") { container in
            try container.write()
            return try container.command("create").code != 0
        },
        ContractRule("runtime.md, Create", "the program is not run before start") { container in
            container.use("touch /tmp/reached; sleep 60")
            guard try container.create().code == 0, try container.status() == "created" else { return false }
            let before = container.reached
            _ = try container.command("start", container.id)
            return try !before && container.endAndDelete()
        },
        ContractRule("runtime.md, Create", "changes of config.json after create change nothing") { container in
            guard try container.create().code == 0 else { return false }
            container.spec.process?.args = ["true"]
            try container.write()
            _ = try container.command("start", container.id)
            return try container.status() == "running"
        },
        ContractRule("runtime.md, Create", "a property that cannot be applied is an error and makes no container") {
            container in
            container.spec.mounts.append(RuntimeMount(destination: "/tmp", type: "nosuchfs", source: "none"))
            return try container.isRefused()
        },
        ContractRule("runtime.md, Errors", "an error leaves all as if nothing had been tried") { container in
            container.spec.process?.args = ["/no/such/program"]
            return try container.isRefused()
        },
        ContractRule("runtime.md, Start", "an error without an id") { try $0.command("start").code != 0 },
        ContractRule("runtime.md, Start", "a container that is not created is left alone, with an error") { container in
            try container.createAndStart()
            return try container.command("start", container.id).code != 0 && container.status() == "running"
        },
        ContractRule("runtime.md, Start", "the program is run") { container in
            container.use("touch /tmp/reached; sleep 60")
            try container.createAndStart()
            for _ in 0..<2000 where !container.reached { poll(nil, 0, 5) }
            return container.reached
        },
        ContractRule("runtime.md, Start", "an error where the configuration has no process") { container in
            container.spec.process = nil
            if try container.create().code != 0 { return true }
            return try container.command("start", container.id).code != 0
        },
        ContractRule("runtime.md, Kill", "an error without an id") { try $0.command("kill").code != 0 },
        ContractRule("runtime.md, Kill", "a container that is neither created nor running is left alone, with an error")
        {
            container in
            try container.createAndStart()
            _ = try container.command("kill", container.id, "KILL")
            try container.waitForEnd()
            return try container.command("kill", container.id, "TERM").code != 0 && container.status() == "stopped"
        },
        ContractRule("runtime.md, Kill", "the signal is sent to the process") { container in
            container.use("trap 'touch /tmp/reached; exit' USR1; while :; do sleep 0.05; done")
            try container.createAndStart()
            for _ in 0..<100 where !container.reached {
                _ = try container.command("kill", container.id, "USR1")
                poll(nil, 0, 20)
            }
            return container.reached
        },
        ContractRule("runtime.md, Delete", "an error without an id") { try $0.command("delete").code != 0 },
        ContractRule("runtime.md, Delete", "a container that is not stopped is left alone, with an error") {
            container in
            try container.createAndStart()
            return try container.command("delete", container.id).code != 0 && container.status() == "running"
        },
        ContractRule("runtime.md, Delete", "what create made is gone, and the id is free") { container in
            try container.createAndStart()
            guard try container.endAndDelete(), try container.leftovers().isEmpty else { return false }
            return try container.create().code == 0
        },
        ContractRule("runtime.md, Delete", "what create did not make stays") { container in
            let other = try TestContainer(container.runtime)
            try other.createAndStart()
            let path = "/proc/\(try other.state()["pid"]?.integer ?? 0)/ns/net"
            container.spec.linux.namespaces.removeAll { $0.kind == .network }
            container.spec.linux.namespaces.append(LinuxNamespace(.network, path: path))
            try container.createAndStart()
            return try container.endAndDelete() && access(path, F_OK) == 0 && other.status() == "running"
        },
    ]

    private static let hookRules: [ContractRule] = [
        ContractRule("config.md, POSIX-platform Hooks", "hooks are called in their order, at their points") {
            container in
            container.spec.hooks.prestart = [container.hook("prestart")]
            container.spec.hooks.createRuntime = [container.hook("runtime1"), container.hook("runtime2")]
            container.spec.hooks.createContainer = [container.hook("container")]
            container.spec.hooks.poststart = [container.hook("poststart")]
            container.spec.hooks.poststop = [container.hook("poststop")]
            try container.createAndStart()
            guard try container.endAndDelete() else { return false }
            return container.lines() == ["prestart", "runtime1", "runtime2", "container", "poststart", "poststop"]
        },
        ContractRule("config.md, POSIX-platform Hooks", "the state comes on standard input") { container in
            container.spec.hooks.createRuntime = [
                RuntimeHook(path: "/bin/sh", args: ["sh", "-c", "cat > \(container.folder)/state.json"])
            ]
            try container.createAndStart()
            let state = try JSONValue(parsing: try FileContents.read("\(container.folder)/state.json"))
            return state["id"]?.string == container.id && state["status"]?.string == "creating"
                && (state["pid"]?.integer ?? 0) > 0 && state["bundle"]?.string == container.bundle
        },
        ContractRule("config.md, POSIX-platform Hooks", "a hook's path is absolute") { container in
            container.spec.hooks.createRuntime = [RuntimeHook(path: "true")]
            return try container.isRefused()
        },
        ContractRule("config.md, POSIX-platform Hooks", "a timeout is above zero") { container in
            let result = try container.createRaw { object in
                // Long enough that a runtime which takes zero for at once ends it.
                object["hooks"] = [
                    "createRuntime": [["path": "/bin/sleep", "args": ["sleep", "0.5"], "timeout": 0]]
                ]
            }
            return result.code != 0
        },
        ContractRule("runtime.md, Lifecycle", "a createRuntime hook that fails ends create, and nothing is left") {
            container in
            container.spec.hooks.createRuntime = [container.hook("first", failing: true), container.hook("second")]
            return try container.isRefused() && container.lines() == ["first"]
        },
        ContractRule("runtime.md, Lifecycle", "a createContainer hook that fails ends create, and nothing is left") {
            container in
            container.spec.hooks.createContainer = [container.hook("first", failing: true)]
            return try container.isRefused()
        },
        ContractRule("runtime.md, Lifecycle", "a startContainer hook that fails ends start, and the program is not run")
        {
            container in
            container.use("touch /tmp/reached")
            container.spec.hooks.startContainer = [RuntimeHook(path: "/bin/false")]
            symlink("busybox", "\(container.rootfs)/bin/false")
            guard try container.create().code == 0 else { return false }
            let result = try container.command("start", container.id)
            try container.waitForEnd()
            return result.code != 0 && !container.reached
        },
        ContractRule(
            "runtime.md, Lifecycle", "a poststart hook that fails is a warning; the others and the program run"
        ) {
            container in
            container.spec.hooks.poststart = [container.hook("first", failing: true), container.hook("second")]
            guard try container.create().code == 0, try container.command("start", container.id).code == 0 else {
                return false
            }
            return try container.status() == "running" && container.lines() == ["first", "second"]
        },
        ContractRule("runtime.md, Lifecycle", "a poststop hook that fails is a warning; the others run") { container in
            container.spec.hooks.poststop = [container.hook("first", failing: true), container.hook("second")]
            try container.createAndStart()
            return try container.endAndDelete() && container.lines() == ["first", "second"]
        },
    ]
}
