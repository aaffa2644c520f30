import EngineAPI
import Faults
import Glibc
import ImageFixtures
import Images
import OCI
import Registry
import Web

// Pushes the image of an archive once, where one is given; else pulls an image and removes it again, for ever, until somebody or a fault point kills it.
// Arguments: the data root, the index's file, the image's name, and perhaps an archive.
let arguments = CommandLine.arguments
let store = try await ImageStore(
    dataRoot: arguments[1], index: try FileImageIndex(path: arguments[2]), faults: .fromEnvironment)
let client = RegistryClient(transport: SocketTransport())
if arguments.count > 4 {
    _ = try await store.load(from: .path(arguments[4])) { _ in }
    let session = RegistrySession(client, try Reference(arguments[3]), purpose: .push, credentials: nil)
    _ = try await store.push(session) { _ in }
    exit(0)
}
print("ready")
while true {
    let session = RegistrySession(client, try Reference(arguments[3]), purpose: .pull, credentials: nil)
    let image = try await store.pull(session, platform: nil) { _ in }
    _ = try await store.remove(image.record.id.description, force: true, uses: [])
}
