import Glibc
import JSON

/// What an image runs on, in the names that Go gives systems and processors (OCI image index, `platform`).
package struct Platform: Hashable, Sendable, CustomStringConvertible {
    package var os: String
    package var architecture: String
    /// `v7`, `v8`; nil where the architecture has none or its usual one is meant.
    package var variant: String?

    package init(os: String, architecture: String, variant: String? = nil) {
        let (name, ownVariant) = Self.normalized(architecture.lowercased(), variant?.lowercased())
        self.os = os.lowercased()
        self.architecture = name
        self.variant = ownVariant
    }

    init(_ property: RuntimeProperty) throws(RuntimeSpecError) {
        self.init(
            os: try property["os"]?.string() ?? "", architecture: try property["architecture"]?.string() ?? "",
            variant: try property["variant"]?.string())
    }

    /// This machine, by uname(2).
    package static let host: Platform = {
        var facts = utsname()
        uname(&facts)
        let machine = withUnsafeBytes(of: &facts.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return Platform(os: "linux", architecture: machine)
    }()

    package var description: String { [os, architecture, variant].compactMap { $0 }.joined(separator: "/") }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("architecture", architecture)
        object.put("os", os)
        object.put("variant", variant)
        return .object(object)
    }

    /// How well an image made for `image` runs here: greater is better, nil not at all.
    package func preference(for image: Platform) -> Int? {
        guard image.os == os else { return nil }
        if image.architecture == architecture, image.variant == variant { return 100 }
        // A processor runs what was made for the versions before its own.
        let other = Self.version(image.variant, of: image.architecture)
        switch (architecture, image.architecture) {
        case ("amd64", "amd64"): return other <= Self.version(variant, of: architecture) ? 50 + other : nil
        case ("arm", "arm"): return other <= Self.version(variant, of: architecture) ? 50 + other : nil
        // Those of 64 bits also run what their forerunners of 32 did: worse, but where nothing else is offered.
        case ("arm64", "arm"): return other <= 8 ? other : nil
        case ("amd64", "386"): return 1
        default: return image.architecture == architecture && image.variant == nil ? 50 : nil
        }
    }

    /// The usual one where the variant is nil.
    private static func version(_ variant: String?, of architecture: String) -> Int {
        variant.flatMap { Int($0.dropFirst()) } ?? (architecture == "arm" ? 7 : 1)
    }

    private static func normalized(_ name: String, _ variant: String?) -> (String, String?) {
        let variant = variant == "" ? nil : variant
        switch name {
        case "x86_64", "x86-64", "amd64": return ("amd64", variant == "v1" ? nil : variant)
        case "i386", "i686", "386": return ("386", nil)
        case "aarch64", "arm64": return ("arm64", variant == "8" || variant == "v8" ? nil : variant)
        case "armhf", "armv7l": return ("arm", "v7")
        case "armel", "armv6l": return ("arm", "v6")
        case "arm": return ("arm", variant.map { $0.hasPrefix("v") ? $0 : "v\($0)" } ?? "v7")
        default: return (name, variant)
        }
    }
}
