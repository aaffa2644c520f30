import JSON
import Linux
import Registry
import Transport

/// The proxies that the environment asks for, in the words that all programs take: `HTTP_PROXY`, `HTTPS_PROXY`,
/// `NO_PROXY`, in capitals or small letters. Pure.
package struct WebProxies: Hashable, Sendable {
    private enum Route: Hashable {
        case proxy(HTTPProxy)
        /// What was asked for cannot be done; why, in words.
        case none(String)
    }

    private var plain: Route?
    private var secure: Route?
    private var exceptions: [String] = []

    /// No proxy at all.
    package init() {}

    package init(environment: [String: String]) {
        func value(_ name: String) -> String {
            environment[name].flatMap { $0.isEmpty ? nil : $0 } ?? environment[name.lowercased()] ?? ""
        }
        plain = Self.route(value("HTTP_PROXY"), named: "HTTP_PROXY")
        secure = Self.route(value("HTTPS_PROXY"), named: "HTTPS_PROXY")
        exceptions = value("NO_PROXY").split(separator: ",").map {
            $0.filter { $0 != " " }.lowercased()
        }.filter { !$0.isEmpty }
    }

    /// The proxy for an origin; nil to connect to it. This machine is never asked for through another one.
    ///
    /// - Throws: where one is asked for that this program cannot speak to: who names a proxy may have no other way, or want
    ///   none.
    package func proxy(for origin: WebOrigin) throws(WebFailure) -> HTTPProxy? {
        let route = origin.scheme == .https ? secure : plain
        guard let route, !origin.isLoopback, !exceptions.contains(where: { Self.covers($0, origin) }) else {
            return nil
        }
        switch route {
        case .proxy(let proxy): return proxy
        case .none(let reason): throw .refused(reason)
        }
    }

    /// `*`, `example.org` with all below it, `.example.org`, each with or without a port; addresses and blocks of them.
    private static func covers(_ exception: String, _ origin: WebOrigin) -> Bool {
        if exception == "*" { return true }
        let address = IPAddress(origin.host)
        if let block = Subnet(exception) { return address.map(block.contains) ?? false }
        // Of version 6, whose last digits are no port unless brackets end before them.
        if let own = IPAddress(exception) { return own == address }
        var name = exception[...]
        if let colon = name.lastIndex(of: ":"), let port = Int(name[name.index(after: colon)...]) {
            guard port == origin.port else { return false }
            name = name[..<colon]
        }
        if name.hasPrefix("["), name.hasSuffix("]") {
            return address.map { IPAddress(String(name.dropFirst().dropLast())) == $0 } ?? false
        }
        if name.hasPrefix("*.") { name = name.dropFirst() }
        if name.hasPrefix(".") { return origin.host.hasSuffix(name) || origin.host == name.dropFirst() }
        return origin.host == name || origin.host.hasSuffix(".\(name)")
    }

    /// `http://user:password@host:port`, or `host:port`; nil for an empty text.
    private static func route(_ text: String, named variable: String) -> Route? {
        guard !text.isEmpty else { return nil }
        var rest = text[...]
        if let scheme = rest.firstRange(of: "://") {
            let name = rest[..<scheme.lowerBound].lowercased()
            guard name == "http" else {
                return .none("\(variable) names a proxy by `\(name)://`, and only those by `http://` are supported")
            }
            rest = rest[scheme.upperBound...]
        }
        rest = rest.prefix { $0 != "/" }
        var authorization: String?
        if let at = rest.lastIndex(of: "@") {
            authorization = "Basic " + Base64Text.encoded(decoded(rest[..<at]))
            rest = rest[rest.index(after: at)...]
        }
        guard let address = WebAddress("http://\(rest)/") else {
            return .none("\(variable) names no proxy: `\(rest)`")
        }
        return .proxy(HTTPProxy(host: address.origin.host, port: address.origin.port, authorization: authorization))
    }

    /// A name or password with what `%` writes in hexadecimal (RFC 3986, 2.1); what is no such writing stands for itself.
    private static func decoded(_ text: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            let values = digits.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            let isWritten = byte == UInt8(ascii: "%") && values.count == 2
            bytes.append(isWritten ? UInt8(values[0] << 4 | values[1]) : byte)
            if isWritten { rest.removeFirst(2) }
        }
        return bytes
    }
}
