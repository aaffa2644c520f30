import OCI

/// A request to a registry, with all that is needed to make it again.
struct RegistryRequest: Sendable {
    var method: String
    var address: WebAddress
    var endpoint: RegistryEndpoint
    /// For errors: `pull localhost:5000/app:1`.
    var what: String
    var fields: [WebField]
    var body: WebRequest.Body
    var followsRedirects: Bool
    /// Whether the same request may be sent again where its answer is lost: not where it moves an upload on.
    var isRepeatable = true

    init(
        _ method: String, _ address: WebAddress, endpoint: RegistryEndpoint, what: String, fields: [WebField] = [],
        body: WebRequest.Body = .none
    ) {
        self.method = method
        self.address = address
        self.endpoint = endpoint
        self.what = what
        self.fields = fields
        self.body = body
        followsRedirects = method == "GET" || method == "HEAD"
    }
}

/// A client of registries (OCI distribution specification 1.1; Docker Registry HTTP API V2).
///
/// All calls may be made from any task at once; a cancelled task ends what it began. Errors name what was asked for.
package final class RegistryClient: Sendable {
    package let configuration: RegistryConfiguration
    let tokens = TokenCache()
    private let transport: any WebTransport
    private let clock: any Clock<Duration>
    private let chance: @Sendable () -> Double

    /// - Parameters:
    ///   - clock: what waits between attempts.
    ///   - chance: from 0 to 1, for the spread of delays.
    package init(
        transport: any WebTransport, configuration: RegistryConfiguration = RegistryConfiguration(),
        clock: any Clock<Duration> = ContinuousClock(),
        chance: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) {
        self.transport = transport
        self.configuration = configuration
        self.clock = clock
        self.chance = chance
    }

    var retries: RetryPlan { RetryPlan(attempts: configuration.attempts) }

    /// Sends a request until its answer is final. The answer may be a failure: its status is the caller's to judge.
    ///
    /// - Parameter authorizer: answers challenges; nil for a request that carries what it has.
    func perform(
        _ request: RegistryRequest, authorizer: Authorizer?
    ) async throws(RegistryError) -> WebResponse {
        var machine = ExchangeMachine(
            request.address, what: request.what, plan: retries, followsRedirects: request.followsRedirects,
            isRepeatable: request.isRepeatable)
        var authorization = await authorizer?.field()
        while true {
            let sent = outgoing(request, machine, authorization)
            let (step, response) = await send(sent, &machine)
            switch step {
            case .send: continue
            case .wait(let delay):
                try await pause(delay)
                authorization = await authorizer?.field()
            case .fail(let error): throw error
            case .authenticate(let challenges):
                guard let response else { continue }
                guard let field = try await authorizer?.answer(challenges) else { return response }
                authorization = field
            case .deliver:
                guard let response else { throw RegistryError(.invalid, "\(request.what): no answer") }
                return response
            }
        }
    }

    private func send(
        _ request: WebRequest, _ machine: inout ExchangeMachine
    ) async -> (ExchangeMachine.Step, WebResponse?) {
        do throws(WebFailure) {
            let response = try await transport.send(request)
            return (machine.answered(response.status, response, chance: chance()), response)
        } catch {
            return (machine.failed(Task.isCancelled ? .cancelled : error, chance: chance()), nil)
        }
    }

    private func outgoing(
        _ request: RegistryRequest, _ machine: ExchangeMachine, _ authorization: String?
    ) -> WebRequest {
        let isHome = machine.address.origin == request.endpoint.origin
        var trust = request.endpoint.trust
        if !isHome {
            // Authorities hold wherever a registry keeps its blobs; a certificate of ours, and blind faith, do not.
            trust = WebTrust()
            trust.authorityFiles = request.endpoint.trust.authorityFiles
        }
        var fields = request.fields
        if !machine.sendsAuthorization { fields.removeAll { $0.name == "Authorization" } }
        if machine.sendsAuthorization, let authorization { fields.append(WebField("Authorization", authorization)) }
        fields.append(WebField("User-Agent", "gantry"))
        return WebRequest(request.method, machine.address, fields: fields, body: request.body, trust: trust)
    }

    func pause(_ delay: Duration) async throws(RegistryError) {
        // Only cancelling ends a sleep early.
        do { try await clock.sleep(for: delay) } catch { throw .cancelled }
    }

    func randomChance() -> Double { chance() }

    /// The whole body, of which no more than the limit is ever read.
    func collect(_ response: WebResponse, limitBytes: Int, what: String) async throws(RegistryError) -> [UInt8] {
        var whole: [UInt8] = []
        do throws(WebFailure) {
            while let bytes = try await response.next() {
                guard whole.count + bytes.count <= limitBytes else {
                    throw .malformed("the answer is longer than \(limitBytes) bytes")
                }
                whole += bytes
            }
        } catch {
            if Task.isCancelled { throw .cancelled }
            let isLie = if case .malformed = error { true } else { false }
            throw RegistryError(isLie ? .invalid : .unavailable, "\(what): \(error)")
        }
        return whole
    }
}

extension Clock<Duration> {
    fileprivate func sleep(for duration: Duration) async throws {
        try await sleep(until: now.advanced(by: duration), tolerance: nil)
    }
}
