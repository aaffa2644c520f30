import Linux

/// A file of the user's that need not be there.
enum ConfigurationFile {
    /// Its text; empty where there is none, or none that can be read.
    static func text(_ path: String) -> String {
        do throws(KernelError) {
            return String(decoding: try FileContents.read(path, limitBytes: 256 << 10), as: UTF8.self)
        } catch {
            return ""
        }
    }
}
