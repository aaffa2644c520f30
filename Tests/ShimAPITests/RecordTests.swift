import JSON
import Testing

@testable import ShimAPI

@Suite struct RecordTests {
    @Test("A task is read from its file as it was written")
    func task() throws {
        var task = ShimTask(id: "c", bundle: "/b", runtime: "/r", runtimeRoot: "/rr")
        #expect(ShimTask(json: try JSONValue(parsing: task.json.compactBytes)) == task)
        task.rootMounts = [.init(type: "overlay", source: "overlay", target: "/b/rootfs", options: ["lowerdir=/a:/b"])]
        task.rootMounts.append(.init(type: "bind", source: "/dev/shm", target: "/b/shm", options: []))
        task.rootMounts[1].owner = ShimProcess(pid: 7, startTicks: .max)
        task.terminal = true
        task.columns = 132
        task.rows = 43
        task.input = .once
        task.log = .init(path: "/l", maximumSizeBytes: 1 << 40, maximumFiles: 3)
        task.log?.packs = true
        task.cgroupsPath = "/gantry/c"
        #expect(ShimTask(json: try JSONValue(parsing: task.json.compactBytes)) == task)
    }

    @Test("A packed log's mark is read from a gzip header, and from no other")
    func mark() {
        let mark = PackedLogMark(device: 0x0102_0304_0506_0708, inode: .max - 5)
        let header: [UInt8] = [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 3, 20, 0] + mark.extraField
        #expect(PackedLogMark(header: header) == mark)
        #expect(PackedLogMark(header: Array(header.dropLast())) == nil)
        for (index, byte) in [(0, 0), (3, 0), (12, 0x48), (14, 8)] {
            var other = header
            other[index] = UInt8(byte)
            #expect(PackedLogMark(header: other) == nil)
        }
    }

    @Test("An exit record is read as it was written, to the nanosecond")
    func exit() throws {
        let exit = ShimExit(code: 137, nanosecondsSinceEpoch: 1_790_000_000_123_456_789, oomKilled: true)
        let text = ExitRecord(exit).json.compactText
        #expect(text == #"{"code":137,"time":"2026-09-21T14:13:20.123456789Z","oomKilled":true}"#)
        #expect(ExitRecord(json: try JSONValue(parsing: text))?.exit == exit)
    }

    @Test(
        "What is no record is refused",
        arguments: ["{}", "[]", #"{"code":1}"#, #"{"code":5000000000,"time":"2026-01-01T00:00:00Z"}"#])
    func noRecord(text: String) throws {
        #expect(ExitRecord(json: try JSONValue(parsing: text)) == nil)
        #expect(InitRecord(json: try JSONValue(parsing: text)) == nil)
        #expect(ShimTask(json: try JSONValue(parsing: text)) == nil)
    }

    @Test("The init record keeps both processes and the cgroups")
    func initial() throws {
        let record = InitRecord(
            process: ShimProcess(pid: 4, startTicks: .max), shim: ShimProcess(pid: 3, startTicks: 2),
            cgroups: ["/sys/fs/cgroup/pids/x"])
        #expect(InitRecord(json: try JSONValue(parsing: record.json.compactBytes)) == record)
    }
}
