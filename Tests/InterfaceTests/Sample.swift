import EngineAPI

@testable import Interface

/// Things to show that are always the same.
enum Sample {
    static let now = Timestamp(nanosecondsSinceEpoch: 1_800_000_000_000_000_000)

    static func ago(_ seconds: Int64) -> Timestamp {
        Timestamp(nanosecondsSinceEpoch: now.nanosecondsSinceEpoch - seconds * 1_000_000_000)
    }

    static func id(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "a", count: 64 - digits.count) + digits
    }

    static let starter = ImageSummary(
        id: "sha256:" + String(repeating: "5", count: 64), tags: ["gantry/starter:latest"], createdAt: ago(7200),
        sizeBytes: 1_940_000, containerCount: 3)

    static func container(
        id: String, name: String, image: String = "gantry/starter:latest", _ status: ContainerStatus,
        exitCode: Int32 = 0, tty: Bool = true, age: Int64 = 300, createdAge: Int64? = nil
    ) -> ContainerSummary {
        var state = ContainerState(status: status)
        state.exitCode = exitCode
        if status == .running || status == .paused {
            state.startedAt = ago(age)
            state.pid = 4242
        }
        if status == .exited { state.finishedAt = ago(age) }
        return ContainerSummary(
            id: id, name: name, image: image, imageID: starter.id, command: "sh", createdAt: ago(createdAge ?? age),
            state: state,
            tty: tty)
    }

    static var containers: [ContainerSummary] {
        [
            container(id: id(1), name: "web", .running, age: 75),
            container(id: id(2), name: "database", image: "postgres:16", .running, tty: false, age: 4000),
            container(id: id(3), name: "batch-of-the-night", .paused, age: 90_000),
            container(id: id(4), name: "failed", .exited, exitCode: 137, tty: false, age: 500, createdAge: 150_000),
            container(id: id(5), name: "fresh", .created, age: 200_000),
        ]
    }

    static func details(_ container: ContainerSummary) -> ContainerDetails {
        var spec = ContainerSpec(image: container.image)
        spec.tty = container.tty
        spec.openStdin = container.tty
        spec.limits.memoryBytes = 64 << 20
        return ContainerDetails(
            id: container.id, name: container.name, spec: spec, imageID: container.imageID,
            createdAt: container.createdAt, state: container.state, arguments: ["sh"], environment: ["PATH=/bin"],
            workingDirectory: "/", user: "", hostname: "box")
    }

    static func stats(_ id: String, second: Int) -> ContainerStats {
        var stats = ContainerStats(id: id, name: "", time: ago(Int64(60 - second)))
        let wave = UInt64(abs((second * 7) % 20 - 10))
        stats.cpuNanoseconds = (0...second).reduce(0) { $0 + UInt64(abs(($1 * 7) % 20 - 10)) * 30_000_000 }
        stats.memoryTotalBytes = (12 << 20) + wave << 20
        stats.memoryInactiveFileBytes = 1 << 20
        stats.memoryLimitBytes = 64 << 20
        stats.pids = 2 + wave % 3
        stats.pidsLimit = 100
        stats.blockReadBytes = UInt64(second) * 40_000
        stats.blockWriteBytes = UInt64(second) * wave * 1000
        stats.throttledPeriods = second > 50 ? UInt64(second - 50) : 0
        return stats
    }

    static var processes: [ProcessNode] {
        func node(_ role: ProcessNode.Role, _ pid: Int32, _ parent: Int32, _ command: String) -> ProcessNode {
            ProcessNode(
                role: role, pid: pid, parentPID: parent, containerPID: nil, state: role == .process ? "R" : "S",
                residentBytes: UInt64(pid) * 1024, startedAt: ago(Int64(pid % 100)), command: command, threadCount: 1,
                cpuNanoseconds: 0)
        }
        return [
            node(.engine, 1000, 0, "gantry"), node(.shim, 1200, 1000, "gantry-shim"), node(.initial, 1201, 1200, "sh"),
            node(.process, 1230, 1201, "top -d 1"), node(.process, 1231, 1201, "vi notes.txt"),
        ]
    }
}
