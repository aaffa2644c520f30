// The example of the documentation of `GantryEngine`; ExampleTests sees to it that they are the same.
import EngineAPI
import LocalEngine

func hello(root: String) async throws -> String {
    var configuration = LocalEngineConfiguration(root: root)
    configuration.shimPath = LocalEngineConfiguration().shimPath
    configuration.runtimePath = LocalEngineConfiguration().runtimePath
    let engine = try await GantryEngine(configuration)
    var spec = ContainerSpec(image: "gantry/starter")
    spec.command = ["echo", "hello"]
    let container = try await engine.create(spec, name: nil)
    let stream = try await engine.attach(container.id, AttachRequest())
    try await engine.start(container.id)
    var text: [UInt8] = []
    while let chunk = try await stream.read() {
        if case .stdout(let bytes) = chunk { text += bytes }
    }
    try await engine.remove(container.id, force: true, volumes: false)
    await engine.close()
    return String(decoding: text, as: UTF8.self)
}
