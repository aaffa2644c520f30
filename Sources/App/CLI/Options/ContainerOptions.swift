/// The options that `run` and `create` share, under docker's names.
struct ContainerOptions: CommandOptions {
    @Flag("i|interactive", help: "Keep standard input open.") var interactive = false
    @Flag("t|tty", help: "Allocate a pseudo terminal.") var tty = false
    @Option("a|attach", help: "Attach to stdin, stdout, stderr.")
    var attach: [String] = []
    @Option("name", help: "Give the container a name.") var name: String?
    @Flag("rm", help: "Remove the container when it ends.") var rm = false
    @Option("e|env", help: "Set an environment variable: NAME=VALUE, or NAME to pass it on.")
    var env: [String] = []
    @Option("env-file", help: "Read environment variables from a file.") var envFile: [String] =
        []
    @Option("w|workdir", help: "The working directory.") var workdir: String?
    @Option("u|user", help: "User, and group after a colon.")
    var user: String?
    @Option("h|hostname", help: "The host name.") var hostname: String?
    @Option("domainname", help: "The domain name.") var domainname: String?
    @Option("entrypoint", help: "Replace the image's entrypoint.") var entrypoint: String?
    @Option("l|label", help: "Set a label: KEY=VALUE.")
    var label: [String] = []
    @Option("label-file", help: "Read labels from a file.") var labelFile: [String] = []
    @Option("annotation", help: "Tell the runtime: KEY=VALUE.") var annotation: [String] = []
    @Option("stop-signal", help: "The signal that stops the container.") var stopSignal: String?
    @Option("stop-timeout", help: "Seconds between the stop signal and SIGKILL.") var stopTimeout: Int?
    @Option("restart", help: "Start it again after its end: no, always, unless-stopped, on-failure[:COUNT].")
    var restart: String?
    @Option("cidfile", help: "Write the container's id to a file.") var cidfile: String?
    @Option("pull", help: "When to pull the image: missing, never, always.") var pull = PullPolicy.missing
    @Flag("q|quiet", help: "Do not show how the image is pulled.") var quiet = false
    @Option("platform", help: "os/architecture[/variant]; only this machine's run.") var platform: String?
    @Flag("disable-content-trust") var disableContentTrust = false
    @Option("detach-keys", help: "The keys that detach, such as ctrl-p,ctrl-q.") var detachKeys: String?
    @Flag("sig-proxy", help: "Pass signals on to the process.") var sigProxy = true
    @OptionGroup(title: "Networks") var networks: NetworkOptions
    @OptionGroup(title: "Storage") var storage: StorageOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Limits for life") var fixed: FixedLimitOptions
    @OptionGroup(title: "Isolation") var isolation: IsolationOptions
    @OptionGroup(title: "Sharing and devices") var sharing: SharingOptions
    @OptionGroup(title: "Health") var health: HealthOptions
}

struct StorageOptions: CommandOptions {
    @Option("v|volume", help: "A host path or volume: SOURCE:TARGET[:ro]; a path alone for a volume without a name.")
    var volume: [String] = []
    @Option("mount", help: "type=bind,source=PATH,target=PATH[,readonly] or type=tmpfs,…")
    var mount: [String] = []
    @Option("tmpfs", help: "A memory file system: PATH[:OPTIONS].") var tmpfs: [String] = []
    @Option("volumes-from", help: "The mounts of another container: NAME[:ro].")
    var volumesFrom: [String] = []
    @Option("storage-opt") var storageOpt: [String] = []
    @Option("volume-driver", help: "The driver of volumes that are made: local.") var volumeDriver: String?
    @Flag("read-only", help: "Make the root file system read-only.") var readOnly = false
    @Option("shm-size", help: "Size of /dev/shm.") var shmSize: String?
    @Option("log-driver", help: "Where output goes: json-file, local, journald, syslog, gelf, fluentd or none.")
    var logDriver: String?
    @Option("log-opt", help: "max-size=SIZE, max-file=COUNT.") var logOpt: [String] = []
}

