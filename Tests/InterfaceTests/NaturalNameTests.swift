import EngineAPI
import Testing

@testable import Interface

@Suite struct NaturalNameTests {
    @Test(
        "Numbers in names count as numbers, whatever stands around them",
        arguments: [
            ["web-1", "web-2", "web-10", "web-10a", "web-11"], ["9", "10", "a9b1", "a9b02", "a9b10", "a10"],
            ["v1.9.0", "v1.10.0", "v1.10.0-rc"], ["a", "a0", "a00", "a1", "a01b", "a1c"],
            ["", "0", "A", "a", "é1", "é2"],
            ["n18446744073709551615", "n18446744073709551616", "n99999999999999999999999"],
        ])
    func order(names: [String]) {
        for (place, name) in names.enumerated() {
            #expect(!(NaturalName(name) < NaturalName(name)))
            for later in names[(place + 1)...] {
                #expect(NaturalName(name) < NaturalName(later), "\(name) \(later)")
                #expect(!(NaturalName(later) < NaturalName(name)), "\(later) \(name)")
            }
        }
    }

    @Test("Every list has its names in this order")
    func lists() throws {
        let names = ["web-10", "web-9", "web-2"]
        let containers = names.enumerated().map { index, name in
            var container = Sample.containers[index]
            (container.name, container.image) = (name, "\(name):1")
            return container
        }
        var bench = try Bench.connected(containers: containers)
        bench.type("o")
        #expect(bench.model.containers.sort == .name)
        #expect(bench.model.containers.rows.map(\.name) == names.reversed())
        bench.type("o")
        #expect(bench.model.containers.rows.map(\.name) == names.reversed())
        bench.type("N")
        bench.send(
            .networks(names.map { NetworkDetails(id: $0, spec: NetworkSpec(name: $0), createdAt: Sample.now) }))
        #expect(bench.model.networkRows().map(\.id) == names.reversed())
        bench.type("<esc>V")
        bench.send(
            .volumes(
                names.map { VolumeDetails(spec: VolumeSpec(name: $0), createdAt: Sample.now, mountpoint: "/v/\($0)") }))
        #expect(bench.model.volumeRows().map(\.spec.name) == names.reversed())
        bench.type("<esc>I")
        var image = Sample.starter
        image.tags = names
        bench.send(.images([image]))
        #expect(bench.model.imageRows().map(\.id) == names.reversed())
    }
}
