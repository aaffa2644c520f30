import EngineAPI

/// A rule that every engine keeps, with the steps that prove it.
///
/// The engine must hold the starter image under the name `image`. A case makes containers of its own and removes them,
/// also where it fails, so that cases may run at once.
public struct ContractCase: Sendable, CustomStringConvertible {
    public let rule: String
    private let steps: @Sendable (ContractScene) async throws -> Void

    init(_ rule: String, _ steps: @escaping @Sendable (ContractScene) async throws -> Void) {
        self.rule = rule
        self.steps = steps
    }

    public var description: String { rule }

    /// - Throws: `ContractFailure` where the rule is broken, or what the engine threw.
    public func run(on engine: any Engine, image: String = "gantry/starter:latest") async throws {
        let scene = ContractScene(engine: engine, image: image)
        do {
            try await steps(scene)
        } catch {
            await scene.clear()
            throw error
        }
        await scene.clear()
    }

    /// Every case.
    public static let all =
        lifecycleCases + stoppingCases + waitingCases + stdioCases + execCases + logCases + observationCases
        + optionCases + refusalCases + imageCases + restartCases + updateCases
        + healthCases + sharingCases + fileCases + commitCases + usageCases + eventCases + transferCases
        + logDriverCases
}

/// What did not hold, and where.
public struct ContractFailure: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
}

/// One case's engine, and what it made there.
actor ContractScene {
    nonisolated let engine: any Engine
    nonisolated let image: String
    private var made: [String] = []

    init(engine: any Engine, image: String) {
        self.engine = engine
        self.image = image
    }

    /// Creates a container that runs a shell script.
    func create(
        _ script: String, name: String? = nil, _ change: @Sendable (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> String {
        var spec = ContainerSpec(image: image)
        spec.command = ["sh", "-c", script]
        spec.networkMode = NetworkMode.none
        change(&spec)
        let id = try await engine.create(spec, name: name).id
        made.append(id)
        return id
    }

    func start(
        _ script: String, name: String? = nil, _ change: @Sendable (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> String {
        let id = try await create(script, name: name, change)
        try await engine.start(id)
        return id
    }

    /// Starts a script that begins with something to be done before it is of use: a trap, say.
    func start(after preparation: String, _ script: String) async throws -> String {
        let id = try await create("\(preparation); echo ready; \(script)")
        let stream = try await engine.attach(id, AttachRequest())
        try await engine.start(id)
        guard case .stdout(let bytes)? = try await stream.read(), bytes.starts(with: Array("ready".utf8)) else {
            throw ContractFailure(description: "it did not say that it was ready")
        }
        await stream.close()
        return id
    }

    /// Runs a script to its end; what it wrote, and its exit code.
    func run(
        _ script: String, _ change: @Sendable (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> Output {
        try await output(of: try await create(script, change))
    }

    /// Starts a container, and waits for its end.
    func output(of id: String) async throws -> Output {
        let stream = try await engine.attach(id, AttachRequest())
        let wait = try await engine.beginWait(id, for: .nextExit)
        try await engine.start(id)
        var output = try await Output(reading: stream)
        output.exitCode = try await wait.result().exitCode
        return output
    }

    /// Runs a script in a running container; what it wrote.
    func exec(_ script: String, in id: String) async throws -> Output {
        let exec = try await engine.createExec(id, ExecSpec(command: ["sh", "-c", script]))
        return try await Output(reading: try await engine.startExec(exec, size: nil))
    }

    fileprivate func clear() async {
        for id in made {
            // Most have been removed by the case itself.
            try? await engine.remove(id, force: true, volumes: true)
        }
    }
}

/// What a process wrote until its end.
struct Output {
    var stdout = ""
    var stderr = ""
    var exitCode: Int32 = -1

    init(reading stream: any AttachedStream) async throws {
        var out: [UInt8] = []
        var err: [UInt8] = []
        while let chunk = try await stream.read() {
            switch chunk {
            case .stdout(let bytes): out += bytes
            case .stderr(let bytes): err += bytes
            case .lost(let count): throw ContractFailure(description: "\(count) bytes of output were lost")
            }
        }
        await stream.close()
        stdout = String(decoding: out, as: UTF8.self)
        stderr = String(decoding: err, as: UTF8.self)
    }
}

func expect(
    _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) throws {
    if !condition { throw ContractFailure(description: "\(file):\(line): \(message())") }
}

func expectEqual<Value: Equatable>(
    _ value: Value, _ expected: Value, file: StaticString = #fileID, line: UInt = #line
) throws {
    try expect(value == expected, "\(value) where \(expected) is expected", file: file, line: line)
}

/// The engine must refuse with an error of that kind, whose message has the words.
func expectRefusal(
    _ kind: EngineError.Kind, _ words: String = "", file: StaticString = #fileID, line: UInt = #line,
    _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as EngineError {
        try expect(
            error.kind == kind && error.message.contains(words),
            "\(error.kind): `\(error.message)` where \(kind): `\(words)` is expected", file: file, line: line)
        return
    }
    try expect(false, "no refusal where \(kind): `\(words)` is expected", file: file, line: line)
}
