/// Policies as docker's clients and `daemon.json` write them: a driver's name, and options by theirs.
extension LogPolicy {
    /// - Parameter name: empty where it is left to the engine: then options are not looked at, since they may be any
    ///   driver's, until `completed(by:)`.
    /// - Throws: `invalid` in docker's words: for a driver that there is not, for an option that it does not have, and for a
    ///   value that is none.
    package init(driver name: String, options said: [String: String]) throws(EngineError) {
        self.init()
        words = said.isEmpty ? nil : said
        guard !name.isEmpty else { return }
        guard let known = Driver(rawValue: name) else {
            throw EngineError(
                .invalid, "error looking up logging plugin \(name): plugin \"\(name)\" not found", object: name)
        }
        driver = known
        namesDriver = true
        // Docker's own limits for what is compact: a log that never ends does not fill the disk.
        if driver == .local || driver.sendsLines { (maximumSizeBytes, maximumFiles) = (20 << 20, 5) }
        if driver.sendsLines { keepsCopy = true }
        for (option, value) in said.sorted(by: { $0.key < $1.key }) {
            if driver.sendsLines, option.hasPrefix("cache-") {
                try readCopy(option, value)
            } else {
                try read(option, value)
            }
        }
        try checkBuffer(said)
        try checkCompression()
        try LogOptionRules.check(driver, options)
    }

    /// What an engine makes of it whose `daemon.json` has that policy: its driver where none is named, and its options for
    /// what is not said of that same driver.
    package func completed(by standard: LogPolicy) throws(EngineError) -> LogPolicy {
        if isLeftToEngine { return standard }
        // Of a program that has set the values themselves.
        guard namesDriver == true || words != nil else { return self }
        let name = namesDriver == true ? driver : standard.driver
        var said = words ?? [:]
        for (option, value) in standard.words ?? [:] where said[option] == nil {
            guard name == standard.driver || name.sendsLines && option.hasPrefix("cache-") else { continue }
            said[option] = value
        }
        return try LogPolicy(driver: name.rawValue, options: said)
    }

    private mutating func read(_ option: String, _ value: String) throws(EngineError) {
        switch option {
        case "labels", "labels-regex", "env", "env-regex", "tag":
            guard driver != .none, driver != .local else { throw unknown(option) }
            options[option] = value
        case "mode" where driver != .none:
            guard ["blocking", "non-blocking"].contains(value) else {
                throw EngineError(.invalid, "logger: logging mode not supported: \(value)")
            }
            options[option] = value
        case "max-buffer-size" where driver != .none:
            guard ByteCount.parse(value) != nil else {
                throw EngineError(.invalid, "error parsing option max-buffer-size: invalid size: '\(value)'")
            }
            options[option] = value
        case "compress" where !driver.sendsLines && driver != .none: try readCompression(option, value)
        case "max-size" where !driver.sendsLines && driver != .none: try readSize(option, value)
        case "max-file" where !driver.sendsLines && driver != .none: try readCount(option, value)
        default:
            guard LogOptionRules.own(driver).contains(option) else { throw unknown(option) }
            options[option] = value
        }
    }

    private mutating func readCopy(_ option: String, _ value: String) throws(EngineError) {
        switch option {
        case "cache-disabled":
            guard let flag = GoBool.parse(value) else {
                throw EngineError(.invalid, "invalid value for option \(option): \(value)")
            }
            keepsCopy = !flag
        case "cache-max-size": try readSize(option, value)
        case "cache-max-file": try readCount(option, value)
        case "cache-compress": try readCompression(option, value)
        default: throw unknown(option)
        }
    }

    private mutating func readSize(_ option: String, _ value: String) throws(EngineError) {
        guard let bytes = ByteCount.parse(value), bytes > 0 || value == "-1" else {
            throw EngineError(.invalid, "invalid value for \(option): '\(value)'")
        }
        maximumSizeBytes = bytes > 0 ? bytes : nil
    }

    private mutating func readCount(_ option: String, _ value: String) throws(EngineError) {
        guard let count = Int(value), count > 0 else {
            throw EngineError(.invalid, "\(option) must be a positive number: '\(value)'")
        }
        maximumFiles = count
    }

    /// Go's words for yes and no.
    private mutating func readCompression(_ option: String, _ value: String) throws(EngineError) {
        guard let flag = GoBool.parse(value) else {
            let reading = driver == .jsonFile ? "" : "error reading compress log option: "
            throw EngineError(
                .invalid,
                "failed to initialize logging driver: \(reading)strconv.ParseBool: parsing \"\(value)\": invalid syntax"
            )
        }
        compresses = flag
    }

    private func checkBuffer(_ said: [String: String]) throws(EngineError) {
        guard said["max-buffer-size"] == nil || said["mode"] == "non-blocking" else {
            throw EngineError(.invalid, "logger: max-buffer-size option is only supported with 'mode=non-blocking'")
        }
    }

    private func checkCompression() throws(EngineError) {
        let words = "failed to initialize logging driver"
        if keepsFiles, filesAreCompact, maximumFiles == 1, compresses != false {
            throw EngineError(.invalid, "\(words): compression cannot be enabled when max file count is 1")
        }
        if driver == .jsonFile, compresses == true, maximumFiles < 2 || maximumSizeBytes == nil {
            throw EngineError(
                .invalid, "\(words): compress cannot be true when max-file is less than 2 or max-size is not set")
        }
    }

    private func unknown(_ option: String) -> EngineError {
        EngineError(.invalid, "unknown log opt '\(option)' for \(driver.rawValue) log driver")
    }
}
