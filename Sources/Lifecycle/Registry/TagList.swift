import JSON
import OCI

extension RegistrySession {
    /// More pages than any repository has: a registry that gives always another one is not followed for ever.
    private static let pageLimit = 1000
    /// Of all pages: half a million tags.
    private static let listLimitBytes = 32 << 20

    /// The tags of the repository (distribution specification, "Listing Tags"), page after page.
    ///
    /// - Throws: `invalid` where an answer is no list of tags.
    package func tags() async throws(RegistryError) -> [String] {
        try await atFirstPlace { (place) throws(RegistryError) in try await tags(at: place) }
    }

    private func tags(at place: RegistryEndpoint) async throws(RegistryError) -> [String] {
        var tags: [String] = []
        var address: WebAddress? = place.address("\(reference.path)/tags/list")
        var (pages, readBytes) = (0, 0)
        while let page = address {
            pages += 1
            guard pages <= Self.pageLimit else {
                throw RegistryError(.invalid, "\(what): the list of tags does not end")
            }
            let response = try await perform(RegistryRequest("GET", page, endpoint: place, what: what))
            guard response.status == 200 else { throw await failure(response, page) }
            let next = try response["Link"].flatMap(Self.next).map { link throws(RegistryError) in
                try follow(link, from: page)
            }
            let bytes = try await client.collect(
                response, limitBytes: Self.manifestLimitBytes, what: "\(what): list of tags")
            readBytes += bytes.count
            guard readBytes <= Self.listLimitBytes else {
                throw RegistryError(.invalid, "\(what): the list of tags is longer than \(Self.listLimitBytes) bytes")
            }
            tags += try Self.tags(bytes, what)
            address = next
        }
        return tags
    }

    private static func tags(_ bytes: [UInt8], _ what: String) throws(RegistryError) -> [String] {
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch {
            throw RegistryError(.invalid, "\(what): list of tags: \(error)")
        }
        // Null where all were deleted.
        guard case .null? = json["tags"] else {
            guard let names = json["tags"]?.array?.map(\.string), !names.contains(nil) else {
                throw RegistryError(.invalid, "\(what): list of tags: `tags` must be an array of strings")
            }
            return names.compactMap { $0 }
        }
        return []
    }

    /// Of `</v2/name/tags/list?last=b&n=2>; rel="next"` (RFC 5988) what is in the brackets.
    private static func next(_ link: String) -> String? {
        guard link.contains("rel=\"next\"") || link.contains("rel=next"), let start = link.firstIndex(of: "<"),
            let end = link[start...].firstIndex(of: ">")
        else { return nil }
        return String(link[link.index(after: start)..<end])
    }

    /// A list goes on where it began: no other host is to be given what this one may see.
    private func follow(_ link: String, from page: WebAddress) throws(RegistryError) -> WebAddress {
        guard let next = page.resolving(link), next.origin == page.origin, next != page else {
            throw RegistryError(.invalid, "\(what): the list of tags leads to \(link)")
        }
        return next
    }
}
