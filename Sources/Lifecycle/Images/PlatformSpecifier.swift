import EngineAPI
import OCI

extension Platform {
    /// Reads what people write: `linux/arm64/v8`, or an architecture alone, which is one of the machine's system.
    ///
    /// - Throws: `invalid`
    package init(specifier text: String) throws(EngineError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw EngineError(.invalid, "\"\(text)\": unknown operating system or architecture: invalid argument")
        }
        let (os, architecture) = parts.count > 1 ? (parts[0], parts[1]) : ("linux", parts[0])
        self.init(os: os, architecture: architecture, variant: parts.count == 3 ? parts[2] : nil)
    }
}