struct LimitOptions: CommandOptions {
    @Option("m|memory", help: "Memory limit: 512m.") var memory: String?
    @Option("memory-swap", help: "Memory and swap together; -1 for unlimited swap.") var memorySwap: String?
    @Option("memory-reservation", help: "Soft memory limit.") var memoryReservation: String?
    @Option("cpus", help: "Number of cores: 1.5.") var cpus: String?
    @Option("c|cpu-shares", help: "Relative weight.") var cpuShares: Int64?
    @Option("cpu-period", help: "CFS period in microseconds.") var cpuPeriod: Int64?
    @Option("cpu-quota", help: "CFS quota in microseconds.") var cpuQuota: Int64?
    @Option("cpuset-cpus", help: "Cores to run on: 0-2,4.") var cpusetCpus: String?
    @Option("cpuset-mems", help: "Memory nodes to use.") var cpusetMems: String?
    @Option("pids-limit", help: "Number of processes; -1 for unlimited.") var pidsLimit: Int64?
    @Option("blkio-weight", help: "Weight of block input and output, 10 to 1000.") var blkioWeight: Int64?
    @Option("cpu-rt-period", help: "Real-time period in microseconds.") var cpuRtPeriod: Int64?
    @Option("cpu-rt-runtime", help: "Real-time runtime in microseconds.") var cpuRtRuntime: Int64?
}

/// Limits that a container has for life.
struct FixedLimitOptions: CommandOptions {
    @Option("ulimit", help: "NAME=SOFT[:HARD]") var ulimit: [String] = []
    @Option("oom-score-adj", help: "Adjust the OOM killer's score.") var oomScoreAdj: Int64?
    @Option("memory-swappiness", help: "How readily memory is swapped, 0 to 100.") var memorySwappiness: Int64?
    @Option("kernel-memory", help: "Of earlier kernels; nothing is limited by it.") var kernelMemory: String?
    @Flag("oom-kill-disable", help: "Let processes wait for memory instead of killing them.") var oomKillDisable = false
    @Option("blkio-weight-device", help: "Weight of a block device: PATH:WEIGHT.")
    var blkioWeightDevice: [String] = []
    @Option("device-read-bps", help: "Bytes read a second: PATH:SIZE.") var deviceReadBps: [String] =
        []
    @Option("device-write-bps", help: "Bytes written a second: PATH:SIZE.")
    var deviceWriteBps: [String] = []
    @Option("device-read-iops", help: "Reads a second: PATH:COUNT.") var deviceReadIops: [String] = []
    @Option("device-write-iops", help: "Writes a second: PATH:COUNT.") var deviceWriteIops: [String] = []
}

struct IsolationOptions: CommandOptions {
    @Option("cap-add", help: "Add a capability.") var capAdd: [String] = []
    @Option("cap-drop", help: "Drop a capability.") var capDrop: [String] = []
    @Option("security-opt", help: "seccomp=unconfined, no-new-privileges.")
    var securityOpt: [String] = []
    @Flag("privileged", help: "All capabilities, devices and paths.") var privileged = false
    @Option("sysctl", help: "Kernel parameter: NAME=VALUE.") var sysctl: [String] = []
    @Option("group-add", help: "Add a group.") var groupAdd: [String] = []
    @Option("isolation") var isolation: String?
    @Option("cgroup-parent", help: "The cgroup below which the container has its own.") var cgroupParent: String?
}

/// What a container shares with the host or another container, and what it may use.
struct SharingOptions: CommandOptions {
    @Flag("init", help: "Put a small init process before the program.") var initProcess = false
    @Option("pid", help: "host or container:NAME.") var pid: String?
    @Option("ipc", help: "host, private, shareable, none or container:NAME.") var ipc: String?
    @Option("uts", help: "host.") var uts: String?
    @Option("cgroupns", help: "host or private.") var cgroupns: String?
    @Option("userns", help: "host.") var userns: String?
    @Option("runtime", help: "The OCI runtime, by its name.") var runtime: String?
    @Option("device", help: "Give a device: PATH[:PATH_INSIDE[:rwm]].")
    var device: [String] = []
    @Option("gpus") var gpus: String?
    @Option("device-cgroup-rule", help: "Allow devices: 'c 42:* rwm'.") var deviceCgroupRule: [String] =
        []
}

/// How the program is asked whether it does well.
struct HealthOptions: CommandOptions {
    @Option("health-cmd", help: "The command that asks.") var healthCmd: String?
    @Option("health-interval", help: "Time between two checks: 30s.") var healthInterval: String?
    @Option("health-timeout", help: "Time that a check may take: 30s.") var healthTimeout: String?
    @Option("health-retries", help: "Failures in a row that make it unhealthy.") var healthRetries: Int?
    @Option("health-start-period", help: "Time after the start in which failures do not count.") var healthStartPeriod:
        String?
    @Option("health-start-interval", help: "Time between two checks in the start period.") var healthStartInterval:
        String?
    @Flag("no-healthcheck", help: "Check nothing, whatever the image says.") var noHealthcheck = false
}
