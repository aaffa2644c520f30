/// One request to a registry until its final answer: where redirects lead, who is told the credentials, what is tried
/// again. Pure; `RegistryClient` performs what it says.
///
/// ```
/// send ──► deliver | fail
///   ▲──── authenticate (once after each pause; a second 401 is the answer)
///   ├──── follow       (ten at most)
///   └──── wait         (as the RetryPlan says)
/// ```
package struct ExchangeMachine: Sendable {
    package enum Step: Hashable, Sendable {
        /// Send the request as `address` and `sendsAuthorization` say.
        case send
        /// Get a token for these challenges, then send.
        case authenticate([AuthChallenge])
        /// Wait, then send.
        case wait(Duration)
        /// The answer is for the caller.
        case deliver
        case fail(RegistryError)
    }

    package private(set) var address: WebAddress
    /// False once a redirect has led to another origin: what authenticates here is no business of theirs.
    package private(set) var sendsAuthorization = true
    private let start: WebAddress
    private let followsRedirects: Bool
    private let isRepeatable: Bool
    private let plan: RetryPlan
    private let what: String
    private var redirects = 0
    private var failures = 0
    private var hasAuthenticated = false
    private static let redirectLimit = 10

    /// - Parameters:
    ///   - what: for errors: `pull localhost:5000/app:1`.
    ///   - followsRedirects: not for requests whose body must not reach another place.
    ///   - isRepeatable: not for requests that may have had an effect where no answer, or one of failure, comes. Where the
    ///     server says when to come again it has had none.
    package init(
        _ address: WebAddress, what: String, plan: RetryPlan, followsRedirects: Bool = true, isRepeatable: Bool = true
    ) {
        self.address = address
        self.what = what
        self.plan = plan
        self.followsRedirects = followsRedirects
        self.isRepeatable = isRepeatable
        start = address
    }

    /// What to do about an answer.
    package mutating func answered(_ status: Int, _ response: WebResponse, chance: Double) -> Step {
        switch status {
        case 401 where !hasAuthenticated && sendsAuthorization:
            hasAuthenticated = true
            let challenges = response.all("WWW-Authenticate").flatMap { AuthChallenge.list($0) }
            return challenges.isEmpty ? .deliver : .authenticate(challenges)
        case 301, 302, 303, 307, 308: return followed(response["Location"])
        case _ where RetryPlan.isPassing(status):
            failures += 1
            let asked = RetryPlan.retryAfter(response["Retry-After"])
            guard isRepeatable || (asked != nil && [429, 503].contains(status)) else { return .deliver }
            let delay = plan.delay(afterFailures: failures, retryAfter: asked, chance: chance)
            return delay.map { again($0) } ?? .deliver
        default: return .deliver
        }
    }

    /// What to do where no answer came.
    package mutating func failed(_ failure: WebFailure, chance: Double) -> Step {
        switch failure {
        case .cancelled: return .fail(.cancelled)
        case .body(let reason): return .fail(RegistryError(.invalid, "\(what): \(reason)"))
        // Where nobody listens, nobody will in a moment, as a rule: a registry's name is wrong, or a mirror is down.
        case .refused, .untrusted, .malformed: return .fail(error(failure))
        case .cannotConnect, .closed, .stalled: break
        }
        failures += 1
        guard isRepeatable, let delay = plan.delay(afterFailures: failures, retryAfter: nil, chance: chance) else {
            return .fail(error(failure))
        }
        return again(delay)
    }

    /// After a pause the walk begins anew: an address that a redirect gave may be good for a moment only, and a token may
    /// have ended meanwhile.
    private mutating func again(_ delay: Duration) -> Step {
        address = start
        sendsAuthorization = true
        redirects = 0
        hasAuthenticated = false
        return .wait(delay)
    }

    private mutating func followed(_ location: String?) -> Step {
        guard followsRedirects else { return .deliver }
        guard let location, let next = address.resolving(location) else {
            return .fail(RegistryError(.invalid, "\(what): \(address.bare) redirects to no address"))
        }
        redirects += 1
        guard redirects <= Self.redirectLimit else {
            return .fail(RegistryError(.invalid, "\(what): stopped after \(Self.redirectLimit) redirects"))
        }
        if address.isSafer(than: next) {
            return .fail(RegistryError(.denied, "\(what): \(address.bare) redirects from https to http"))
        }
        address = next
        if next.origin != start.origin { sendsAuthorization = false }
        return .send
    }

    private func error(_ failure: WebFailure) -> RegistryError {
        RegistryError(.unavailable, "\(what): \(address.bare): \(failure)")
    }
}
