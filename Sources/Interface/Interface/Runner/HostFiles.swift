import EngineAPI

/// Files of the machine that the front end runs on: what it reads and writes there for its user. Given by the program,
/// which has the threads and the archives for it.
package struct HostFiles: Sendable {
    /// Copies a path of a container to a path of this machine by cp(1)'s rules.
    package typealias CopyOut =
        @Sendable (_ engine: any Engine, _ reference: String, _ path: String, _ target: String)
        async throws(EngineError) -> Void
    /// Copies a path of this machine to a path of a container by the same rules.
    package typealias CopyIn =
        @Sendable (_ engine: any Engine, _ reference: String, _ source: String, _ path: String)
        async throws(EngineError) -> Void
    /// Writes a file, and the folders that it lacks. One that is there is a `conflict`, unless it is to be replaced.
    package typealias Save =
        @Sendable (_ path: String, _ contents: [UInt8], _ replaces: Bool) async throws(EngineError) -> Void

    let copyOut: CopyOut
    let copyIn: CopyIn
    let save: Save

    package init(copyOut: @escaping CopyOut, copyIn: @escaping CopyIn, save: @escaping Save) {
        self.copyOut = copyOut
        self.copyIn = copyIn
        self.save = save
    }

    /// Where there are no files to work with.
    static let none = HostFiles(
        copyOut: { _, _, _, _ throws(EngineError) in throw unavailable },
        copyIn: { _, _, _, _ throws(EngineError) in throw unavailable },
        save: { _, _, _ throws(EngineError) in throw unavailable })

    private static let unavailable = EngineError(.unsupported, "this program gives the screen no files to work with")
}
