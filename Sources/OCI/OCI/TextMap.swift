import JSON

/// Texts by name, as annotations and labels are, in the order of their names' bytes.
///
/// Names are the same where their bytes are, as in `JSONObject`: of two ways to write one letter neither is lost.
package struct TextMap: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var members: [(name: String, value: String)] = []

    package init() {}

    /// - Parameter members: no two of one name.
    init(unique members: [(name: String, value: String)]) {
        self.members = members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    package init(_ texts: [String: String]) { self.init(unique: texts.map { ($0.key, $0.value) }) }

    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { self[name] = value }
    }

    package subscript(name: String) -> String? {
        get {
            let place = place(of: name)
            return isAt(place, name) ? members[place].value : nil
        }
        set {
            let place = place(of: name)
            switch (isAt(place, name), newValue) {
            case (true, let value?): members[place].value = value
            case (true, nil): members.remove(at: place)
            case (false, let value?): members.insert((name, value), at: place)
            case (false, nil): break
            }
        }
    }

    /// Where that name is, or would be.
    private func place(of name: String) -> Int {
        var (low, high) = (0, members.count)
        while low < high {
            let middle = (low + high) / 2
            let isBefore = members[middle].name.utf8.lexicographicallyPrecedes(name.utf8)
            if isBefore { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func isAt(_ place: Int, _ name: String) -> Bool {
        place < members.count && members[place].name.utf8.elementsEqual(name.utf8)
    }

    package var isEmpty: Bool { members.isEmpty }

    /// For the engine, to which names are the same that read the same: the last one's value counts.
    package var dictionary: [String: String] {
        Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    }

    package static func == (left: TextMap, right: TextMap) -> Bool {
        left.members.elementsEqual(right.members) {
            $0.name.utf8.elementsEqual($1.name.utf8) && $0.value.utf8.elementsEqual($1.value.utf8)
        }
    }

    package func hash(into hasher: inout Hasher) {
        for member in members {
            hasher.combine(member.name)
            hasher.combine(member.value)
        }
    }
}

extension TextMap: RuntimeWritable {
    package var json: JSONValue { .object(JSONObject(members.map { ($0.name, .string($0.value)) })) }
}
