import EngineAPI

/// Reads all that is known of one image, network or volume.
struct ObjectReading: Sendable {
    let engine: any Engine
    let mailbox: Mailbox

    func read(_ object: InspectedObject) async {
        do throws(EngineError) {
            switch object {
            case .image(let name):
                let details = try await engine.inspectImage(name)
                // What an engine does not tell is left out.
                let history = (try? await engine.imageHistory(name)) ?? []
                mailbox.post(.imageInspected(name, details, history))
            case .network(let id): mailbox.post(.networkInspected(try await engine.inspectNetwork(id)))
            case .volume(let name): mailbox.post(.volumeInspected(try await engine.inspectVolume(name)))
            }
        } catch {
            mailbox.post(.notInspected(object.name, error.message))
        }
    }
}
