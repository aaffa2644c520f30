import EngineAPI
import Linux

/// The server of a volume that lies in a network: people call it by its name, and the kernel takes addresses alone.
extension VolumeMountPlan {
    private static let networkTypes: Set = ["nfs", "nfs4", "cifs", "smb3"]
    private static let addressOption = "addr="

    /// With the server's address in the place of its name, by docker's rule: where `addr=` says a name, or, of the file
    /// systems that have their server in the source alone, `//name/share` does.
    ///
    /// - Parameter lookUp: the address of a host; what it throws is thrown.
    func withAddress(
        _ lookUp: (String) throws(EngineError) -> IPAddress
    ) throws(EngineError) -> VolumeMountPlan {
        guard Self.networkTypes.contains(type) else { return self }
        var plan = self
        var options = data.split(separator: ",").map(String.init)
        if let place = options.firstIndex(where: { $0.hasPrefix(Self.addressOption) }) {
            let name = String(options[place].dropFirst(Self.addressOption.count))
            if name.isEmpty || IPAddress(name) != nil { return self }
            options[place] = Self.addressOption + (try lookUp(name)).description
            plan.data = options.joined(separator: ",")
        } else if !type.hasPrefix("nfs"), source.hasPrefix("//") {
            let rest = source.dropFirst(2)
            let name = String(rest.prefix { $0 != "/" })
            if name.isEmpty || IPAddress(name) != nil { return self }
            plan.source = "//\(try lookUp(name))\(rest.dropFirst(name.count))"
        }
        return plan
    }
}
