import Glibc
import Linux
import OCI

/// `checkpoint`: a running container, saved in files.
extension Invocation {
    func checkpoint() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, CriuOptions.ofCheckpoint)
        try arguments.expectOperands("checkpoint", exactly: 1)
        let record = try store.record(of: arguments.operands[0])
        let spec = try store.spec(of: record.id)
        let facts = try HostFacts.current(for: spec.linux.intelRdt)
        let status = ContainerStatus.of(record, in: store, facts.layout)
        guard status == .running || status == .paused else {
            throw RuntimeError("Container cannot be checkpointed in \(status.rawValue) state")
        }
        let options = try CriuOptions(arguments)
        try options.prepare()
        let dump = ContainerDump(
            record: record, spec: spec, facts: facts, options: options,
            session: CriuSession(program: criu, log: log))
        // An exec that is prepared is not of the container yet, and CRIU could make nothing of it.
        try attempt { () throws(KernelError) in
            try EntriesUnderway.end(in: record.cgroup(in: facts.layout), of: record)
        }
        do throws(RuntimeError) {
            try dump.run()
        } catch {
            CriuLog(folder: options.workPath ?? options.imagePath, name: ContainerDump.logName).quote(in: log)
            throw error
        }
        if !options.leavesRunning, !options.isPreDump { try deleteContainer(record, force: true) }
        return 0
    }
}

/// The saving of one container.
struct ContainerDump {
    static let logName = "dump.log"

    let record: ContainerRecord
    let spec: RuntimeSpec
    let facts: HostFacts
    let options: CriuOptions
    let session: CriuSession

    func run() throws(RuntimeError) {
        let images = try CriuFolder.images(options.imagePath)
        let work = try CriuFolder.work(
            options.workPath ?? options.imagePath, replacing: [Self.logName, "stats-dump"])
        let version = try session.version()
        if options.isPreDump { try session.require("MemTrack", feature: 1) }
        if options.switches.contains(.lazyPages) {
            try session.require("LazyPages", feature: 2)
            try options.checkStatusDescriptor()
        }
        var request = CriuRequest(options.isPreDump ? .preDump : .dump)
        request.setFolders(
            images: images.descriptor.rawValue, work: work.descriptor.rawValue, logFile: Self.logName)
        request.setCommon(root: record.rootfs, cgroups: options.cgroupMode)
        request.set(options.switches)
        request.setDump(
            pid: record.pid, leavesRunning: options.leavesRunning, freezing: freezer(version))
        CriuConfiguration.apply(record.annotations, to: &request)
        try addNamespaces(to: &request)
        if let server = options.pageServer { request.setPageServer(server.address, port: server.port) }
        if let parent = options.parentPath { request.setParent(parent) }
        if !options.isPreDump {
            try addMounts(to: &request)
            try StandardStreams(ofProcess: record.pid).write(in: images.descriptor)
        }
        try session.converse(request) { (response, descriptor) throws(RuntimeError) in
            descriptor?.close()
            if response.script == "status-ready" { tellStatus() }
        }
    }

    /// The cgroup by which CRIU stops the processes; the one of version 2 only since 3.14.
    private func freezer(_ version: Int32) -> String? {
        if facts.layout.mode == .unified {
            return version >= 31400 ? facts.layout.unifiedDirectory(of: record.cgroupPath) : nil
        }
        return facts.layout.directory(of: record.cgroupPath, controller: "freezer")
    }

    /// Network and pid namespaces that others made stay theirs: CRIU is told their inodes and what to call them.
    private func addNamespaces(to request: inout CriuRequest) throws(RuntimeError) {
        for namespace in spec.linux.namespaces {
            guard let path = namespace.path, let key = CriuConfiguration.key(of: namespace.kind) else { continue }
            var facts = stat()
            try attempt { () throws(KernelError) in try kernelCall("stat", path) { stat(path, &facts) } }
            request.addExternal("\(namespace.kind.procName)[\(facts.st_ino)]:\(key)")
        }
    }

    private func addMounts(to request: inout CriuRequest) throws(RuntimeError) {
        let plan = try ContainerPlan(id: record.id, bundle: record.bundle, spec: spec, facts: facts)
        let root = try attempt { () throws(KernelError) in
            OwnedDescriptor(try Descriptor.open("/proc/\(record.pid)/root", O_PATH | O_DIRECTORY))
        }
        let tree = RootedTree(root: root.descriptor)
        for mount in CriuMounts(plan, layout: facts.layout, isDump: true).mounts {
            request.addMount(Self.place(of: mount.place, in: tree), mount.place)
        }
        for path in Self.maskedFiles(spec.linux.maskedPaths, in: tree) {
            request.addMount(Self.place(of: path, in: tree), "/dev/null")
        }
    }

    /// The masks that are mounts of the null device. A directory is masked by a file system of its own, which the images
    /// have.
    ///
    /// - Parameter tree: the container's root, whose links lead nowhere else.
    static func maskedFiles(_ paths: [String], in tree: RootedTree) -> [String] {
        paths.compactMap { path in
            // What is missing is not masked.
            guard let mask = try? tree.place(path) else { return nil }
            defer { mask.close() }
            // One that cannot be looked at is as good as missing.
            guard let isDirectory = try? mask.isDirectory(), !isDirectory else { return nil }
            return path
        }
    }

    /// Where a mount is, when links of the image stand in its way: CRIU goes by the kernel's table of mounts.
    private static func place(of path: String, in tree: RootedTree) -> String {
        // One that the container has hidden or unmounted: CRIU says so, if it matters.
        guard let found = try? tree.open(path, O_PATH) else { return path }
        let mount = OwnedDescriptor(found)
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = readlink(mount.descriptor.procPath, &buffer, 4096)
        guard count > 0 else { return path }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func tellStatus() {
        guard options.statusDescriptor >= 0 else { return }
        // Who waits for it may be gone; the dump goes on.
        try? Descriptor(rawValue: options.statusDescriptor).writeAll([0])
        Descriptor(rawValue: options.statusDescriptor).close()
    }
}

/// What CRIU is told for every container of this runtime.
enum CriuConfiguration {
    /// Names a file of settings of CRIU, read by CRIU with the rights of the runtime.
    static let annotation = "org.criu.config"

    /// The annotation names a file of settings that override the request's, or none.
    static func apply(_ annotations: TextMap, to request: inout CriuRequest) {
        let path = annotations[annotation] ?? "/etc/criu/runc.conf"
        if !path.isEmpty { request.setConfiguration(path) }
    }

    /// The name that a namespace of others has in the images; nil for kinds that CRIU joins by their path.
    static func key(of kind: LinuxNamespace.Kind) -> String? {
        switch kind {
        case .network: "extRootNetNS"
        case .pid: "extRootPidNS"
        default: nil
        }
    }
}
