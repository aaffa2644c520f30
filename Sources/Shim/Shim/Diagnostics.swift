import Linux

/// What the shim has to say to who looks for a fault: lines in `shim.log`, its standard error.
enum Diagnostics {
    static func note(_ text: String) {
        let line = "\(Timestamp.now().rfc3339Nano) \(text)\n"
        // There is nowhere to tell that telling failed.
        try? Descriptor.standardError.writeAll(Array(line.utf8))
    }
}
