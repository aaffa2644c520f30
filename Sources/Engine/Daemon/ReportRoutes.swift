import DockerAPI
import EngineAPI
import JSON

/// What the daemon tells of itself: figures for Prometheus, and what helps who looks for a fault.
let reportRoutes: [Route] = [
    Route("GET", "/metrics") { exchange in try await sendMetrics(exchange) },
    Route("GET", "/debug/vars") { exchange in
        // Only to who is on the machine and may use the socket's file; over the network the page is not there.
        guard exchange.request.peer != nil else { throw EngineError(.notFound, "page not found") }
        let counts = exchange.journal.counts.snapshot
        let requests = counts.requests.map {
            ("\($0.key.method) \($0.key.status)", JSONValue.integer(Int64(clamping: $0.value)))
        }
        let process = OwnProcess.read()
        let body: JSONValue = [
            "requests": .object(JSONObject(requests.sorted { $0.0 < $1.0 })),
            "inFlight": .integer(Int64(counts.inFlight)),
            "residentBytes": .integer(process.residentBytes), "threads": .integer(process.threads),
            "openDescriptors": .integer(process.openDescriptors),
        ]
        try await exchange.send(200, body)
    },
]

func sendMetrics(_ exchange: Exchange) async throws {
    let info = try await exchange.engine.info()
    let text = MetricsText(exchange.journal.counts.snapshot, info, .read()).text
    var fields = exchange.commonFields
    fields["Content-Type"] = MetricsText.contentType
    try await exchange.writer.send(200, fields, body: Array(text.utf8))
}
