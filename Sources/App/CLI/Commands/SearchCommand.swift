import DockerAPI
import EngineAPI
import Registry

struct SearchCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Search Docker Hub, or another registry that can be searched.")
    @Option("f|filter", help: "is-official=true, stars=…") var filter: [String] = []
    @Option("limit", help: "So many at most: 1 to 100.") var limit: Int?
    @Flag("no-trunc", help: "Do not shorten descriptions.") var noTrunc = false
    @Option("format", help: "table, json, or a template such as '{{.Name}}'.") var format: String?
    @Argument("TERM") var term: String

    func run() async throws {
        var query = QueryString()
        query.add("term", term)
        query.add("limit", limit.map(String.init))
        query.add("filters", try Filtering.encoded(filter))
        var credentials: ImageCredentials?
        // What cannot be searched for is refused by the engine, in its own words.
        if let search = try? RepositorySearch(term) {
            credentials = await StoredCredentials.findForTransfer(at: search.registry)
        }
        let request = try ImageSearchRequest(dockerQuery: query, credentials: credentials)
        let results = try await CommandEnvironment.connect().searchImages(request)
        let listing = Listing(
            columns: [
                ("Name", "NAME"), ("Description", "DESCRIPTION"), ("StarCount", "STARS"), ("IsOfficial", "OFFICIAL"),
                ("IsAutomated", "AUTOMATED"),
            ], rows: results.map(row))
        Console.out(
            try listing.text(format: format, usual: ["Name", "Description", "StarCount", "IsOfficial"]))
    }

    private func row(_ result: ImageSearchResult) -> [String: String] {
        let text = result.text.replacing("\n", with: " ").replacing("\r", with: " ")
        return [
            "Name": result.name, "Description": noTrunc || text.count <= 45 ? text : text.prefix(44) + "…",
            "StarCount": String(result.stars), "IsOfficial": result.isOfficial ? "[OK]" : "",
            "IsAutomated": result.isAutomated ? "[OK]" : "",
        ]
    }
}
