import EngineAPI
import Testing

@testable import Metrics

/// Texts as kernels write them.
@Suite struct StatTextTests {
    private func with<Result>(_ text: String, _ body: (StatText) -> Result) -> Result {
        Array(text.utf8).withUnsafeBytes { body(StatText($0)) }
    }

    private func applied(_ table: [CounterFile], _ name: String, _ text: String) throws -> ContainerStats {
        var stats = ContainerStats(id: "a", name: "a", time: .now())
        stats.memoryLimitBytes = 1 << 40
        let file = try #require(table.first { $0.name == name })
        with(text) { file.apply($0, &stats) }
        return stats
    }

    @Test("A number, a word in its place, one that is too large, nothing")
    func numbers() {
        #expect(with("123\n") { $0.number } == 123)
        #expect(with("max\n") { $0.number } == nil)
        #expect(with("18446744073709551616\n") { $0.number } == nil)
        #expect(with("") { $0.number } == nil)
        #expect(with("-1\n") { $0.number } == nil)
    }

    @Test("A key is a whole word at the beginning of its line")
    func keys() {
        let text = "inactive_file_x 1\ntotal_inactive_file 2\ninactive_file 3\n"
        #expect(with(text) { $0.value(of: "inactive_file") } == 3)
        #expect(with(text) { $0.value(of: "file") } == nil)
    }

    @Test("Block counters of version 1 are summed over devices; Total is none of them")
    func legacyBlock() throws {
        let text = "8:0 Read 100\n8:0 Write 20\n8:0 Sync 7\n259:1 read 1\n259:1 WRITE 2\nTotal 130\n"
        let stats = try applied(CounterFile.legacy, "blkio.throttle.io_service_bytes_recursive", text)
        #expect(stats.blockReadBytes == 101)
        #expect(stats.blockWriteBytes == 22)
    }

    @Test("Block counters of version 2 are summed over devices")
    func unifiedBlock() throws {
        let text = "8:0 rbytes=100 wbytes=20 rios=3 wios=4 dbytes=0 dios=0\n254:0 rbytes=1 wbytes=2 rios=9 wios=9\n"
        let stats = try applied(CounterFile.unified, "io.stat", text)
        #expect(stats.blockReadBytes == 101)
        #expect(stats.blockWriteBytes == 22)
    }

    @Test("CPU times of version 2 are told in microseconds")
    func unifiedCPU() throws {
        let text = "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 9\nnr_throttled 4\nthrottled_usec 7\n"
        let stats = try applied(CounterFile.unified, "cpu.stat", text)
        #expect(stats.cpuNanoseconds == 5000 && stats.cpuUserNanoseconds == 3000 && stats.cpuSystemNanoseconds == 2000)
        #expect(stats.throttledPeriods == 4 && stats.throttledNanoseconds == 7000)
    }

    @Test("CPU times of version 1 are told by processor, too")
    func perCPU() throws {
        let stats = try applied(CounterFile.legacy, "cpuacct.usage_percpu", "18855905 17860950 0 \n")
        #expect(stats.perCPUNanoseconds == [18_855_905, 17_860_950, 0])
    }

    @Test("Without a limit the host's memory is the limit")
    func memoryLimit() throws {
        let legacy = "cache 1\nhierarchical_memory_limit 9223372036854771712\ntotal_inactive_file 5\n"
        let stats = try applied(CounterFile.legacy, "memory.stat", legacy)
        #expect(stats.memoryLimitBytes == 1 << 40 && stats.memoryInactiveFileBytes == 5)
        #expect(stats.memoryCounters["cache"] == 1 && stats.memoryCounters.count == 3)
        let limited = legacy.replacing("9223372036854771712", with: "4096")
        #expect(try applied(CounterFile.legacy, "memory.stat", limited).memoryLimitBytes == 4096)
        #expect(try applied(CounterFile.unified, "memory.max", "max\n").memoryLimitBytes == 1 << 40)
        #expect(try applied(CounterFile.unified, "memory.max", "8192\n").memoryLimitBytes == 8192)
        #expect(try applied(CounterFile.unified, "pids.max", "max\n").pidsLimit == nil)
    }

    @Test("All interfaces but the loopback are counted, also where a number touches the colon")
    func networks() {
        let text = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls
                lo:    100      1    0    0    0     0          0         0      100       1    0    0    0     0  0 0
              eth0:1234      5    0    0    0     0          0         0      678       9    0    0    0     0  0 0

            """
        let networks = with(text) { CgroupSampler.networks(in: $0) }
        #expect(networks.keys.sorted() == ["eth0"])
        #expect(networks["eth0"]?.receivedBytes == 1234 && networks["eth0"]?.receivedPackets == 5)
        #expect(networks["eth0"]?.sentBytes == 678 && networks["eth0"]?.sentPackets == 9)
    }

    @Test("The host's CPU time is the first line's seven")
    func hostCPU() {
        #expect(with("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n") { HostSampler.cpuTicks($0) } == 28)
    }
}
