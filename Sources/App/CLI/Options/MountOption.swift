import DockerAPI
import EngineAPI
import JSON

/// `--mount`: `type=bind,source=/a,target=/b,readonly`, a line of comma-separated fields.
struct MountOption {
    private var type = "volume"
    private var body = JSONObject()
    private var bind = JSONObject()
    private var volume = JSONObject()
    private var driver = JSONObject()
    private var tmpfs = JSONObject()
    private var image = JSONObject()

    /// - Throws: `UsageError` in docker's words.
    init(_ text: String) throws(UsageError) {
        func refusal(_ reason: String) -> UsageError {
            UsageError(value: text, of: "--mount", reason)
        }
        let fields: [String]
        do throws(CommaSeparated.Failure) { fields = try CommaSeparated.fields(text) } catch {
            throw refusal(error.message)
        }
        do throws(FieldFailure) {
            for field in fields { try take(field) }
            try check()
        } catch {
            throw refusal(error.reason)
        }
    }

    private struct FieldFailure: Error {
        let reason: String
    }

    /// docker's `Mount` object.
    var dockerBody: JSONValue {
        var body = body
        var volume = volume
        if !driver.isEmpty { volume["DriverConfig"] = .object(driver) }
        for (name, options) in [
            ("BindOptions", bind), ("VolumeOptions", volume), ("TmpfsOptions", tmpfs), ("ImageOptions", image),
        ]
        where !options.isEmpty {
            body[name] = .object(options)
        }
        body["Type"] = .string(type)
        return .object(body)
    }

    private static let mayBeBare: Set = ["readonly", "ro", "volume-nocopy", "bind-nonrecursive"]

    private mutating func take(_ field: String) throws(FieldFailure) {
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let key = parts[0].lowercased()
        guard parts.count == 2 || Self.mayBeBare.contains(key) else {
            throw FieldFailure(reason: "invalid field '\(field)' must be a key=value pair")
        }
        let value = parts.count == 2 ? parts[1] : "true"
        switch key {
        case "type": type = value.lowercased()
        case "source", "src": body["Source"] = .string(value.hasPrefix(".") ? WorkingDirectory.absolute(value) : value)
        case "target", "dst", "destination": body["Target"] = .string(value)
        case "readonly", "ro": body["ReadOnly"] = try flag(key, value)
        case "consistency": body["Consistency"] = .string(value.lowercased())
        case "bind-propagation": bind["Propagation"] = .string(value.lowercased())
        case "bind-nonrecursive": bind["NonRecursive"] = try flag(key, value)
        case "bind-recursive": try takeRecursion(value)
        case "volume-nocopy": volume["NoCopy"] = try flag(key, value)
        case "volume-subpath": volume["Subpath"] = .string(value)
        case "image-subpath": image["Subpath"] = .string(value)
        case "volume-driver": driver["Name"] = .string(value)
        case "volume-label": volume["Labels"] = Self.adding(value, to: volume["Labels"])
        case "volume-opt": driver["Options"] = Self.adding(value, to: driver["Options"])
        case "tmpfs-size":
            guard let bytes = ByteCount.parse(value), bytes >= 0 else { throw invalid(key, value) }
            tmpfs["SizeBytes"] = .integer(bytes)
        case "tmpfs-mode":
            guard let mode = UInt32(value, radix: 8) else { throw invalid(key, value) }
            tmpfs["Mode"] = .integer(Int64(mode))
        default: throw FieldFailure(reason: "unexpected key '\(key)' in '\(field)'")
        }
    }

    private mutating func takeRecursion(_ value: String) throws(FieldFailure) {
        switch value {
        case "enabled": break
        case "disabled": bind["NonRecursive"] = true
        case "writable": bind["ReadOnlyNonRecursive"] = true
        case "readonly": bind["ReadOnlyForceRecursive"] = true
        default:
            throw FieldFailure(
                reason: "invalid value for bind-recursive: \(value) "
                    + "(must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")")
        }
    }

    private func check() throws(FieldFailure) {
        let kinds = [
            ("volume", !volume.isEmpty || !driver.isEmpty), ("bind", !bind.isEmpty), ("tmpfs", !tmpfs.isEmpty),
            ("image", !image.isEmpty),
        ]
        for (kind, isGiven) in kinds where isGiven && type != kind {
            throw FieldFailure(reason: "cannot mix '\(kind)-*' options with mount type '\(type)'")
        }
        if type.isEmpty { throw FieldFailure(reason: "type is required") }
        if body["Target"]?.string?.isEmpty ?? true { throw FieldFailure(reason: "target is required") }
    }

    private func flag(_ key: String, _ value: String) throws(FieldFailure) -> JSONValue {
        guard let flag = GoBool.parse(value) else { throw invalid(key, value) }
        return .bool(flag)
    }

    private func invalid(_ key: String, _ value: String) -> FieldFailure {
        FieldFailure(reason: "invalid value for \(key): \(value)")
    }

    /// `KEY=VALUE` among the members of an object.
    private static func adding(_ pair: String, to value: JSONValue?) -> JSONValue {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var object = value?.object ?? JSONObject()
        object[parts[0]] = .string(parts.count > 1 ? parts[1] : "")
        return .object(object)
    }
}
