import DockerAPI
import JSON

/// The functions of a template: Go's own (text/template), and docker's.
enum TemplateFunction: String {
    case and, or, not, eq, ne, lt, le, gt, ge, len, index, slice, print, println, printf
    case html, js, urlquery
    case json, split, join, title, lower, upper, pad, truncate

    private var arity: ClosedRange<Int> {
        switch self {
        case .and, .or, .index, .slice, .printf: 1...Int.max
        case .eq: 2...Int.max
        case .print, .println, .html, .js, .urlquery: 0...Int.max
        case .not, .len, .json, .title, .lower, .upper: 1...1
        case .ne, .lt, .le, .gt, .ge, .split, .join, .truncate: 2...2
        case .pad: 3...3
        }
    }

    /// - Throws: what is wrong, without the place.
    func checkCount(_ count: Int) throws(FunctionFailure) {
        guard !arity.contains(count) else { return }
        let wanted = arity.upperBound == Int.max ? "at least \(arity.lowerBound)" : "\(arity.lowerBound)"
        throw FunctionFailure("wrong number of args for \(rawValue): want \(wanted) got \(count)")
    }

    func call(_ values: [TemplateValue]) throws(FunctionFailure) -> TemplateValue {
        switch self {
        case .and: values.first { !$0.isTrue } ?? values[values.count - 1]
        case .or: values.first { $0.isTrue } ?? values[values.count - 1]
        case .not: TemplateValue(.bool(!values[0].isTrue))
        case .eq: TemplateValue(.bool(try isEqual(values)))
        case .ne: TemplateValue(.bool(try !isEqual(values)))
        case .lt: TemplateValue(.bool(try isLess(values[0], values[1])))
        case .le: TemplateValue(.bool(try !isLess(values[1], values[0])))
        case .gt: TemplateValue(.bool(try isLess(values[1], values[0])))
        case .ge: TemplateValue(.bool(try !isLess(values[0], values[1])))
        case .len: TemplateValue(.integer(Int64(try count(values[0]))))
        case .index: try element(of: values[0], at: values.dropFirst())
        case .slice: try part(of: values[0], values.dropFirst())
        case .print: TemplateValue(.string(GoFormat.sprint(values)))
        case .println: TemplateValue(.string(values.map(\.printed).joined(separator: " ") + "\n"))
        case .printf: TemplateValue(.string(GoFormat.sprintf(try string(values[0]), values.dropFirst())))
        case .html: TemplateValue(.string(TemplateEscaping.html(GoFormat.sprint(values))))
        case .js: TemplateValue(.string(TemplateEscaping.script(GoFormat.sprint(values))))
        case .urlquery: TemplateValue(.string(Percent.form(GoFormat.sprint(values))))
        case .json: TemplateValue(.string(values[0].json.compactText))
        case .split: TemplateValue(try split(try string(values[0]), try string(values[1])))
        case .join: TemplateValue(.string(try joined(values[0], try string(values[1]))))
        case .title: TemplateValue(.string(titled(try string(values[0]))))
        case .lower: TemplateValue(.string(try string(values[0]).lowercased()))
        case .upper: TemplateValue(.string(try string(values[0]).uppercased()))
        case .pad: TemplateValue(.string(try padded(try string(values[0]), values[1], values[2])))
        case .truncate: TemplateValue(.string(String(try string(values[0]).prefix(max(0, try whole(values[1]))))))
        }
    }
}

struct FunctionFailure: Error {
    let message: String

    init(_ message: String) { self.message = message }
}

// MARK: - Arguments

extension TemplateFunction {
    private func string(_ value: TemplateValue) throws(FunctionFailure) -> String {
        if let text = value.json.string { return text }
        throw FunctionFailure("wrong type for value; expected string; got \(value.type)")
    }

    private func whole(_ value: TemplateValue) throws(FunctionFailure) -> Int {
        guard let number = value.whole.flatMap(Int.init(exactly:)) else {
            throw FunctionFailure("wrong type for value; expected int; got \(value.type)")
        }
        return number
    }

    private func calling(_ message: String) -> FunctionFailure {
        FunctionFailure("error calling \(rawValue): \(message)")
    }
}

// MARK: - Comparisons

extension TemplateFunction {
    private func isEqual(_ values: [TemplateValue]) throws(FunctionFailure) -> Bool {
        for other in values.dropFirst() {
            if let left = values[0].whole, let right = other.whole {
                if left == right { return true }
                continue
            }
            guard values[0].type == other.type || values[0].json == .null || other.json == .null else {
                throw calling("incompatible types for comparison")
            }
            if values[0].json == other.json { return true }
        }
        return false
    }

