import OCI
import Testing

@Suite struct GoDurationTests {
    @Test(
        "Spans of time are read as Go writes them",
        arguments: [
            ("5s", 5_000_000_000), ("1m30s", 90_000_000_000), ("500ms", 500_000_000), ("1.5h", 5_400_000_000_000),
            ("0", 0), ("-1s", -1_000_000_000), ("5", nil), ("", nil), ("s", nil), ("1x", nil), ("1.2.3s", nil),
            ("9999999h", nil),
        ])
    func duration(text: String, expected: Int64?) {
        #expect(GoDuration.nanoseconds(text) == expected)
    }

    @Test(
        "Spans of time are printed as Go prints them",
        arguments: [
            (0, "0s"), (7, "7ns"), (1500, "1.5µs"), (50_000_000, "50ms"), (1_000_000_000, "1s"),
            (1_050_000_000, "1.05s"), (90_000_000_000, "1m30s"), (3_600_000_000_000, "1h0m0s"),
        ] as [(UInt64, String)])
    func text(nanoseconds: UInt64, expected: String) {
        #expect(GoDuration.text(nanoseconds: nanoseconds) == expected)
    }
}
