import EngineAPI

/// Reads the directory of a path that is being typed.
struct PathReading: Sendable {
    let engine: any Engine
    let files: HostFiles

    func read(_ question: PathQuestion) async -> Result<[PathMember], EngineError> {
        do throws(EngineError) {
            switch question.place {
            case .machine:
                let directory = question.directory.isEmpty ? "." : question.directory
                let names = try await files.list(directory, question.beginning)
                return .success(names.map { PathMember(name: $0.name, isDirectory: $0.isDirectory) })
            case .container(let target):
                // A container's paths begin at its root.
                let directory = "/" + question.directory.split(separator: "/").joined(separator: "/")
                let list = try await engine.listDirectory(target.id, path: directory)
                return .success(list.map { PathMember(name: $0.name, isDirectory: $0.isDirectory) })
            }
        } catch {
            return .failure(error)
        }
    }
}
