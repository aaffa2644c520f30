import EngineAPI
import JSON
import Testing

@testable import DockerAPI

@Suite struct ContainerListTextTests {
    private func summary(_ id: String, _ name: String) -> ContainerSummary {
        var state = ContainerState(status: .running)
        state.startedAt = Timestamp(nanosecondsSinceEpoch: 0)
        return ContainerSummary(
            id: id, name: name, image: "a \"b\"", imageID: "sha256:1", command: "x",
            createdAt: Timestamp(nanosecondsSinceEpoch: 0), state: state, labels: ["k": "v"])
    }

    private func entries(_ bytes: [UInt8]) throws -> [JSONValue] { try JSONValue(parsing: bytes).array ?? [] }

    @Test("The text says of each container what its body says, the first time and again")
    func sameAsBody() throws {
        let text = ContainerListText()
        let all = [summary("1", "a"), summary("2", "b")]
        for second in [5, 5, 90] as [Int64] {
            let now = Timestamp(nanosecondsSinceEpoch: second * 1_000_000_000)
            #expect(try entries(text.rows(all).text(now: now).bytes) == all.map { $0.dockerBody(now: now) })
        }
        #expect(try entries(text.rows([]).text(now: .now()).bytes) == [])
    }

    @Test("A container that has changed is told of as it is now")
    func changed() throws {
        let text = ContainerListText()
        var one = summary("1", "a")
        let now = Timestamp(nanosecondsSinceEpoch: 0)
        _ = text.rows([one])
        one.name = "b"
        one.state.status = .paused
        #expect(try entries(text.rows([one]).text(now: now).bytes) == [one.dockerBody(now: now)])
    }

    @Test("More containers than are kept are told of all the same")
    func limit() throws {
        let text = ContainerListText(limit: 2)
        let now = Timestamp(nanosecondsSinceEpoch: 0)
        let all = (0..<5).map { summary("\($0)", "n\($0)") }
        for _ in 0..<2 {
            #expect(try entries(text.rows(all).text(now: now).bytes) == all.map { $0.dockerBody(now: now) })
        }
    }
}
