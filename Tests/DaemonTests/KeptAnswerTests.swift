import EngineAPI
import Testing
import Transport

@testable import Daemon

@Suite struct KeptAnswerTests {
    private func seconds(_ count: Int64) -> Timestamp { Timestamp(seconds: count) }

    private func answer(_ length: Int) -> PreparedAnswer {
        PreparedAnswer(200, [:], body: [UInt8](repeating: 120, count: length))
    }

    @Test("A term ends with a change, with its time, and where the clock is set back")
    func terms() {
        let term = KeptAnswers.Term(revision: 7, from: seconds(10), until: seconds(20))
        #expect(term.holds(7, now: seconds(10)))
        #expect(term.holds(7, now: seconds(20).before(by: 1)))
        #expect(!term.holds(7, now: seconds(20)))
        #expect(!term.holds(7, now: seconds(10).before(by: 1)))
        #expect(!term.holds(8, now: seconds(10)))
        #expect(KeptAnswers.Term(revision: 7, from: seconds(10), until: nil).holds(7, now: seconds(1_000_000)))
    }

    @Test("An answer is kept for its own target and revision")
    func keeping() {
        let kept = KeptAnswers()
        kept.keep(answer(3), to: "/a", KeptAnswers.Term(revision: 1, from: seconds(0), until: nil))
        #expect(kept.answer(to: "/a", at: 1, now: seconds(5)) != nil)
        #expect(kept.answer(to: "/a", at: 2, now: seconds(5)) == nil)
        #expect(kept.answer(to: "/a?x", at: 1, now: seconds(5)) == nil)
        kept.keep(answer(4), to: "/a", KeptAnswers.Term(revision: 2, from: seconds(0), until: nil))
        #expect(kept.answer(to: "/a", at: 1, now: seconds(5)) == nil)
        #expect(kept.answer(to: "/a", at: 2, now: seconds(5)) != nil)
        kept.forgetAll()
        #expect(kept.answer(to: "/a", at: 2, now: seconds(5)) == nil)
    }

    @Test("No more is kept than the limit, and nothing of half its size")
    func limit() {
        let kept = KeptAnswers(limitBytes: 100_000)
        let term = KeptAnswers.Term(revision: 1, from: seconds(0), until: nil)
        kept.keep(answer(50_000), to: "/large", term)
        #expect(kept.answer(to: "/large", at: 1, now: seconds(1)) == nil)
        for number in 0..<100 {
            kept.keep(answer(9000), to: "/\(number)", term)
            #expect(kept.answer(to: "/\(number)", at: 1, now: seconds(1)) != nil)
        }
        let held = (0..<100).count { kept.answer(to: "/\($0)", at: 1, now: seconds(1)) != nil }
        #expect((1...11).contains(held))
    }
}

/// Through a daemon, whose answers are kept, on a connection that asks the same again and again.
@Suite struct RepeatedRequestTests {
    @Test(
        "Inspections and lists tell of each change as soon as it was answered, however often they were asked for before"
    )
    func changes() async throws {
        let served = try await Served()
        let id = try await served.run("sleep 100", name: "one")
        let steps: [(method: String, target: String, body: String?, name: String, status: String)] = [
            ("POST", "pause", nil, "one", "paused"), ("POST", "unpause", nil, "one", "running"),
            ("POST", "rename?name=two", nil, "two", "running"),
            ("POST", "update", #"{"Memory":9000000}"#, "two", "running"), ("POST", "stop", nil, "two", "exited"),
        ]
        for step in steps {
            for _ in 0..<3 {
                _ = try await served.call("GET", "/containers/\(id)/json")
                _ = try await served.call("GET", "/containers/json?all=1")
            }
            let answer = try await served.call(step.method, "/containers/\(id)/\(step.target)", step.body)
            #expect(answer.status < 300, "\(step.target): \(answer.text)")
            for _ in 0..<3 {
                let details = try await served.call("GET", "/containers/\(id)/json").json
                #expect(details["Name"]?.string == "/" + step.name)
                #expect(details["State"]?["Status"]?.string == step.status)
                if step.body != nil { #expect(details["HostConfig"]?["Memory"]?.integer == 9_000_000) }
                let row = try await served.call("GET", "/containers/json?all=1").json.array?.first
                #expect(row?["Names"]?.array?.first?.string == "/" + step.name)
                #expect(row?["State"]?.string == step.status)
            }
        }
        #expect(try await served.call("GET", "/containers/two/json").status == 200)
        #expect(try await served.call("DELETE", "/containers/two").status == 204)
        #expect(try await served.call("GET", "/containers/two/json").status == 404)
        #expect(try await served.call("GET", "/containers/json?all=1").json.array?.isEmpty == true)
        await served.stop()
    }
}
