import Linux

/// A line on standard error.
enum Complaint {
    static func say(_ line: String) {
        do throws(KernelError) { try Descriptor.standardError.writeAll(Array((line + "\n").utf8)) } catch {
            // Standard error is closed: there is nowhere left to say so.
        }
    }
}
