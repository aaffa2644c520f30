import Glibc
import Linux

enum WorkingDirectory {
    /// The absolute path, by the links that the shell came through where it says so (`PWD`); else getcwd(3).
    static func path() throws(KernelError) -> String {
        if let told = getenv("PWD").map({ String(cString: $0) }), told.hasPrefix("/"), isHere(told) { return told }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        try kernelCall("getcwd") { getcwd(&buffer, buffer.count) == nil ? -1 : 0 }
        return buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "/" }
    }

    /// A path relative to here made absolute by its words alone: no link is followed, and nothing need be there. As it is
    /// where nobody knows where we are.
    static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        do throws(KernelError) { return PathName.cleaned(try Self.path() + "/" + path) } catch { return path }
    }

    private static func isHere(_ path: String) -> Bool {
        var (told, real) = (stat(), stat())
        return stat(path, &told) == 0 && stat(".", &real) == 0 && told.st_dev == real.st_dev
            && told.st_ino == real.st_ino
    }
}
