import JSON

/// Puts a registry's refusal into words (OCI distribution specification, "Error codes").
enum RegistryFailure {
    private static let limitBytes = 64 << 10

    static func of(_ response: WebResponse, what: String, address: WebAddress) async -> RegistryError {
        let words = await words(response)
        let reason = words ?? "\(address.bare) answered with status \(response.status)"
        return RegistryError(kind(response.status), "\(what): \(reason)")
    }

    /// `denied: requested access to the resource is denied`; nil where the body says nothing.
    static func words(_ response: WebResponse) async -> String? {
        var bytes: [UInt8] = []
        do throws(WebFailure) {
            while bytes.count < limitBytes, let piece = try await response.next() { bytes += piece }
        } catch {
            // The status alone must do.
            return nil
        }
        // Servers between here and there send pages of HTML.
        guard let json = try? JSONValue(parsing: bytes) else { return nil }
        let lines = (json["errors"]?.array ?? []).prefix(4).compactMap(line)
        if !lines.isEmpty { return lines.joined(separator: "; ") }
        return json["details"]?.string.map { RegistryError.harmless($0) }
    }

    static func kind(_ status: Int) -> RegistryError.Kind {
        switch status {
        case 401: .unauthorized
        case 403: .denied
        case 404: .notFound
        case 405, 415, 501: .unsupported
        case 429, 500...: .unavailable
        default: .invalid
        }
    }

    private static func line(_ error: JSONValue) -> String? {
        guard let code = error["code"]?.string else { return nil }
        let name = code.lowercased().split(separator: "_").joined(separator: " ")
        guard let message = error["message"]?.string, !message.isEmpty else { return RegistryError.harmless(name) }
        return RegistryError.harmless("\(name): \(message)")
    }
}
