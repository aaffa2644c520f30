import Content
import JSON
import OCI
import Synchronization

/// One repository of a registry, asked on behalf of one person: what a pull or a push talks to.
package final class RegistrySession: Sendable {
    package enum Purpose: Hashable, Sendable { case pull, push, delete }

    package let reference: Reference
    /// Docker's word for what is done, in front of errors: `pull access denied for …`.
    let purpose: Purpose
    let client: RegistryClient
    let credentials: RegistryCredentials?
    /// The places still worth asking, the one that answered last first.
    private let places: Mutex<[RegistryEndpoint]>

    package init(
        _ client: RegistryClient, _ reference: Reference, purpose: Purpose, credentials: RegistryCredentials?
    ) {
        self.client = client
        self.reference = reference
        self.purpose = purpose
        self.credentials = credentials
        let entry = client.configuration.entry(for: reference.domain)
        places = Mutex(EndpointPlan.endpoints(for: reference.domain, entry, forPull: purpose == .pull))
    }

    /// For another reference, on behalf of the same person.
    package func other(_ reference: Reference) -> RegistrySession {
        RegistrySession(client, reference, purpose: purpose, credentials: credentials)
    }

    /// How many blobs to transfer at once.
    package var concurrentDownloads: Int { client.configuration.concurrentDownloads }
    package var concurrentUploads: Int { client.configuration.concurrentUploads }

    /// For errors.
    var what: String {
        switch purpose {
        case .pull: "pull \(reference.familiar)"
        case .push: "push \(reference.familiar)"
        case .delete: "delete \(reference.familiar)"
        }
    }

    /// Does something at the first place where it succeeds, and asks there first from then on.
    func atFirstPlace<Value: Sendable>(
        _ body: (RegistryEndpoint) async throws(RegistryError) -> Value
    ) async throws(RegistryError) -> Value {
        let candidates = places.withLock { $0 }
        var failure = RegistryError(.invalid, "\(what): the registry's name cannot be asked")
        for (index, place) in candidates.enumerated() {
            do throws(RegistryError) {
                let value = try await body(place)
                remember(place)
                return value
            } catch {
                // Of several failures the first that a registry itself stated says most.
                if index == 0 || failure.kind == .unavailable { failure = error }
                guard Self.mayAskElsewhere(error, place) else { throw error }
            }
        }
        throw failure
    }

    /// Of the registry's own places one that has answered is the only one from then on: its failures are not hidden behind
    /// those of the others, and what went by TLS does not go in the clear later.
    private func remember(_ place: RegistryEndpoint) {
        places.withLock { places in
            places = [place] + places.filter { $0 != place && ($0.isMirror || place.isMirror) }
        }
    }

    /// A mirror's word is not final; the registry's is, unless nobody was there to say it.
    private static func mayAskElsewhere(_ error: RegistryError, _ place: RegistryEndpoint) -> Bool {
        switch error.kind {
        case .cancelled, .local: false
        case .unavailable: true
        default: place.isMirror
        }
    }

    func perform(_ request: RegistryRequest, scopes: [String]? = nil) async throws(RegistryError) -> WebResponse {
        // A mirror is another party than the registry: it gets no credentials that were meant for that.
        let own = request.endpoint.isMirror ? nil : credentials
        let key = TokenCache.Key(
            origin: request.endpoint.origin, scopes: scopes ?? [scope(reference.path)], credentials: own)
        let authorizer = Authorizer(client: client, key: key, endpoint: request.endpoint, what: what)
        return try await client.perform(request, authorizer: authorizer)
    }

    func scope(_ repository: String) -> String {
        switch purpose {
        case .pull: "repository:\(repository):pull"
        case .push: "repository:\(repository):pull,push"
        case .delete: "repository:\(repository):delete"
        }
    }

    /// What an answer that is no success means here, in docker's words.
    func failure(_ response: WebResponse, _ address: WebAddress) async -> RegistryError {
        let error = await RegistryFailure.of(response, what: what, address: address)
        guard error.kind == .unauthorized || error.kind == .denied else { return error }
        let reason = error.message.dropFirst(what.count + 2)
        let verb = purpose == .pull ? "pull" : purpose == .push ? "push" : "delete"
        return RegistryError(
            error.kind,
            "\(verb) access denied for \(reference.familiarName), repository does not exist or may require "
                + "'docker login': \(reason)")
    }
}

extension RegistryClient {
    /// Checks credentials as `docker login` does.
    ///
    /// - Returns: the identity token that the registry gives in place of the password, for later.
    /// - Throws: `unauthorized` where the registry does not take them.
    package func login(
        _ registry: String, _ credentials: RegistryCredentials
    ) async throws(RegistryError) -> String? {
        // A repository's name is of no matter here; one is needed to have a reference.
        let reference: Reference
        do throws(ReferenceError) { reference = try Reference("\(registry)/login") } catch {
            throw RegistryError(.invalid, "login to `\(registry)`: \(error)")
        }
        let session = RegistrySession(self, reference, purpose: .push, credentials: credentials)
        // A token that is known already would answer without anybody being asked.
        await tokens.forgetAll(of: credentials)
        try await session.atFirstPlace { (place) throws(RegistryError) in
            let address = place.address("")
            let request = RegistryRequest("GET", address, endpoint: place, what: "login attempt to \(address.bare)")
            let response = try await session.perform(request, scopes: [])
            guard response.status == 200 else {
                let reason = await RegistryFailure.of(response, what: request.what, address: address)
                throw reason.kind == .unauthorized
                    ? RegistryError(.unauthorized, "\(request.what) failed with status: 401 Unauthorized") : reason
            }
        }
        return await tokens.identityToken(of: credentials)
    }
}
