import ArgumentParser

/// The options that `run` and `create` share, under docker's names.
struct ContainerOptions: ParsableArguments {
    @Flag(name: [.short, .long], help: "Keep standard input open.") var interactive = false
    @Flag(name: [.short, .long], help: "Allocate a pseudo terminal.") var tty = false
    @Option(
        name: [.customShort("a"), .long], parsing: .unconditionalSingleValue, help: "Attach to stdin, stdout, stderr.")
    var attach: [String] = []
    @Option(help: "Give the container a name.") var name: String?
    @Flag(help: "Remove the container when it ends.") var rm = false
    @Option(help: "The image, instead of as the first word.") var image: String?
    @Option(
        name: [.customShort("e", allowingJoined: true), .long], parsing: .unconditionalSingleValue,
        help: "Set an environment variable: NAME=VALUE, or NAME to pass it on.")
    var env: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Read environment variables from a file.") var envFile: [String] =
        []
    @Option(name: [.customShort("w", allowingJoined: true), .long], help: "The working directory.") var workdir: String?
    @Option(name: [.customShort("u", allowingJoined: true), .long], help: "User, and group after a colon.")
    var user: String?
    @Option(name: [.customShort("h", allowingJoined: true), .long], help: "The host name.") var hostname: String?
    @Option(help: "The domain name.") var domainname: String?
    @Option(help: "Replace the image's entrypoint.") var entrypoint: String?
    @Option(
        name: [.customShort("l", allowingJoined: true), .long], parsing: .unconditionalSingleValue,
        help: "Set a label: KEY=VALUE.")
    var label: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Read labels from a file.") var labelFile: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Tell the runtime: KEY=VALUE.") var annotation: [String] = []
    @Option(help: "The signal that stops the container.") var stopSignal: String?
    @Option(help: "Seconds between the stop signal and SIGKILL.") var stopTimeout: Int?
    @Option(help: "Start it again after its end: no, always, unless-stopped, on-failure[:COUNT].") var restart: String?
    @Option(help: "Write the container's id to a file.") var cidfile: String?
    @Option(help: "When to pull the image: missing, never, always.") var pull = PullPolicy.missing
    @Flag(name: [.short, .long], help: "Do not show how the image is pulled.") var quiet = false
    @Option(help: "os/architecture[/variant]; only this machine's run.") var platform: String?
    @Flag(help: .hidden) var disableContentTrust = false
    @Option(help: "The keys that detach, such as ctrl-p,ctrl-q.") var detachKeys: String?
    @Flag(inversion: .prefixedNo, help: "Pass signals on to the process.") var sigProxy = true
    @OptionGroup(title: "Networks") var networks: NetworkOptions
    @OptionGroup(title: "Storage") var storage: StorageOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Limits for life") var fixed: FixedLimitOptions
    @OptionGroup(title: "Isolation") var isolation: IsolationOptions
    @OptionGroup(title: "Sharing and devices") var sharing: SharingOptions
    @OptionGroup(title: "Health") var health: HealthOptions
}

struct StorageOptions: ParsableArguments {
    @Option(
        name: [.customShort("v", allowingJoined: true), .long], parsing: .unconditionalSingleValue,
        help: "A host path or volume: SOURCE:TARGET[:ro]; a path alone for a volume without a name.")
    var volume: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "type=bind,source=PATH,target=PATH[,readonly] or type=tmpfs,…")
    var mount: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "A memory file system: PATH[:OPTIONS].") var tmpfs: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "The mounts of another container: NAME[:ro].")
    var volumesFrom: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: .hidden) var storageOpt: [String] = []
    @Option(help: "The driver of volumes that are made: local.") var volumeDriver: String?
    @Flag(help: "Make the root file system read-only.") var readOnly = false
    @Option(help: "Size of /dev/shm.") var shmSize: String?
    @Option(help: "How output is kept: json-file, local, journald or none.") var logDriver: String?
    @Option(parsing: .unconditionalSingleValue, help: "max-size=SIZE, max-file=COUNT.") var logOpt: [String] = []
}

