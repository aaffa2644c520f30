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

    /// The names in a directory that begin so, each with whether it is a directory, or leads to one.
    package typealias List =
        @Sendable (_ directory: String, _ beginning: String) async throws(EngineError)
        -> [(name: String, isDirectory: Bool)]

    let copyOut: CopyOut
    let copyIn: CopyIn
    let save: Save
    let list: List

    package init(copyOut: @escaping CopyOut, copyIn: @escaping CopyIn, save: @escaping Save, list: @escaping List) {
        self.copyOut = copyOut
        self.copyIn = copyIn
        self.save = save
        self.list = list
    }

    /// Where there are no files to work with.
    static let none = HostFiles(
        copyOut: { _, _, _, _ throws(EngineError) in throw unavailable },
        copyIn: { _, _, _, _ throws(EngineError) in throw unavailable },
        save: { _, _, _ throws(EngineError) in throw unavailable },
        list: { _, _ throws(EngineError) in throw unavailable })

    private static let unavailable = EngineError(.unsupported, "this program gives the screen no files to work with")
}
