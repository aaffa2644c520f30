import Glibc
import Linux

enum WorkingDirectory {
    /// The absolute path, getcwd(3).
    static func path() throws(KernelError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        try kernelCall("getcwd") { getcwd(&buffer, buffer.count) == nil ? -1 : 0 }
        return buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "/" }
    }
}
