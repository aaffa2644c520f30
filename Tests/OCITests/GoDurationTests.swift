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
}
