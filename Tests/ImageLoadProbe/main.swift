import EngineAPI
import ImageFixtures
import Images

// Loads an archive and removes the image again, for ever, until somebody kills it.
// Arguments: the data root, the index's file, the archive.
let arguments = CommandLine.arguments
let store = try await ImageStore(dataRoot: arguments[1], index: try FileImageIndex(path: arguments[2]))
print("ready")
while true {
    let images = try await store.load(from: .path(arguments[3]), progress: { _ in })
    for image in images { _ = try await store.remove(image.id.description, force: true, uses: []) }
}
