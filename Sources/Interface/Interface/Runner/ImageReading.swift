import EngineAPI

/// Reads all that is known of one image.
struct ImageReading: Sendable {
    let engine: any Engine
    let mailbox: Mailbox

    func read(_ name: String) async {
        do throws(EngineError) {
            let details = try await engine.inspectImage(name)
            // What an engine does not tell is left out.
            let history = (try? await engine.imageHistory(name)) ?? []
            mailbox.post(.imageInspected(name, details, history))
        } catch {
            mailbox.post(.notInspected(name, error.message))
        }
    }
}
