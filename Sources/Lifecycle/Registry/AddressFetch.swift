extension RegistryClient {
    private static let reasonLimit = 400

    /// What lies at an address of anybody's: redirects are followed, the proxies and the patience are those of registries.
    ///
    /// - Parameter text: an `http` or `https` URL; without a scheme the first is meant.
    /// - Returns: the answer, whose body is what was asked for.
    package func fetch(_ text: String) async throws(RegistryError) -> WebResponse {
        guard let address = WebAddress(text.contains("://") ? text : "http://\(text)") else {
            throw RegistryError(.invalid, "`\(text)` is no address of http or https")
        }
        let place = RegistryEndpoint(origin: address.origin)
        let response = try await perform(
            RegistryRequest("GET", address, endpoint: place, what: "get"), authorizer: nil)
        guard response.status != 200 else { return response }
        var reason: [UInt8] = []
        do throws(WebFailure) {
            while reason.count < Self.reasonLimit, let piece = try await response.next() { reason += piece }
        } catch { reason = [] }
        let words = RegistryError.harmless(String(decoding: reason.prefix(Self.reasonLimit), as: UTF8.self))
        throw RegistryError(
            RegistryFailure.kind(response.status),
            "failed to GET \(address.bare) with status \(response.status)" + (words.isEmpty ? "" : ": \(words)"))
    }
}
