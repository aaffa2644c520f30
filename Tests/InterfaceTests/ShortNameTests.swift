import EngineAPI
import Terminal
import Testing

@testable import Interface

/// Names where there is little room.
@Suite struct ShortNameTests {
    @Test(
        "Of an image's name the registry goes first",
        arguments: [
            (40, "registry.example.com:5000/team/app:2.1-rc1"), (30, "…/team/app:2.1-rc1"), (18, "…/team/app:2.1-rc1"),
            (17, "…/app:2.1-rc1"), (13, "…/app:2.1-rc1"), (12, "app:2.1-rc1"), (5, "app:2.1-rc1"),
        ])
    func image(columns: Int, shown: String) {
        let name = columns == 40 ? shown : "registry.example.com:5000/team/app:2.1-rc1"
        #expect(ShortName.image(name, to: columns == 40 ? 42 : columns) == shown)
    }

    @Test("A name without a registry is cut at its end")
    func plain() { #expect(ShortName.image("postgres:16.4-alpine", to: 10) == "postgres:16.4-alpine") }

    @Test("A container's name keeps its end")
    func container() {
        #expect(ShortName.container("shop-payment-worker-12", to: 22) == "shop-payment-worker-12")
        #expect(ShortName.container("shop-payment-worker-12", to: 18) == "shop-paymen…ker-12")
        #expect(ShortName.container("shop-payment-worker-12", to: 6) == "shop-payment-worker-12")
    }

    @Test("The list gives names the room that they need where there is some, and tells them apart where there is not")
    func list() throws {
        let name = "infra-payment-service-worker-"
        var list = (1...2).map { Sample.container(id: Sample.id($0), name: name + "\($0)", .running) }
        for index in list.indices { list[index].labels["com.docker.compose.project"] = "infra" }
        list[0].image = "registry.example.com:5000/team/payments/app:2.1"
        var bench = try Bench.connected(110, 24, containers: list)
        #expect(bench.text.contains("   \(name)1 ") && bench.text.contains("   \(name)2 "))
        #expect(bench.text.contains(" …/team/payments/app:2.1 "))
        bench = try Bench.connected(80, 24, containers: list)
        #expect(bench.text.contains("worker-1 ") && bench.text.contains("worker-2 "))
        bench = try Bench.connected(80, 24)
        let header = "  STATE     NAME                 IMAGE                  AGE"
        #expect(bench.row(1).hasPrefix(header), "\(bench.row(1))")
    }
}
