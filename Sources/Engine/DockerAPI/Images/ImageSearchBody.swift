import EngineAPI
import JSON

extension ImageSearchRequest {
    /// Reads the query of `GET /images/search`.
    package init(dockerQuery query: QueryString, credentials: ImageCredentials?) throws(EngineError) {
        self.init(query["term"] ?? "")
        self.credentials = credentials
        if let text = query["limit"], !text.isEmpty {
            guard let number = Int(text) else {
                throw EngineError(.invalid, "strconv.Atoi: parsing \"\(text)\": invalid syntax")
            }
            // 0 is what docker's client sends where nothing is said.
            if number != 0 { limit = number }
        }
        guard (1...100).contains(limit) else {
            throw EngineError(.invalid, "limit \(limit) is outside the range of [1, 100]")
        }
        let filters = try Filters(parsing: query["filters"])
        try filters.check(known: ["is-automated", "is-official", "stars"])
        isOfficial = try filters.flag("is-official")
        isAutomated = try filters.flag("is-automated")
        for text in filters["stars"] {
            guard let number = Int64(text) else { throw EngineError(.invalid, "invalid filter 'stars=[\(text)]'") }
            minimumStars = max(minimumStars, number)
        }
    }

    package var dockerQuery: QueryString {
        var filters = Filters()
        filters.add("is-official", isOfficial.map { [String($0)] } ?? [])
        filters.add("is-automated", isAutomated.map { [String($0)] } ?? [])
        if minimumStars > 0 { filters.add("stars", [String(minimumStars)]) }
        var query = QueryString()
        query.add("term", term)
        query.add("limit", String(limit))
        query.add("filters", filters.encoded)
        return query
    }
}

extension Filters {
    fileprivate func flag(_ name: String) throws(EngineError) -> Bool? {
        guard let text = self[name].first else { return nil }
        guard let flag = GoBool.parse(text) else {
            throw EngineError(.invalid, "invalid filter '\(name)=[\(text)]'")
        }
        return flag
    }
}

extension ImageSearchResult {
    package var dockerBody: JSONValue {
        [
            "name": .string(name), "description": .string(text), "star_count": .integer(stars),
            "is_official": .bool(isOfficial), "is_automated": .bool(isAutomated),
        ]
    }

    package init(dockerBody body: JSONValue) {
        self.init(
            name: body.text("name"), text: body.text("description"), stars: body.whole("star_count") ?? 0,
            isOfficial: body.flag("is_official"), isAutomated: body.flag("is_automated"))
    }
}
