import EngineAPI
import Glibc
import JSON
import Linux
import ShimAPI

/// One shim's place in the run root, `shims/<id>`, seen from the engine. Its calls block, shortly.
struct ShimDirectory: Hashable, Sendable {
    static let socketName = "shim.sock"

    let id: String
    let path: String

    /// Throws `invalid` for an id that is no file name: it becomes part of paths that are removed.
    init(id: String, runRoot: String) throws(EngineError) {
        let isName = !id.isEmpty && id != "." && id != ".." && !id.utf8.contains { $0 == 0x2F || $0 == 0 }
        guard isName, id.utf8.count <= 200 else {
            throw EngineError(.invalid, "invalid task id: `\(id)`", object: id)
        }
        self.id = id
        path = "\(runRoot)/shims/\(id)"
    }

    /// The ids of all that the run root holds: none where it is not there.
    static func all(below runRoot: String) throws(KernelError) -> [String] {
        let path = "\(runRoot)/shims"
        do throws(KernelError) { return try Directory.list(path).sorted() } catch {
            if error.errno == .noSuchFile { return [] }
            throw error
        }
    }

    var exists: Bool { access(path, F_OK) == 0 }

    /// Makes the directory; EEXIST where a task of that id is already there.
    func create(runRoot: String) throws(KernelError) {
        if mkdir(path, 0o700) == 0 { return }
        for parent in ["shims", "runtime"].map({ "\(runRoot)/\($0)" }) where access(parent, F_OK) != 0 {
            try Directory.create(parent, mode: 0o700)
            Directory.spread(parent)
        }
        try kernelCall("mkdir", path) { mkdir(path, 0o700) }
    }

    func write(_ task: ShimTask) throws(KernelError) {
        try FileContents.replace("\(path)/\(ShimTask.fileName)", with: task.json.compactBytes, durable: false)
    }

    /// Nil where the file is missing or says nothing of use.
    var task: ShimTask? { json(ShimTask.fileName).flatMap(ShimTask.init(json:)) }
    var initRecord: InitRecord? { json(InitRecord.fileName).flatMap(InitRecord.init(json:)) }

    /// The records of its container, read by who must not take a failure to read for their absence.
    ///
    /// - Throws: what open(2) and read(2) met, such as EMFILE; a file that is missing, or says nothing of use, is nil.
    func records() throws(KernelError) -> (initial: InitRecord?, exit: ExitRecord?) {
        (
            try certain(InitRecord.fileName).flatMap(InitRecord.init(json:)),
            try certain(ExitRecord.fileName).flatMap(ExitRecord.init(json:))
        )
    }

    /// Removes the directory with its files; what is gone already does not matter.
    func remove() {
        // Nothing to open means nothing to remove; what is left is found, and removed, by the next engine.
        guard let directory = try? Descriptor.open(path, O_RDONLY | O_DIRECTORY) else { return }
        defer { directory.close() }
        for name in (try? Directory.list(in: directory)) ?? [] { unlinkat(directory.rawValue, name, 0) }
        rmdir(path)
    }

    private func certain(_ name: String) throws(KernelError) -> JSONValue? {
        let bytes: [UInt8]
        do { bytes = try FileContents.read("\(path)/\(name)") } catch {
            if error.errno == .noSuchFile { return nil }
            throw error
        }
        return try? JSONValue(parsing: bytes)  // Cut short by a full disk.
    }

    private func json(_ name: String) -> JSONValue? {
        // A file that is not there, or was cut short by a full disk, is a fact that the caller weighs.
        guard let bytes = try? FileContents.read("\(path)/\(name)") else { return nil }
        return try? JSONValue(parsing: bytes)  // As above.
    }
}

extension InitRecord {
    /// Whether the shim that wrote it is there and stopped, and so will not answer.
    var shimIsStopped: Bool {
        // Gone, or not to be read now: then its socket tells.
        guard let stat = try? ProcessStat.read(pid: shim.pid) else { return false }
        return stat.startTicks == shim.startTicks && stat.isStopped
    }

    /// Whether the shim that wrote it is still there; it may have been stopped, or have no time.
    var shimLives: Bool {
        get throws(KernelError) {
            do {
                let stat = try ProcessStat.read(pid: shim.pid)
                return stat.startTicks == shim.startTicks && !stat.isEnded
            } catch {
                if error.errno == .noSuchFile || error.errno == .noSuchProcess { return false }
                throw error
            }
        }
    }
}

extension ShimDirectory {
    /// What the files say of the task; nil where there is none.
    ///
    /// - Parameter isGone: nobody listens where the shim did.
    func facts(isGone: Bool) throws(KernelError) -> TaskFacts? {
        guard exists else { return nil }
        let (initial, exit) = try records()
        var facts = TaskFacts(id: id, status: .lost)
        facts.initial = initial.map { ProcessIdentity($0.process) }
        if let exit {
            facts.status = .stopped
            facts.exit = TaskExit(exit.exit)
        } else if !isGone, let initial, try initial.shimLives {
            facts.status = .unreachable
            facts.shim = ProcessIdentity(initial.shim)
        }
        return facts
    }
}
