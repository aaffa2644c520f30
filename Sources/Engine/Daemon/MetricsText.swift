import DockerAPI
import EngineAPI
import JSON
import Linux

/// Prometheus' text form (exposition format 0.0.4) of what a daemon counts, under docker's names where docker has them.
struct MetricsText {
    private(set) var text = ""

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    init(_ counts: RequestCounts.Snapshot, _ info: EngineInfo, _ process: OwnProcess) {
        add(
            "engine_daemon_engine_info", "gauge", "The information related to the engine and the OS it is running on",
            [
                (
                    [
                        ("architecture", info.architecture), ("daemon_id", info.id),
                        ("graphdriver", info.storageDriver),
                        ("kernel", info.kernelVersion), ("os", info.operatingSystem), ("os_type", "linux"),
                        ("version", info.serverVersion),
                    ], "1"
                )
            ])
        add(
            "engine_daemon_engine_cpus_cpus", "gauge", "The number of cpus that the host has",
            [([], "\(info.cpuCount)")])
        add(
            "engine_daemon_engine_memory_bytes", "gauge", "The number of bytes of memory that the host has",
            [([], "\(info.memoryBytes)")])
        let states = [
            ("paused", info.containersPaused), ("running", info.containersRunning), ("stopped", info.containersStopped),
        ]
        add(
            "engine_daemon_container_states_containers", "gauge", "The count of containers in various states",
            states.map { ([("state", $0.0)], "\($0.1)") })
        addActions(counts.actions)
        add(
            "gantry_http_requests_total", "counter", "Requests to the API by method and status",
            counts.requests.sorted { ($0.key.method, $0.key.status) < ($1.key.method, $1.key.status) }.map {
                ([("code", "\($0.key.status)"), ("method", $0.key.method)], "\($0.value)")
            })
        add("gantry_http_requests_in_flight", "gauge", "Requests without an end yet", [([], "\(counts.inFlight)")])
        for figure in process.figures { add(figure.name, figure.type, figure.help, [([], figure.value)]) }
    }

    private mutating func addActions(_ actions: [String: RequestCounts.Action]) {
        let name = "engine_daemon_container_actions_seconds"
        head(name, "histogram", "The number of seconds it takes to process each container action")
        for (action, figures) in actions.sorted(by: { $0.key < $1.key }) {
            for (bound, count) in zip(RequestCounts.Action.bounds, figures.buckets) {
                line("\(name)_bucket", [("action", action), ("le", "\(bound)")], "\(count)")
            }
            line("\(name)_bucket", [("action", action), ("le", "+Inf")], "\(figures.count)")
            line("\(name)_sum", [("action", action)], "\(figures.seconds)")
            line("\(name)_count", [("action", action)], "\(figures.count)")
        }
    }

    private mutating func add(_ name: String, _ type: String, _ help: String, _ values: [([(String, String)], String)])
    {
        head(name, type, help)
        for (labels, value) in values { line(name, labels, value) }
    }

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
        let list = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        text += list.isEmpty ? "\(name) \(value)\n" : "\(name){\(list)} \(value)\n"
    }

    static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

/// What the kernel tells of this process.
struct OwnProcess: Sendable {
    var residentBytes: Int64 = 0
    var threads: Int64 = 0
    var openDescriptors: Int64 = 0
    var cpuTicks: Int64 = 0

    /// sysconf(_SC_CLK_TCK), which is 100 on Linux wherever programs can see it.
    private static let ticksPerSecond = 100.0

    static func read() -> OwnProcess {
        var process = OwnProcess()
        // What cannot be read is told as zero: figures are for looking at, and no reason to fail.
        if let bytes = try? FileContents.read("/proc/self/status") {
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let words = line.split { $0 == "\t" || $0 == " " }
                guard words.count > 1, let value = Int64(words[1]) else { continue }
                if words[0] == "VmRSS:" { process.residentBytes = value << 10 }
                if words[0] == "Threads:" { process.threads = value }
            }
        }
        // As above. The name in brackets may hold spaces: fields are counted after it.
        if let bytes = try? FileContents.read("/proc/self/stat") {
            let fields = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
            if fields.count > 12 { process.cpuTicks = (Int64(fields[11]) ?? 0) + (Int64(fields[12]) ?? 0) }
        }
        // As above.
        if let names = try? Directory.list("/proc/self/fd") { process.openDescriptors = Int64(names.count) }
        return process
    }

    var figures: [(name: String, type: String, help: String, value: String)] {
        [
            (
                "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
                "\(Double(cpuTicks) / Self.ticksPerSecond)"
            ),
            ("process_open_fds", "gauge", "Number of open file descriptors.", "\(openDescriptors)"),
            ("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", "\(residentBytes)"),
            ("process_threads", "gauge", "Number of OS threads in the process.", "\(threads)"),
        ]
    }
}
