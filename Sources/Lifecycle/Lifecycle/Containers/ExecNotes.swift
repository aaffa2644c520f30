import EngineAPI
import Glibc
import JSON
import Linux

/// What an engine notes of a container's execs for the one after it: their processes outlive an engine, and who has
/// started one may go on with it.
///
/// A file for each, in the container's bundle below the run root: it goes with the container's processes. Its text is
/// what the exec is made of, its name the id and how far it has come: `ID` of a created one, `ID.started`, and with the
/// exit code `ID.0`.
struct ExecNotes: Sendable {
    enum Progress: Hashable, Sendable {
        case created, started
        case exited(code: Int32)

        fileprivate var suffix: String {
            switch self {
            case .created: ""
            case .started: ".started"
            case .exited(let code): ".\(code)"
            }
        }

        fileprivate init?(suffix: Substring?) {
            switch suffix {
            case nil: self = .created
            case "started"?: self = .started
            case let text?:
                guard let code = Int32(text) else { return nil }
                self = .exited(code: code)
            }
        }
    }

    private let directory: String

    init(bundle: String) { directory = bundle + "/execs" }

    /// Of a new exec.
    func add(_ id: String, _ spec: ExecSpec) throws(KernelError) {
        let text: [UInt8]
        do { text = try JSONValue(encoding: spec).compactBytes } catch {
            throw KernelError("write down exec", id, .invalidArgument)
        }
        // Cut short by a crash, it cannot be read, and is none.
        let folder = OwnedDescriptor(try openOrMake())
        try FileContents.create(id, in: folder.descriptor, with: text)
    }

    private func openOrMake() throws(KernelError) -> Descriptor {
        do throws(KernelError) { return try Descriptor.open(directory, O_RDONLY | O_DIRECTORY) } catch {
            guard error.errno == .noSuchFile else { throw error }
        }
        // Not with its parents: the bundle of a container that has ended is not made anew.
        try kernelCall("mkdir", directory) { mkdir(directory, 0o700) }
        return try Descriptor.open(directory, O_RDONLY | O_DIRECTORY)
    }

    /// What came of one; nothing where it was never noted, as a health check.
    func move(_ id: String, from old: Progress, to new: Progress) {
        rename("\(directory)/\(id)\(old.suffix)", "\(directory)/\(id)\(new.suffix)")
    }

    func remove(_ id: String, at progress: Progress) { unlink("\(directory)/\(id)\(progress.suffix)") }

    private func read(_ name: String) throws -> ExecSpec {
        try JSONValue(parsing: try FileContents.read("\(directory)/\(name)")).decoded()
    }

    /// What a former engine has noted. A note that cannot be read is no exec.
    func all() -> [(id: String, spec: ExecSpec, progress: Progress)] {
        // Where there is no directory nothing was noted.
        let names = (try? Directory.list(directory)) ?? []
        return names.compactMap { name in
            let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            guard let progress = Progress(suffix: parts.count > 1 ? parts[1] : nil), let first = parts.first,
                !first.isEmpty
            else { return nil }
            // As above: it is left alone, and goes with the bundle.
            guard let spec = try? read(name) else { return nil }
            return (String(first), spec, progress)
        }
    }
}
