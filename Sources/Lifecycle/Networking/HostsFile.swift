import Linux

/// The text of /etc/hosts, as docker writes it.
package enum HostsFile {
    /// - Parameters:
    ///   - addresses: the container's own.
    ///   - gateway: what `host-gateway` stands for.
    package static func text(_ names: ContainerNames, addresses: [IPAddress], gateway: IPAddress?) -> String {
        var text = fixed
        for extra in names.extraHosts {
            guard let split = extra.firstIndex(where: { $0 == ":" || $0 == "=" }) else { continue }
            var address = String(extra[extra.index(after: split)...])
            if address == "host-gateway" { address = gateway?.description ?? "127.0.0.1" }
            if address.hasPrefix("[") { address = String(address.dropFirst().dropLast()) }
            text += "\(address)\t\(extra[..<split])\n"
        }
        for link in names.links { text += "\(link.address)\t\(link.names.joined(separator: " "))\n" }
        for address in addresses { text += own(address, names) + "\n" }
        return text
    }

    /// The container's own line for an address.
    private static func own(_ address: IPAddress, _ names: ContainerNames) -> String {
        "\(address)\t\(names.own.joined(separator: " "))"
    }

    private static let fixed = """
        127.0.0.1\tlocalhost
        ::1\tlocalhost ip6-localhost ip6-loopback
        fe00::\tip6-localnet
        ff00::\tip6-mcastprefix
        ff02::1\tip6-allnodes
        ff02::2\tip6-allrouters

        """
}

/// What becomes of the file of a container that runs. Who wrote what else is in it is nobody's business: all of it stays, byte
/// for byte.
extension HostsFile {
    /// With another address in the lines whose first name this is; without those lines where there is none any more.
    package static func text(_ text: [UInt8], moving name: String, to address: String?) -> [UInt8] {
        Array(
            lines(text).compactMap { line -> [UInt8]? in
                let words = line.split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
                guard words.count > 1, words[1].elementsEqual(name.utf8), words[0].first != UInt8(ascii: "#") else {
                    return Array(line)
                }
                guard let address else { return nil }
                return Array("\(address)\t".utf8) + words.dropFirst().joined(separator: [UInt8(ascii: " ")])
            }.joined(separator: [UInt8(ascii: "\n")]))
    }

    /// With the container's own lines for these addresses, and without those for others.
    package static func text(
        _ text: [UInt8], of names: ContainerNames, with present: [IPAddress], without gone: [IPAddress]
    ) -> [UInt8] {
        let removed = Set(gone.filter { !present.contains($0) }.map { Array(own($0, names).utf8) })
        var kept = lines(text).map { Array($0) }.filter { !removed.contains($0) }
        let missing = present.map { Array(own($0, names).utf8) }.filter { !kept.contains($0) }
        if missing.isEmpty { return Array(kept.joined(separator: [UInt8(ascii: "\n")])) }
        // The text ends with a line's end, unless somebody forgot it.
        if kept.last?.isEmpty == true { kept.removeLast() }
        return Array((kept + missing + [[]]).joined(separator: [UInt8(ascii: "\n")]))
    }

    private static func lines(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }
}