    private func isLess(_ left: TemplateValue, _ right: TemplateValue) throws(FunctionFailure) -> Bool {
        if let left = left.whole, let right = right.whole { return left < right }
        switch (left.json, right.json) {
        case (.string(let left), .string(let right)): return left < right
        case (.number(let left), .number(let right)): return left < right
        case (.bool, .bool), (.array, .array), (.object, .object), (.null, _), (_, .null):
            throw calling("invalid type for comparison")
        default: throw calling("incompatible types for comparison")
        }
    }
}

// MARK: - Collections and texts

extension TemplateFunction {
    private func count(_ value: TemplateValue) throws(FunctionFailure) -> Int {
        switch value.json {
        case .string(let text): return text.utf8.count
        case .array(let elements): return elements.count
        case .object(let object): return object.count
        case .null where value.nullText == "[]" || value.nullText == "map[]": return 0
        case .null: throw calling("len of nil pointer")
        default: throw calling("len of type \(value.type)")
        }
    }

    private func element(
        of value: TemplateValue, at keys: ArraySlice<TemplateValue>
    ) throws(FunctionFailure) -> TemplateValue {
        var found = value
        for key in keys {
            switch found.json {
            case .array(let elements):
                found = TemplateValue(elements[try index(key, below: elements.count)])
            case .string(let text):
                found = TemplateValue(.integer(Int64(Array(text.utf8)[try index(key, below: text.utf8.count)])))
            case .object(let object):
                let name = try string(key)
                // What a map of strings does not have is its empty string.
                let isOfTexts = object.members.allSatisfy { $0.value.string != nil }
                found = TemplateValue(object[name] ?? (isOfTexts ? .string("") : .null))
            case .null where found.nullText == "map[]": found = TemplateValue(.string(""))
            case .null: throw calling("index of untyped nil")
            default: throw calling("can't index item of type \(found.type)")
            }
        }
        return found
    }

    private func index(_ key: TemplateValue, below limit: Int) throws(FunctionFailure) -> Int {
        guard let number = key.whole else { throw calling("cannot index slice/array with type \(key.type)") }
        guard number >= 0, number < limit else { throw calling("index out of range: \(number)") }
        return Int(number)
    }

    private func part(
        of value: TemplateValue, _ bounds: ArraySlice<TemplateValue>
    ) throws(FunctionFailure) -> TemplateValue {
        guard bounds.count <= 2 else { throw calling("too many slice indexes: \(bounds.count)") }
        let count = try count(value)
        let bounds = Array(bounds)
        let from = bounds.isEmpty ? 0 : try index(bounds[0], below: count + 1)
        let to = bounds.count < 2 ? count : try index(bounds[1], below: count + 1)
        guard from <= to else { throw calling("invalid slice index: \(from) > \(to)") }
        if let text = value.json.string {
            return TemplateValue(.string(String(decoding: Array(text.utf8)[from..<to], as: UTF8.self)))
        }
        guard let elements = value.json.array else { throw calling("can't slice item of type \(value.type)") }
        return TemplateValue(.array(Array(elements[from..<to])))
    }

    private func split(_ text: String, _ separator: String) throws(FunctionFailure) -> JSONValue {
        if separator.isEmpty { return .array(text.map { .string(String($0)) }) }
        return .array(text.split(separator: separator, omittingEmptySubsequences: false).map { .string(String($0)) })
    }

    private func joined(_ value: TemplateValue, _ separator: String) throws(FunctionFailure) -> String {
        if value.json == .null, value.nullText == "[]" { return "" }
        guard let elements = value.json.array else {
            throw FunctionFailure("wrong type for value; expected []string; got \(value.type)")
        }
        return elements.map { $0.string ?? $0.goText }.joined(separator: separator)
    }

    /// Each word's first letter as a capital.
    private func titled(_ text: String) -> String {
        var result = ""
        var isInWord = false
        for character in text {
            result += isInWord ? String(character) : String(character).uppercased()
            isInWord = character.isLetter || character.isNumber || character == "_" || character == "'"
        }
        return result
    }

    private func padded(
        _ text: String, _ before: TemplateValue, _ after: TemplateValue
    ) throws(FunctionFailure) -> String {
        guard !text.isEmpty else { return "" }
        // No terminal is wider; a figure beyond it would only take the machine's memory.
        let limit = 65536
        let left = String(repeating: " ", count: min(max(0, try whole(before)), limit))
        return left + text + String(repeating: " ", count: min(max(0, try whole(after)), limit))
    }
}
