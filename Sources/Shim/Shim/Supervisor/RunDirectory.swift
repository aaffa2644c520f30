import Glibc
import JSON
import Linux
import ShimAPI

/// The shim's directory, `run/shims/<id>`: its socket, what it was told, what it found.
struct RunDirectory {
    let path: String
    let descriptor: Descriptor

    init(path: String) throws(KernelError) {
        self.path = path
        descriptor = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
    }

    func readTask() throws(ShimFailure) -> ShimTask {
        let file = "\(path)/\(ShimTask.fileName)"
        do {
            let json = try JSONValue(parsing: try FileContents.read(file))
            guard let task = ShimTask(json: json) else { throw ShimFailure(.invalid, "read `\(file)`: no task in it") }
            return task
        } catch let error as ShimFailure {
            throw error
        } catch {
            throw ShimFailure(.invalid, "read `\(file)`: \(error)")
        }
    }

    /// Writes a file as a whole or not at all.
    func write(_ name: String, _ json: JSONValue) throws(KernelError) {
        try FileContents.replace(name, in: descriptor, with: json.compactBytes, durable: false)
    }

    /// Whether the path still leads here.
    var isInPlace: Bool {
        var here = stat()
        var there = stat()
        return fstat(descriptor.rawValue, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino
            && here.st_dev == there.st_dev
    }

    func remove(_ name: String) { unlinkat(descriptor.rawValue, name, 0) }

    /// Removes the directory with all that is in it: nothing but small files ever is.
    func removeAll() {
        // What cannot be listed stays, and is the engine's to remove.
        for name in (try? Directory.list(in: descriptor)) ?? [] { unlinkat(descriptor.rawValue, name, 0) }
        rmdir(path)
    }
}
