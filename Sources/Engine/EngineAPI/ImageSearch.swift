/// What is searched for in a registry.
public struct ImageSearchRequest: Hashable, Sendable {
    /// A word, or a registry and a word: `localhost:5000/web`.
    public var term: String
    /// How many are wanted at most: 1 to 100.
    public var limit = 25
    public var isOfficial: Bool?
    public var isAutomated: Bool?
    public var minimumStars: Int64 = 0
    public var credentials: ImageCredentials?

    public init(_ term: String) { self.term = term }

    /// Whether it is one of those that are wanted.
    package func accepts(_ result: ImageSearchResult) -> Bool {
        result.stars >= minimumStars && (isOfficial ?? result.isOfficial) == result.isOfficial
            && (isAutomated ?? result.isAutomated) == result.isAutomated
    }
}

/// A repository that a registry has.
public struct ImageSearchResult: Hashable, Sendable {
    public let name: String
    public let text: String
    public let stars: Int64
    public let isOfficial: Bool
    public let isAutomated: Bool

    public init(name: String, text: String, stars: Int64, isOfficial: Bool, isAutomated: Bool) {
        self.name = name
        self.text = text
        self.stars = stars
        self.isOfficial = isOfficial
        self.isAutomated = isAutomated
    }
}
