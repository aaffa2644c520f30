import Glibc
import JSON
import Linux
import OCI

/// A bundle as `create` and `run` take it: read once, so that all of a command goes by the same text.
struct BundleContents {
    /// Absolute, without links.
    let path: String
    let spec: RuntimeSpec
    /// Of `config.json`, to be kept with the container.
    let bytes: [UInt8]

    init(_ path: String) throws(RuntimeError) {
        guard let resolved = realpath(path, nil) else {
            throw RuntimeError(
                "bundle \(path): \(access(path, F_OK) == 0 ? "not accessible" : "no such file or directory")")
        }
        defer { free(resolved) }
        self.path = String(decoding: UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)), as: UTF8.self)
        (spec, bytes) = try SpecFile.read("\(self.path)/\(ContainerStore.specName)")
    }

    var hasTerminal: Bool { spec.process?.terminal == true }
}

/// A `config.json`, read.
enum SpecFile {
    /// Many times what any engine writes; so the values made of a text stay below some 200 MiB.
    private static let limitBytes = 4 << 20

    static func read(_ path: String) throws(RuntimeError) -> (spec: RuntimeSpec, bytes: [UInt8]) {
        let name = PathName.split(path).name
        let bytes: [UInt8]
        do throws(KernelError) {
            // A pipe without a writer would be waited for.
            let file = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_NONBLOCK))
            guard try file.descriptor.status().st_mode & S_IFMT == S_IFREG else {
                throw KernelError("read", path, .invalidArgument)
            }
            bytes = try file.descriptor.readAll(limitBytes: limitBytes)
        } catch {
            switch error.errno {
            case .noSuchFile: throw RuntimeError("JSON specification file \(name) not found")
            case .invalidArgument: throw RuntimeError("JSON specification file \(name) is not a regular file")
            case Errno(rawValue: EFBIG):
                throw RuntimeError("JSON specification file \(name) is larger than \(limitBytes >> 20) MiB")
            default: throw RuntimeError(error)
            }
        }
        return (try parse(bytes), bytes)
    }

    static func parse(_ bytes: [UInt8]) throws(RuntimeError) -> RuntimeSpec {
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch { throw RuntimeError(error) }
        do throws(RuntimeSpecError) { return try RuntimeSpec(json) } catch { throw RuntimeError(error) }
    }
}
