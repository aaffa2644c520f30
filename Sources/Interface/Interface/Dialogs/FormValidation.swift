import EngineAPI

/// What a field may hold, checked while it is typed; the engine has the last word.
enum FormValidation {
    /// Why the field cannot be taken as it is; nil where it can.
    static func error(in field: Field) -> String? {
        let text = field.text.trimmingSpaces
        guard !text.isEmpty else { return field.isRequired ? "must not be empty" : nil }
        return switch field.name {
        case .name: isName(text) ? nil : "letters, digits, _ . - only, two or more, first a letter or digit"
        case .command: (try? words(of: text)) == nil ? "a quote is not closed" : nil  // The error has no more to say.
        case .memory: memory(text)
        case .cpus: nanoCPUs(text) == nil ? "a number such as 0.5 or 2" : nil
        case .pids: (Int64(text).map { $0 > 0 } ?? false) ? nil : "a whole number above 0"
        case .mounts: message { () throws(FormError) in _ = try mounts(text, known: field.known) }
        case .ports: message { () throws(FormError) in _ = try ports(text) }
        case .directory: text.hasPrefix("/") ? nil : "an absolute path"
        case .environment:
            (try? words(of: text).allSatisfy(isVariable)) == true  // As above.
                ? nil : "NAME=value, parted by spaces; quote values with spaces"
        default: nil
        }
    }

    /// Docker's rule for names of containers.
    static func isName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count > 1, let first = bytes.first, isAlphanumeric(first) else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x5F || $0 == 0x2E || $0 == 0x2D }
    }

    /// A size with one of docker's suffixes `b k m g t`, and `kb`, `kib`, … with it; nil for anything else.
    static func bytes(_ text: String) -> Int64? {
        let lower = text.lowercased()
        let number = lower.prefix { $0.isNumber || $0 == "." }
        var unit = lower.dropFirst(number.count)
        if unit.hasSuffix("ib") {
            unit = unit.dropLast(2)
        } else if unit.count == 2, unit.hasSuffix("b") {
            unit = unit.dropLast()
        }
        let shifts: [Substring: Int] = ["": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40]
        guard let shift = shifts[unit], let value = Double(number), value > 0 else { return nil }
        let bytes = value * Double(1 << shift)
        return bytes < 9.2e18 ? Int64(bytes) : nil
    }

    /// The engine's own least size, said before it is asked.
    private static func memory(_ text: String) -> String? {
        guard let bytes = bytes(text) else { return "a size such as 64m or 1.5g" }
        return bytes < 6 << 20 ? "6m is the least that an engine takes" : nil
    }

    static func nanoCPUs(_ text: String) -> Int64? {
        guard let value = Double(text), value > 0, value < 1_000_000 else { return nil }
        return Int64((value * 1e9).rounded())
    }

    /// `source:target[:ro|rw]`, where the source is a path or a volume's name, or `tmpfs:target`; parted by spaces.
    ///
    /// - Parameter known: mounts that are meant by the words that a form has for them.
    static func mounts(_ text: String, known: [MountSpec]) throws(FormError) -> [MountSpec] {
        var mounts: [MountSpec] = []
        for word in try words(of: text) {
            if let mount = known.first(where: { $0.formWord == word }) {
                mounts.append(mount)
                continue
            }
            let parts = word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 || parts.count == 3, parts[1].hasPrefix("/") else {
                throw FormError(
                    "`\(word)`: write /host/path:/path, volume:/path or tmpfs:/path, with :ro for read only")
            }
            guard parts[0].hasPrefix("/") || isName(parts[0]) else {
                throw FormError("`\(parts[0])`: an absolute path, or a volume's name of letters, digits, _ . -")
            }
            guard parts.count < 3 || parts[2] == "ro" || parts[2] == "rw" else {
                throw FormError("`\(parts[2])`: ro or rw")
            }
            var mount =
                switch parts[0] {
                case "tmpfs": MountSpec(.tmpfs, target: parts[1])
                case let source: MountSpec(source.hasPrefix("/") ? .bind : .volume, source: source, target: parts[1])
                }
            mount.readOnly = parts.count == 3 && parts[2] == "ro"
            mounts.append(mount)
        }
        return mounts
    }

    /// What docker's `-p` takes, parted by spaces.
    static func ports(_ text: String) throws(FormError) -> [PortBinding] {
        var bindings: [PortBinding] = []
        for word in try words(of: text) {
            do throws(EngineError) { bindings += try PublishedPorts.parse(word) } catch {
                throw FormError(error.message)
            }
        }
        return bindings
    }

    /// Splits as a shell does: spaces part words; quotes and backslashes hold them together. Nothing is expanded.
    static func words(of text: String) throws(FormError) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == " " {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil, !isEscaped else { throw FormError("a quote is not closed") }
        if let word { words.append(word) }
        return words
    }

    /// Why it fails; nil where it does not.
    private static func message(of body: () throws(FormError) -> Void) -> String? {
        do throws(FormError) {
            try body()
            return nil
        } catch { return error.message }
    }

    private static func isVariable(_ word: String) -> Bool {
        guard let name = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).first else {
            return false
        }
        return !name.isEmpty && word.contains("=")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

struct FormError: Error, Hashable {
    let message: String
    /// Which it is about; nil for the form as a whole.
    let field: Field.Name?

    init(_ message: String, at field: Field.Name? = nil) {
        self.message = message
        self.field = field
    }
}

extension String {
    /// Without the spaces at both ends.
    var trimmingSpaces: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
