import EngineAPI
import EngineContract
import Testing

@Suite(
    .enabled(
        if: EngineBench.missing == nil,
        "needs root, busybox-static, and gantry-shim and gantry-runtime beside the tests"))
struct ContractTests {
    @Test("A local engine keeps the contract", arguments: ContractCase.all)
    func contract(_ rule: ContractCase) async throws {
        try await EngineBench.with { engine, _ in try await rule.run(on: engine) }
    }
}
