import EngineAPI
import Glibc
import Images
import Linux
import Tasks

/// passwd(5) and group(5) of a running container, as its first process sees them.
struct AccountFiles {
    /// What a file was like when it was read.
    enum Mark: Hashable, Sendable {
        case absent
        case present(FileStamp)
        /// It may be another at any time, and not show that.
        case fleeting
    }

    private let root: HeldDescriptor

    init(of initial: ProcessIdentity) throws(KernelError) {
        root = HeldDescriptor(try Descriptor.open("/proc/\(initial.pid)/root", O_PATH | O_DIRECTORY))
    }

    private var tree: RootedTree { RootedTree(root: root.descriptor) }

    /// Empty where there is no such file, or none that is regular: a pipe or a device there is not waited for. The
    /// files are the container's, and may be held up by somebody for ever.
    func read(_ file: UserLookup.File) throws(KernelError) -> (bytes: [UInt8], mark: Mark) {
        do {
            let found = OwnedDescriptor(try tree.open(file.rawValue, O_RDONLY | O_NONBLOCK))
            // Before it is read: what is changed meanwhile shows afterwards.
            let mark = try mark(of: found.descriptor)
            guard try found.descriptor.status().st_mode & S_IFMT == S_IFREG else { return ([], mark) }
            return (try found.descriptor.readAll(limitBytes: 8 << 20), mark)
        } catch  where error.errno == .noSuchFile || error.errno == .notDirectory {
            return ([], .absent)
        }
    }

    /// Whether it is still what `read` has found, as far as can be seen without waiting for anybody.
    func isUnchanged(_ file: UserLookup.File, since mark: Mark) -> Bool {
        guard mark != .fleeting else { return false }
        do throws(KernelError) {
            let place = OwnedDescriptor(try tree.knownPlace(file.rawValue))
            return try self.mark(of: place.descriptor) == mark
        } catch {
            let isAbsent = error.errno == .noSuchFile || error.errno == .notDirectory
            return isAbsent && mark == .absent
        }
    }

    private func mark(of descriptor: Descriptor) throws(KernelError) -> Mark {
        let stamp = try FileStamp(of: descriptor)
        // What is mounted in the root may be changed from elsewhere, and the kernel hear of it late.
        guard try FileStamp(of: root.descriptor).mount == stamp.mount, stamp.isSettled(at: .now()) else {
            return .fleeting
        }
        return .present(stamp)
    }
}

/// Who a name meant in a container, for as long as its files say the same: of an exec's making and its start, and of
/// execs that follow one another, the first looks the user up.
struct KnownUser: Sendable {
    struct Question: Hashable, Sendable {
        /// As `UserLookup.resolve` takes them.
        var name: String
        var groups: [String]
        /// Whose root it is about.
        var initial: ProcessIdentity
    }

    /// One with more groups is looked up each time, rather than that every container keeps so many.
    private static let groupLimit = 64

    let user: ResolvedUser
    private let question: Question
    private let marks: [UserLookup.File: AccountFiles.Mark]

    /// Looks through the files, which may wait.
    init(
        _ question: Question, files: AccountFiles, failure: @escaping (KernelError) -> EngineError
    ) throws(EngineError) {
        var marks: [UserLookup.File: AccountFiles.Mark] = [:]
        let lookup = UserLookup { (file) throws(EngineError) -> [UInt8] in
            do throws(KernelError) {
                let (bytes, mark) = try files.read(file)
                marks[file] = mark
                return bytes
            } catch { throw failure(error) }
        }
        user = try lookup.resolve(question.name, additionalGroups: question.groups)
        self.question = question
        self.marks = marks
    }

    /// Whether it answers the question as a new look would. Waits for nobody.
    func answers(_ question: Question) -> Bool {
        guard question == self.question, user.supplementaryGroups.count <= Self.groupLimit,
            let files = try? AccountFiles(of: question.initial)
        else { return false }
        return marks.allSatisfy { files.isUnchanged($0.key, since: $0.value) }
    }
}

extension Container {
    /// Looks the user up in the root that the container's first process sees.
    func resolve(_ name: String, _ groups: [String]) async throws(EngineError) -> ResolvedUser {
        guard let initial = machine.run?.initial else { throw notRunning(id) }
        let question = KnownUser.Question(name: name, groups: groups, initial: initial)
        if let knownUser, knownUser.answers(question) { return knownUser.user }
        let id = id
        // Looked through there as well: the files are the container's, and as large as that likes.
        let found = try await ServedFiles.look(into: id, apart: "/etc") { () throws(EngineError) -> KnownUser in
            let failure = { (error: KernelError) in
                error.isAboutGoneProcess
                    ? EngineError(.conflict, "container \(id) is not running", object: id)
                    : EngineError(error, object: id)
            }
            let files: AccountFiles
            do throws(KernelError) { files = try AccountFiles(of: initial) } catch { throw failure(error) }
            return try KnownUser(question, files: files, failure: failure)
        }
        knownUser = found
        return found.user
    }
}

extension KernelError {
    /// A process that has ended, and whose end is not told yet, has no entry in /proc any more, or an empty one.
    var isAboutGoneProcess: Bool { errno == .noSuchFile || errno == .noSuchProcess }
}
