import EngineAPI

/// What this program calls itself.
enum ProgramVersion {
    static let number = "0.1.0"

    static var client: EngineVersion {
        var version = EngineVersion(name: "Gantry", version: number, apiVersion: "1.51", minimumAPIVersion: "1.24")
        #if arch(x86_64)
            version.architecture = "amd64"
        #elseif arch(arm64)
            version.architecture = "arm64"
        #endif
        return version
    }
}
