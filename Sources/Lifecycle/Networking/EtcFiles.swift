import Linux

/// What of a container its files in /etc tell.
package struct ContainerNames: Hashable, Sendable {
    package var hostname: String
    package var domainname: String?
    /// `name:address`, as `--add-host` takes them; `host-gateway` stands for the host.
    package var extraHosts: [String]
    package var servers: [String]
    package var search: [String]
    package var options: [String]
    /// Other containers under names of this one's own.
    package var links: [HostsLink] = []

    package init(
        hostname: String, domainname: String? = nil, extraHosts: [String] = [], servers: [String] = [],
        search: [String] = [], options: [String] = []
    ) {
        self.hostname = hostname
        self.domainname = domainname
        self.extraHosts = extraHosts
        self.servers = servers
        self.search = search
        self.options = options
    }

    /// What it is called by itself: the name with its domain, and what stands before the first dot.
    fileprivate var own: [String] {
        if let domainname, !domainname.isEmpty { return ["\(hostname).\(domainname)", hostname] }
        return hostname.firstIndex(of: ".").map { [hostname, String(hostname[..<$0])] } ?? [hostname]
    }
}

/// A line of /etc/hosts that tells of another container; the first name is the link's.
package struct HostsLink: Hashable, Sendable {
    package var address: String
    package var names: [String]

    package init(address: String, names: [String]) {
        self.address = address
        self.names = names
    }
}

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
        let own = names.own.joined(separator: " ")
        for address in addresses { text += "\(address)\t\(own)\n" }
        return text
    }

    /// The text with another address in the lines whose first name this is; all else stays, whoever wrote it.
    package static func text(_ text: String, moving name: String, to address: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let words = line.split { $0 == "\t" || $0 == " " }
            guard words.count > 1, words[1] == name, !words[0].hasPrefix("#") else { return String(line) }
            return "\(address)\t\(words.dropFirst().joined(separator: " "))"
        }.joined(separator: "\n")
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

/// resolv.conf(5): what of the host's is used, and what a container gets.
package struct ResolverFile: Hashable, Sendable {
    package var servers: [String] = []
    package var search: [String] = []
    package var options: [String] = []

    package init() {}

    /// The last `search` counts, of options all; what is not understood is left out.
    package init(text: String) {
        for line in TextLines.said(in: text) {
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let first = words.first, !first.hasPrefix("#"), !first.hasPrefix(";"), words.count > 1 else {
                continue
            }
            switch first {
            case "nameserver": servers.append(words[1])
            case "search", "domain": search = Array(words.dropFirst())
            case "options": options += words.dropFirst()
            default: break
            }
        }
    }

    /// The machine's own. Blocking; a machine without the file has no resolvers to tell of.
    package static func machine(at path: String = "/etc/resolv.conf") -> ResolverFile {
        let bytes = (try? FileContents.read(path, limitBytes: 1 << 20)) ?? []
        return ResolverFile(text: String(decoding: bytes, as: UTF8.self))
    }

    /// For who cannot reach the machine's loopback: where all there is is systemd-resolved(8) there, what that itself
    /// asks, as docker does; else unchanged. Blocking.
    func beyondLocalStub(_ path: String = "/run/systemd/resolve/resolv.conf") -> ResolverFile {
        guard servers == ["127.0.0.53"] else { return self }
        let upstream = ResolverFile.machine(at: path)
        return upstream.servers.isEmpty ? self : upstream
    }

    /// With what the container asks for in the place of the host's.
    package func overridden(_ names: ContainerNames) -> ResolverFile {
        var result = self
        if !names.servers.isEmpty { result.servers = names.servers }
        if !names.search.isEmpty { result.search = names.search == ["."] ? [] : names.search }
        if !names.options.isEmpty { result.options = names.options }
        return result
    }

    /// Docker's choice where nobody is left to be asked.
    package static let fallback = ["8.8.8.8", "8.8.4.4"]
    private static let version6Fallback = ["2001:4860:4860::8888", "2001:4860:4860::8844"]

    /// For the default network, where nobody answers names: without the host's own loopback, which is elsewhere there, and
    /// without the servers of a version that the container has no address of.
    package func reachable(hasIPv6: Bool) -> ResolverFile {
        var result = self
        result.servers = servers.filter { text in
            guard let address = IPAddress(text) else { return false }
            return !address.isLoopback && (hasIPv6 || address.family == .v4)
        }
        if result.servers.isEmpty { result.servers = Self.fallback + (hasIPv6 ? Self.version6Fallback : []) }
        return result
    }

    /// For other networks: the container's own name server asks these.
    package var behindNameServer: ResolverFile {
        var result = self
        result.servers = ["127.0.0.11"]
        if !result.options.contains(where: { $0.hasPrefix("ndots:") }) { result.options.append("ndots:0") }
        return result
    }

    package var text: String {
        var lines = ["# Generated by Gantry."] + servers.map { "nameserver \($0)" }
        if !search.isEmpty { lines.append("search \(search.joined(separator: " "))") }
        if !options.isEmpty { lines.append("options \(options.joined(separator: " "))") }
        return lines.joined(separator: "\n") + "\n"
    }
}
