import AsyncIO
import EngineAPI
import Glibc
import Lifecycle
import Linux
import Networking
import OCI
import Snapshots

/// The engine itself.
extension GantryEngine {
    /// This program's version.
    public static let version = "0.1.0"

    public func version() async throws(EngineError) -> EngineVersion {
        var version = EngineVersion(
            name: "Gantry", version: Self.version, apiVersion: "1.51", minimumAPIVersion: "1.24")
        let machine = Machine.current()
        version.kernelVersion = machine.kernel
        version.architecture = machine.imageArchitecture
        version.components = ["gantry-shim": Self.version, core.runtimeName: Self.version]
        return version
    }

    public func info() async throws(EngineError) -> EngineInfo {
        var info = EngineInfo()
        for container in core.context.index.all {
            switch await container.state.status {
            case .running, .restarting: info.containersRunning += 1
            case .paused: info.containersPaused += 1
            default: info.containersStopped += 1
            }
        }
        var all = ImageFilter()
        all.all = true
        info.images = try await core.context.images.list(all).count
        let machine = Machine.current()
        let host = core.context.host
        info.id = core.engineID
        info.name = host.hostname
        info.storageDriver = core.context.images.driver.rawValue
        info.storageFacts = try await core.context.images.storageFacts()
        info.loggingDriver = core.context.settings.value.log.driver.rawValue
        info.cgroupDriver = host.hasCgroups ? "cgroupfs" : "none"
        info.cgroupVersion = host.isUnified ? "2" : "1"
        info.kernelVersion = machine.kernel
        info.architecture = machine.architecture
        (info.operatingSystem, info.operatingSystemVersion) = await BlockingPool.shared.run {
            Machine.operatingSystem()
        }
        info.cpuCount = host.cpuCount
        info.memoryBytes = host.memoryBytes
        info.dataRoot = configuration.dataRoot
        info.serverVersion = Self.version
        info.labels = core.context.settings.value.labels
        info.isDebugging = isDebugging
        info.defaultRuntime = core.runtimeName
        info.runtimes = core.context.runtimes.names
        info.securityOptions =
            ["name=seccomp,profile=builtin"] + (host.isRootless ? ["name=rootless"] : [])
            + (host.remap == nil ? [] : ["name=userns"])
            + (host.isUnified ? ["name=cgroupns"] : [])
        info.warnings = rootlessWarnings + warnings + (host.hasSwapLimit ? [] : ["WARNING: No swap limit support"])
        info.warnings += core.context.settings.value.warnings.map { "WARNING: \($0)" }
        info.warnings += core.context.images.warnings.map { "WARNING: \($0)" }
        // An ordinary user's bridges are where nobody else filters.
        if !host.isRootless {
            info.warnings += await core.context.networks.forwardingWarnings().map { "WARNING: \($0)" }
            info.warnings += await core.context.networks.forwardingNotes()
        }
        (info.filtersBridgedIPv4, info.filtersBridgedIPv6) = await BlockingPool.shared.run {
            (BridgedPackets.areShown(to: "iptables"), BridgedPackets.areShown(to: "ip6tables"))
        }
        info.pid = getpid()
        return info
    }

    /// What an ordinary user's engine lacks, first of all that containers have no limits.
    private var rootlessWarnings: [String] {
        let host = core.context.host
        guard host.isRootless else { return [] }
        var lines = configuration.rootless?.notes ?? []
        if !host.hasCgroups {
            lines.insert(
                "rootless: no limits, no pausing: no cgroup of version 2 without processes of its own is delegated to this user",
                at: 0)
        } else {
            let missing = ["cpu", "memory", "pids"].filter { host.controllers?.contains($0) == false }
            if !missing.isEmpty { lines.append("rootless: no limits of \(missing.joined(separator: ", "))") }
        }
        return lines
    }

    public func events(_ request: EventRequest) async throws(EngineError) -> EngineStream<EngineEvent> {
        do { return try await core.context.events.stream(request) } catch { throw EngineError(error) }
    }
}

/// The kernel's words about itself.
private struct Machine {
    var kernel = ""
    var architecture = ""

    /// Docker's `version` names the architecture as image configurations do, its `info` as the kernel does.
    var imageArchitecture: String { Platform.host.architecture }

    static func current() -> Machine {
        var name = utsname()
        guard uname(&name) == 0 else { return Machine() }
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return Machine(kernel: text(name.release), architecture: text(name.machine))
    }

    /// `PRETTY_NAME` and `VERSION_ID` of os-release(5). Blocking.
    static func operatingSystem() -> (name: String, version: String) {
        for path in ["/etc/os-release", "/usr/lib/os-release"] {
            // The second is tried where the first is missing; with neither there is a word for it.
            guard let bytes = try? FileContents.read(path, limitBytes: 65536) else { continue }
            var found = (name: "Linux", version: "")
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let sides = line.split(separator: "=", maxSplits: 1)
                guard sides.count == 2 else { continue }
                if sides[0] == "PRETTY_NAME" { found.name = sides[1].trimmingQuotes }
                if sides[0] == "VERSION_ID" { found.version = sides[1].trimmingQuotes }
            }
            return found
        }
        return ("Linux", "")
    }
}

extension Substring {
    fileprivate var trimmingQuotes: String {
        guard count >= 2, let first, first == "\"" || first == "'", last == first else { return String(self) }
        return String(dropFirst().dropLast())
    }
}
