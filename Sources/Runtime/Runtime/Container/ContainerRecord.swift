import Glibc
import JSON
import Linux
import OCI

/// What the runtime remembers of a container: `state.json` in its directory. Written whole by `create`, never changed.
struct ContainerRecord {
    var id: String
    var ociVersion: String
    var bundle: String
    var rootfs: String
    var pid: Int32
    var startTicks: UInt64
    var created: String
    var owner: UInt32
    var annotations: TextMap
    var cgroupPath: String
    /// Nil for a cgroup that the runtime made itself.
    var systemdUnit: String?
    /// False for an ordinary user's container that could get none.
    var hasCgroup: Bool
    /// Whether its mounts are among the runtime's, all below its root's.
    var sharesMounts: Bool
    /// Made with `--no-new-keyring`: its processes have the session keyring of who starts them.
    var keepsKeyring = false
    /// Where its filter is kept, for those who come after; nil for none.
    var filter: FilterFile?
    /// The groups of resctrl that its processes are in; nil for none.
    var resctrl: ResctrlGroups?
    /// Those that run after `create`: the bundle may be gone or changed by then.
    var hooks: RuntimeHooks

    init(_ plan: ContainerPlan, pid: Int32, startTicks: UInt64, owner: UInt32) {
        id = plan.id
        ociVersion = plan.spec.ociVersion
        bundle = plan.bundle
        rootfs = plan.rootfs
        self.pid = pid
        self.startTicks = startTicks
        created = Timestamp.now().rfc3339Nano
        self.owner = owner
        annotations = plan.spec.annotations
        cgroupPath = plan.cgroup.path
        systemdUnit = plan.cgroup.scope?.unit
        hasCgroup = !plan.cgroup.isRefused
        sharesMounts = !plan.namespaces.has(.mount)
        hooks = RuntimeHooks()
        hooks.poststart = plan.spec.hooks.poststart
        hooks.poststop = plan.spec.hooks.poststop
    }

    var scope: SystemdScope? { systemdUnit.map { SystemdScope(unit: $0, cgroupPath: cgroupPath) } }

    /// The container's cgroup; of one without, a cgroup that is in no hierarchy.
    func cgroup(in layout: CgroupLayout) -> Cgroup {
        Cgroup(path: cgroupPath, layout: hasCgroup ? layout : CgroupLayout(mounts: []))
    }

    var json: JSONValue {
        var object = JSONObject()
        object["ociVersion"] = .string(ociVersion)
        object["id"] = .string(id)
        object["pid"] = .integer(Int64(pid))
        object["startTicks"] = startTicks.json
        object["bundle"] = .string(bundle)
        object["rootfs"] = .string(rootfs)
        object["created"] = .string(created)
        object["owner"] = .integer(Int64(owner))
        object["annotations"] = annotations.isEmpty ? .object(JSONObject()) : annotationsJSON
        object["cgroupPath"] = .string(cgroupPath)
        if let systemdUnit { object["systemdUnit"] = .string(systemdUnit) }
        if !hasCgroup { object["hasCgroup"] = false }
        if sharesMounts { object["sharesMounts"] = true }
        if keepsKeyring { object["keepsKeyring"] = true }
        if let filter { object["filter"] = filter.json }
        if let resctrl { object["resctrl"] = resctrl.json }
        object["hooks"] = hooks.json
        return .object(object)
    }

    /// Apart, for making out how a table is sorted costs more than all the rest of the record.
    @inline(never)
    private var annotationsJSON: JSONValue { annotations.json }

    init(_ json: JSONValue) throws(RuntimeSpecError) {
        let record = RuntimeProperty(json, name: "state.json")
        id = try record.required("id").string()
        ociVersion = try record.required("ociVersion").string()
        pid = try record.required("pid").integer()
        startTicks = try record.required("startTicks").integer()
        bundle = try record.required("bundle").string()
        rootfs = try record.required("rootfs").string()
        created = try record.required("created").string()
        owner = try record.required("owner").integer()
        annotations = try record.required("annotations").textMap()
        cgroupPath = try record.required("cgroupPath").string()
        systemdUnit = try record["systemdUnit"]?.string()
        hasCgroup = try record["hasCgroup"]?.bool() ?? true
        sharesMounts = try record["sharesMounts"]?.bool() ?? false
        keepsKeyring = try record["keepsKeyring"]?.bool() ?? false
        filter = try record["filter"].map { (file) throws(RuntimeSpecError) in try FilterFile(file) }
        resctrl = try record["resctrl"].map { (groups) throws(RuntimeSpecError) in try ResctrlGroups(groups) }
        hooks = try RuntimeHooks(try record.required("hooks"))
    }
}
