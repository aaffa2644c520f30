/// The flags of every command, as a test finds them declared to the argument parser: to ask the parser itself, which can
/// describe a command, takes 10 ms of each `run` (2 ms of a `ps`) where all else of reading a line takes less.
enum CommandFlags {
    /// - Parameter path: the names of the command, such as `["container", "run"]`; not their aliases.
    static func table(of path: [String]) -> FlagTable {
        let list = lists[path.joined(separator: " ")] ?? lists[path.last ?? ""] ?? ""
        let own = path.first == "container" ? path.dropFirst() : path[...]
        return FlagTable(list, endsAtFirstWord: own.count == 1 && own.contains { handing.contains($0) })
    }

    /// They hand words to a program in a container.
    private static let handing: Set = ["run", "create", "exec", "top"]

    /// By a command's whole name, or by the last word of it where all commands of that name have these.
    private static let lists: [String: String] = [
        "run": "d|detach " + container, "create": container, "update": limits + " restart=",
        "exec": "i|interactive t|tty d|detach e|env= env-file= w|workdir= u|user= privileged detach-keys=",
        "ps": containerList, "container ls": containerList, "images": imageList, "image ls": imageList,
        "start": "a|attach i|interactive detach-keys= sig-proxy no-sig-proxy",
        "stop": "t|timeout|time= s|signal=", "restart": "t|timeout|time= s|signal=", "kill": "s|signal=",
        "rm": "f|force v|volumes", "cp": "a|archive L|follow-link q|quiet", "export": "o|output=",
        "commit": "a|author= c|change= m|message= p|pause no-pause",
        "attach": "no-stdin sig-proxy no-sig-proxy detach-keys=",
        "logs": "f|follow t|timestamps n|tail= since= until= details", "stats": "no-stream a|all no-trunc format=",
        "inspect": "type= f|format= s|size", "container inspect": "f|format= s|size",
        "container prune": "f|force filter=",
        "image inspect": "f|format= s|size", "load": "i|input= q|quiet", "rmi": "f|force no-prune",
        "image rm": "f|force no-prune", "pull": "q|quiet platform=", "push": "q|quiet",
        "history": "q|quiet no-trunc format=", "save": "o|output=", "import": "c|change= m|message=",
        "image prune": "a|all f|force filter=", "login": "u|username= p|password= password-stdin",
        "network ls": "q|quiet no-trunc f|filter= format=",
        "network create": "d|driver= subnet= ip-range= gateway= aux-address= internal attachable ipv6 ipam-driver= "
            + "o|opt= label=",
        "network rm": "f|force", "network inspect": "f|format= s|size", "network connect": "alias= ip= ip6=",
        "network disconnect": "f|force", "network prune": "f|force filter=",
        "volume ls": "q|quiet f|filter= format=", "volume create": "d|driver= o|opt= label= name=",
        "volume rm": "f|force", "volume inspect": "f|format= s|size", "volume prune": "a|all f|force filter=",
        "volume import": "", "context ls": "q|quiet format=", "context inspect": "f|format=",
        "context create": "description= docker= from=", "context rm": "f|force", "context export": "",
        "context import": "", "df": "v|verbose format=", "system prune": "a|all f|force volumes filter=",
        "events": "since= until= f|filter= format=", "info": "f|format=", "version": "client f|format=",
        "daemon": "H|host= tlsverify tlscacert= tlscert= tlskey= unsafe-plain-tcp metrics-addr= log-format=",
    ]

    private static let containerList = "a|all q|quiet l|latest s|size n|last= f|filter= no-trunc format="
    private static let imageList = "a|all q|quiet no-trunc digests f|filter= format="

    private static let limits =
        "m|memory= memory-swap= memory-reservation= cpus= c|cpu-shares= cpu-period= cpu-quota= cpuset-cpus= "
        + "cpuset-mems= pids-limit= blkio-weight= cpu-rt-period= cpu-rt-runtime="

    /// What `run` and `create` share.
    private static let container =
        "i|interactive t|tty a|attach= name= rm image= e|env= env-file= w|workdir= u|user= h|hostname= domainname= "
        + "entrypoint= l|label= label-file= annotation= stop-signal= stop-timeout= restart= cidfile= pull= q|quiet "
        + "platform= detach-keys= sig-proxy no-sig-proxy disable-content-trust "
        + "network|net= p|publish= P|publish-all expose= network-alias|net-alias= ip= ip6= mac-address= add-host= "
        + "dns= dns-search= dns-option|dns-opt= link= "
        + "v|volume= mount= tmpfs= volumes-from= storage-opt= volume-driver= read-only shm-size= log-driver= log-opt= \(limits) "
        + "ulimit= oom-score-adj= memory-swappiness= oom-kill-disable blkio-weight-device= device-read-bps= "
        + "device-write-bps= device-read-iops= device-write-iops= cgroup-parent= "
        + "cap-add= cap-drop= security-opt= privileged sysctl= group-add= isolation= "
        + "init pid= ipc= uts= cgroupns= userns= runtime= gpus= device= device-cgroup-rule= "
        + "health-cmd= health-interval= health-timeout= health-retries= health-start-period= health-start-interval= "
        + "no-healthcheck"
}
