import EngineAPI
import OCI

extension Platform {
    /// Reads what people write: `linux/arm64/v8`; a system alone is that of this machine's processor, an architecture alone
    /// one of linux.
    ///
    /// - Throws: `invalid` in the words of docker's client.
    package init(specifier text: String) throws(EngineError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        for part in parts where part.isEmpty || !part.utf8.allSatisfy(Self.isWordByte) {
            throw EngineError(
                .invalid,
                "\"\(part)\" is an invalid component of \"\(text)\": platform specifier component must match "
                    + "\"^[A-Za-z0-9_-]+$\": invalid argument")
        }
        switch parts.count {
        case 1 where Self.systems.contains(Self.systemName(parts[0])):
            self.init(
                os: Self.systemName(parts[0]), architecture: Platform.host.architecture, variant: Platform.host.variant)
        case 1 where Self.architectures.contains(Platform(os: "", architecture: parts[0]).architecture):
            self.init(os: "linux", architecture: parts[0])
        case 1:
            throw EngineError(.invalid, "\"\(text)\": unknown operating system or architecture: invalid argument")
        case 2, 3:
            self.init(
                os: Self.systemName(parts[0]), architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
        default: throw EngineError(.invalid, "\"\(text)\": cannot parse platform specifier: invalid argument")
        }
    }

    private static let systems: Set = [
        "aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd", "openbsd",
        "plan9", "solaris", "wasip1", "windows",
    ]
    private static let architectures: Set = [
        "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
        "riscv64", "s390x", "wasm",
    ]

    private static func systemName(_ name: String) -> String {
        let name = name.lowercased()
        return name == "macos" ? "darwin" : name
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 95: true
        default: false
        }
    }
}
