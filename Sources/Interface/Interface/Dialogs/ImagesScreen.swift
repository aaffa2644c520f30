import EngineAPI

/// The images of the store.
struct ImagesScreen: Hashable, Sendable {
    var selection = 0
    var scroll = 0

    mutating func move(_ movement: Movement, count: Int, page: Int) {
        selection = movement.applied(to: selection, count: count, page: page)
        scroll = scrollToShow(selection, from: scroll, count: count, page: page)
    }
}

extension ImageSummary {
    /// The first name, or the short id.
    var displayName: String { tags.first ?? shortID }

    var shortID: String {
        let digits = id.split(separator: ":").last.map(String.init) ?? id
        return String(digits.prefix(12))
    }
}

extension Model {
    var selectedImage: ImageSummary? {
        guard case .images(let screen)? = dialogs.last, let images, images.indices.contains(screen.selection) else {
            return nil
        }
        return images[screen.selection]
    }
}
