import EngineAPI
import JSON
import Testing

@testable import DockerAPI

/// What is asked for in vain or in other words than docker's: filters of events and lists, updates, creations.
struct AskedInVainTests {
    private static func request(_ filters: String) throws -> EventRequest {
        var query = QueryString()
        query.add("filters", filters)
        return try EventRequest(dockerQuery: query)
    }

    @Test(
        "What can never happen here is asked for in vain, whatever else is asked for",
        arguments: [
            #"{"type":["plugin"]}"#, #"{"plugin":["x"]}"#, #"{"node":["x"],"type":["container"]}"#,
            #"{"service":["x"]}"#, #"{"secret":["x"]}"#, #"{"config":["x"]}"#, #"{"scope":["swarm"]}"#,
        ])
    func nothing(filters: String) throws {
        let request = try Self.request(filters)
        #expect(request.actions.count == 1 && request.actions[0].hasPrefix("none of these can happen"))
    }

    @Test("An engine's own events are asked for by its name")
    func daemons() throws {
        let request = try Self.request(#"{"daemon":["x"],"scope":["local","swarm"]}"#)
        #expect(request.daemons == ["x"] && request.actions.isEmpty)
        #expect(try EventRequest(dockerQuery: request.dockerQuery) == request)
        #expect(throws: EngineError.self) { try Self.request(#"{"deamon":["x"]}"#) }
    }

    @Test("What an update leaves as it is is said by its name, but not where it says nothing")
    func updates() throws {
        func warnings(_ text: String) throws -> [String] {
            ContainerUpdate.warnings(dockerBody: try BodyReader(parsing: Array(text.utf8)))
        }
        #expect(
            try warnings(
                #"{"memory":1,"RestartPolicy":{"Name":"no"},"KernelMemory":0,"Ulimits":null,"Devices":[]}"#) == [])
        #expect(
            try warnings(#"{"CpuShares":2,"Ulimits":[{"Name":"core","Soft":1}],"CgroupParent":"/x"}"#) == [
                "Ulimits is not changed by an update: it stays as it is.",
                "CgroupParent is not changed by an update: it stays as it is.",
            ])
    }

    @Test("A place for a volume is meant from the root, also without a slash; what holds a colon is none")
    func volumePlaces() throws {
        func places(_ path: String) throws -> [String] {
            let body = #"{"Image":"x","Volumes":{""# + path + #"":{}}}"#
            return try CreateRequest(dockerBody: BodyReader(parsing: Array(body.utf8))).spec.anonymousVolumes
        }
        #expect(try places("/data") == ["/data"] && places("data") == ["data"])
        for path in ["", "a:/data", "a:b", ":"] { #expect(throws: EngineError.self) { try places(path) } }
    }

    @Test("Whether a container is a swarm's task is asked for in Go's words")
    func tasks() throws {
        func filter(_ word: String) throws -> ContainerFilter {
            var query = QueryString()
            query.add("filters", #"{"is-task":[""# + word + #""]}"#)
            return try ContainerFilter(dockerQuery: query)
        }
        #expect(try filter("T").matchesNone && !filter("0").matchesNone)
        #expect(throws: EngineError(.invalid, "invalid filter 'is-task=[foo]'")) { try filter("foo") }
    }

    @Test("The size of a buffer is for a log that makes nobody wait")
    func bufferSize() throws {
        func create(_ options: String) throws -> LogPolicy {
            let body = #"{"Image":"x","HostConfig":{"LogConfig":{"Type":"json-file","Config":{"# + options + "}}}}"
            return try CreateRequest(dockerBody: BodyReader(parsing: Array(body.utf8))).spec.log
        }
        #expect(try create(#""mode":"non-blocking","max-buffer-size":"1m""#).words?.count == 2)
        #expect(throws: EngineError(.invalid, "error parsing option max-buffer-size: invalid size: 'foo'")) {
            try create(#""mode":"non-blocking","max-buffer-size":"foo""#)
        }
        for options in [#""max-buffer-size":"1m""#, #""mode":"blocking","max-buffer-size":"1m""#] {
            #expect(
                throws: EngineError(
                    .invalid, "logger: max-buffer-size option is only supported with 'mode=non-blocking'")
            ) { try create(options) }
        }
    }
}
