import CLinux
import Glibc
import Linux

/// A program as execve(2) takes it: found, with its arguments and environment.
struct ProgramImage {
    var path: String
    var arguments: [String]
    var environment: [String]

    /// Looks the program up as it will be looked up inside: `PATH` of the environment it gets, relative to its own working
    /// directory. Fails in the words that callers know.
    init(arguments: [String], environment: [String]) throws(RuntimeError) {
        self.arguments = arguments
        self.environment = environment
        path = try Self.lookUp(arguments[0], in: environment)
    }

    /// Becomes the program. Returns only with the reason why it did not.
    func execute() -> KernelError {
        var reason = KernelError("exec", path, .invalidArgument)
        withCStrings(arguments) { argv in
            withCStrings(environment) { envp in
                do throws(KernelError) {
                    try kernelCall("exec", path) { execve(path, argv, envp) }
                } catch { reason = error }
            }
        }
        return reason
    }

    private static func lookUp(_ name: String, in environment: [String]) throws(RuntimeError) -> String {
        if name.utf8.contains(47) {
            switch check(name) {
            case .executable: return name
            case .missing(let reason): throw RuntimeError("exec: \"\(name)\": stat \(name): \(reason)")
            case .refused: throw RuntimeError("exec: \"\(name)\": permission denied")
            }
        }
        let search = Array(environment.last { $0.hasPrefix("PATH=") }?.utf8.dropFirst(5) ?? "".utf8[...])
        var wasRefused = false
        // No path at all is no folder, while an empty one among others is the working directory. No file has no name.
        let folders =
            search.isEmpty || name.isEmpty ? [] : search.split(separator: 58, omittingEmptySubsequences: false)
        for folder in folders {
            let candidate =
                folder.isEmpty ? "./\(name)" : PathName.joined(String(decoding: folder, as: UTF8.self), name)
            switch check(candidate) {
            case .executable: return candidate
            case .missing: continue
            case .refused: wasRefused = true
            }
        }
        // A file of that name that may not be executed is passed over by every shell's search, and told at the end.
        throw RuntimeError(
            "exec: \"\(name)\": \(wasRefused ? "permission denied" : "executable file not found in $PATH")")
    }

    private enum Finding {
        case executable
        case missing(Errno)
        case refused
    }

    /// By the rights that this process has by now, which are the program's, and by those of the mount.
    private static func check(_ path: String) -> Finding {
        var facts = stat()
        do throws(KernelError) {
            try kernelCall("stat", path) { stat(path, &facts) }
        } catch {
            return error.errno == .accessDenied ? .refused : .missing(error.errno)
        }
        guard facts.st_mode & S_IFMT != S_IFDIR, facts.st_mode & 0o111 != 0 else { return .refused }
        do throws(KernelError) {
            try kernelCall("access", path) { faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) }
        } catch {
            // A filter that does not know the call says nothing of the file.
            return [.noSystemCall, .notPermitted].contains(error.errno) ? .executable : .refused
        }
        return .executable
    }
}
