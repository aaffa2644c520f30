import EngineAPI

/// How far a pull has come: its layers, in the order in which the engine told of them.
struct TransferProgress: Hashable, Sendable {
    struct Layer: Hashable, Sendable {
        let digest: String
        var step: ImageLayerStep
    }

    private(set) var layers: [Layer] = []

    /// Takes a step of a layer; true where it is of another kind than the one before, and not only further on.
    mutating func take(_ digest: String, _ step: ImageLayerStep) -> Bool {
        guard let index = layers.firstIndex(where: { $0.digest == digest }) else {
            layers.append(Layer(digest: digest, step: step))
            return true
        }
        defer { layers[index].step = step }
        return layers[index].step.words != step.words
    }

    /// `2 of 5 layers`; empty before the first is known.
    var summary: String {
        layers.isEmpty ? "" : "\(layers.count { $0.step.isDone }) of \(layers.count) layers"
    }
}

extension ImageLayerStep {
    var isDone: Bool {
        switch self {
        case .pulled, .existing, .pushed, .pushExisting, .mounted: true
        default: false
        }
    }

    var words: String {
        switch self {
        case .waiting: "waiting"
        case .downloading: "downloading"
        case .verifying: "verifying"
        case .downloaded: "downloaded"
        case .unpacking: "unpacking"
        case .pulled: "done"
        case .existing: "already here"
        case .preparing: "preparing"
        case .pushing: "sending"
        case .pushed: "sent"
        case .pushExisting: "already there"
        case .mounted(let repository): "taken from \(repository)"
        }
    }

    /// Bytes done and in all, where it is a matter of bytes.
    var bytes: (done: Int64, total: Int64)? {
        switch self {
        case .downloading(let done, let total), .unpacking(let done, let total), .pushing(let done, let total):
            (done, total)
        default: nil
        }
    }
}