struct LimitOptions: ParsableArguments {
    @Option(name: [.customShort("m", allowingJoined: true), .long], help: "Memory limit: 512m.") var memory: String?
    @Option(help: "Memory and swap together; -1 for unlimited swap.") var memorySwap: String?
    @Option(help: "Soft memory limit.") var memoryReservation: String?
    @Option(help: "Number of cores: 1.5.") var cpus: String?
    @Option(name: [.customShort("c", allowingJoined: true), .long], help: "Relative weight.") var cpuShares: Int64?
    @Option(help: "CFS period in microseconds.") var cpuPeriod: Int64?
    @Option(help: "CFS quota in microseconds.") var cpuQuota: Int64?
    @Option(help: "Cores to run on: 0-2,4.") var cpusetCpus: String?
    @Option(help: "Memory nodes to use.") var cpusetMems: String?
    @Option(help: "Number of processes; -1 for unlimited.") var pidsLimit: Int64?
    @Option(help: "Weight of block input and output, 10 to 1000.") var blkioWeight: Int64?
    @Option(help: "Real-time period in microseconds.") var cpuRtPeriod: Int64?
    @Option(help: "Real-time runtime in microseconds.") var cpuRtRuntime: Int64?
}

/// Limits that a container has for life.
struct FixedLimitOptions: ParsableArguments {
    @Option(parsing: .unconditionalSingleValue, help: "NAME=SOFT[:HARD]") var ulimit: [String] = []
    @Option(help: "Adjust the OOM killer's score.") var oomScoreAdj: Int64?
    @Option(help: "How readily memory is swapped, 0 to 100.") var memorySwappiness: Int64?
    @Flag(help: "Let processes wait for memory instead of killing them.") var oomKillDisable = false
    @Option(parsing: .unconditionalSingleValue, help: "Weight of a block device: PATH:WEIGHT.")
    var blkioWeightDevice: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Bytes read a second: PATH:SIZE.") var deviceReadBps: [String] =
        []
    @Option(parsing: .unconditionalSingleValue, help: "Bytes written a second: PATH:SIZE.")
    var deviceWriteBps: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Reads a second: PATH:COUNT.") var deviceReadIops: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Writes a second: PATH:COUNT.") var deviceWriteIops: [String] = []
}

struct IsolationOptions: ParsableArguments {
    @Option(parsing: .unconditionalSingleValue, help: "Add a capability.") var capAdd: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Drop a capability.") var capDrop: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "seccomp=unconfined, no-new-privileges.")
    var securityOpt: [String] = []
    @Flag(help: "All capabilities, devices and paths.") var privileged = false
    @Option(parsing: .unconditionalSingleValue, help: "Kernel parameter: NAME=VALUE.") var sysctl: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Add a group.") var groupAdd: [String] = []
    @Option(help: .hidden) var isolation: String?
    @Option(help: .hidden) var cgroupParent: String?
}

/// What a container shares with the host or another container, and what it may use.
struct SharingOptions: ParsableArguments {
    @Flag(name: .customLong("init"), help: "Put a small init process before the program.") var initProcess = false
    @Option(help: "host or container:NAME.") var pid: String?
    @Option(help: "host, private, shareable, none or container:NAME.") var ipc: String?
    @Option(help: "host.") var uts: String?
    @Option(help: "host or private.") var cgroupns: String?
    @Option(help: "host.") var userns: String?
    @Option(help: "The OCI runtime, by its name.") var runtime: String?
    @Option(parsing: .unconditionalSingleValue, help: "Give a device: PATH[:PATH_INSIDE[:rwm]].")
    var device: [String] = []
    @Option(help: .hidden) var gpus: String?
    @Option(parsing: .unconditionalSingleValue, help: "Allow devices: 'c 42:* rwm'.") var deviceCgroupRule: [String] =
        []
}

/// How the program is asked whether it does well.
struct HealthOptions: ParsableArguments {
    @Option(help: "The command that asks.") var healthCmd: String?
    @Option(help: "Time between two checks: 30s.") var healthInterval: String?
    @Option(help: "Time that a check may take: 30s.") var healthTimeout: String?
    @Option(help: "Failures in a row that make it unhealthy.") var healthRetries: Int?
    @Option(help: "Time after the start in which failures do not count.") var healthStartPeriod: String?
    @Option(help: "Time between two checks in the start period.") var healthStartInterval: String?
    @Flag(help: "Check nothing, whatever the image says.") var noHealthcheck = false
}
