import Content
import EngineAPI
import OCI

/// Changes of rows and records, one after another: what was decided by the records holds until the index has it, and so
/// no record ever stands for a row that another change has taken away meanwhile.
extension ImageStore {
    /// Waits until nobody else changes anything; ends with `endChange`.
    func beginChange() async {
        guard changing != nil else { return changing = [] }
        // Handed over by the one before.
        await withCheckedContinuation { changing?.append($0) }
    }

    func endChange() {
        guard let next = changing?.first else { return changing = nil }
        changing?.removeFirst()
        next.resume()
    }

    /// All images that are to be kept, whether they can be used or not.
    var kept: [ImageRecord] { Array(records.values) + Array(unread.values) }

    /// Deletes the configurations that rotted, of images that could not be read: what is here is not brought again.
    func discardRottenConfigurations() async {
        let (content, ids) = (content, Array(unread.keys))
        guard !ids.isEmpty else { return }
        await pool.run {
            for id in ids {
                do throws(ContentError) { _ = try content.read(id) } catch {
                    guard case .wrongDigest = error else { continue }
                    _ = try? content.delete(id)  // Where it stays, whoever needs it says that it is rotten.
                }
            }
        }
    }
}
