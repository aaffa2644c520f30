import EngineAPI
import Linux
import Testing

@testable import DockerAPI

/// The filters of lists and prunes that tell of networks, ports and volumes.
struct NetworkFilterTests {
    private static func query(_ filters: String) -> QueryString {
        var query = QueryString()
        query.add("filters", filters)
        return query
    }

    @Test(
        "Ports are read as numbers and ranges of a transport, and anything else is refused",
        arguments: [
            ("80", ["80/tcp"]), ("80/UDP", ["80/udp"]), ("8000-8002", ["8000-8002/tcp"]),
            ("1-65535/udp", ["1-65535/udp"]),
            ("5-5/sctp", ["5/sctp"]), ("", nil), ("0", nil), ("65536", nil), ("9-8", nil), ("80/icmp", nil),
            ("1-2-3", nil), ("80/tcp/udp", nil), ("-80", nil),
        ])
    func ports(text: String, expected: [String]?) throws {
        for name in ["publish", "expose"] {
            let query = Self.query("{\"\(name)\":[\"\(text)\"]}")
            guard let expected else {
                let refusal = #expect(throws: EngineError.self) { try ContainerFilter(dockerQuery: query) }
                #expect(refusal?.kind == .invalid)
                continue
            }
            let filter = try ContainerFilter(dockerQuery: query)
            #expect((name == "publish" ? filter.published : filter.exposed).map(\.description) == expected)
            #expect(try ContainerFilter(dockerQuery: filter.dockerQuery) == filter)
        }
    }

    @Test(
        "A network that would be another than was asked for is refused",
        arguments: [
            (#"{"Name":"n","EnableIPv4":false,"EnableIPv6":true}"#, "networks without IPv4 are not supported"),
            (#"{"Name":"n","Ingress":true}"#, "Ingress networks are of swarms, and not supported"),
            (#"{"Name":"n","EnableIPv4":true,"ConfigFrom":{"Network":""}}"#, nil), (#"{"Name":"n"}"#, nil),
            (#"{"Name":"n","EnableIPv4":null,"ConfigFrom":null}"#, nil),
        ])
    func otherNetworks(body: String, refusal: String?) throws {
        let reader = try BodyReader(parsing: Array(body.utf8))
        if let refusal {
            #expect(throws: EngineError(.unsupported, refusal)) { try NetworkSpec(dockerBody: reader) }
        } else {
            #expect(try NetworkSpec(dockerBody: reader).name == "n")
        }
    }

    @Test("What was made until a day is told by that day, as by its age")
    func days() throws {
        let now = try #require(Timestamp(rfc3339: "2026-03-04T05:06:07Z"))
        let day = try #require(Timestamp(rfc3339: "2026-01-02T00:00:00Z"))
        for (text, expected) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"), ("2026-01-02T03+01:00", "2026-01-02T02:00:00Z"),
            ("1767323045", "2026-01-02T03:04:05Z"), ("1h6m7s", "2026-03-04T04:00:00Z"),
        ] {
            let filter = try PruneFilter(dockerQuery: Self.query(#"{"until":["\#(text)"]}"#), now: now)
            #expect(filter.until == Timestamp(rfc3339: expected), "\(text)")
        }
        #expect(try ImageFilter(dockerQuery: Self.query(#"{"until":["2026-01-02"]}"#)).until == day.asWallClock)
        #expect(throws: EngineError(.invalid, "failed to parse value as time or duration: \"2026-13-02\"")) {
            try PruneFilter(dockerQuery: Self.query(#"{"until":["2026-13-02"]}"#), now: now)
        }
    }

    @Test("Filters survive the way to another engine and back")
    func roundTrips() throws {
        let now = Timestamp(nanosecondsSinceEpoch: 1_800_000_000_000_000_000)
        let containers = try ContainerFilter(dockerQuery: Self.query(#"{"volume":["data","/x"],"network":["front"]}"#))
        #expect(containers.volumes == ["data", "/x"])
        #expect(try ContainerFilter(dockerQuery: containers.dockerQuery) == containers)
        let networks = try NetworkFilter(
            dockerQuery: Self.query(#"{"until":["24h"],"label!":["keep"],"type":["custom"]}"#), now: now)
        #expect(networks.until == Timestamp(nanosecondsSinceEpoch: now.nanosecondsSinceEpoch - 86_400_000_000_000))
        #expect(networks.withoutLabels == ["keep"])
        #expect(try NetworkFilter(dockerQuery: networks.dockerQuery, now: now) == networks)
        let volumes = try VolumeFilter(dockerQuery: Self.query(#"{"label!":["keep=1"],"all":["true"]}"#))
        #expect(volumes.withoutLabels == ["keep=1"] && volumes.all)
        #expect(try VolumeFilter(dockerQuery: volumes.dockerQuery) == volumes)
        #expect(throws: EngineError.self) { try NetworkFilter(dockerQuery: Self.query(#"{"until":["soon"]}"#)) }
    }
}
