import JSON
import Linux
import Testing

@testable import Runtime

/// The figures of `events`, from the text of cgroup files.
@Suite struct StatisticsTests {
    private static func statistics(unified: Bool, _ files: [String: String]) throws -> JSONValue {
        let texts = CgroupTexts(isUnified: unified) { (controller, file) throws(KernelError) in
            files[controller.map { "\($0)/\(file)" } ?? file].map { Array($0.utf8) }
        }
        return try ContainerStatistics(texts: texts, pageSizes: ["2MB"]).json()
    }

    @Test("Version 1 gives times in nanoseconds and each processor's share")
    func legacyCPU() throws {
        let data = try Self.statistics(
            unified: false,
            [
                "cpuacct/cpuacct.usage": "23967080\n", "cpuacct/cpuacct.usage_percpu": "8844526 15122554 \n",
                "cpuacct/cpuacct.usage_all": "cpu user system\n0 1 2\n1 3 4\n",
                "cpuacct/cpuacct.stat": "user 1\nsystem 2\n",
                "cpu/cpu.stat": "nr_periods 5\nnr_throttled 3\nthrottled_time 77\n",
                "cpu.pressure": "some avg10=0.00 avg60=1.50 avg300=0.00 total=12\n",
            ])
        let usage =
            #"{"usage":{"total":23967080,"percpu":[8844526,15122554],"percpu_kernel":[2,4],"percpu_user":[1,3],"#
            + #""kernel":20000000,"user":10000000},"throttling":{"periods":5,"throttledPeriods":3,"throttledTime":77},"#
            + #""psi":{"some":{"avg10":0,"avg60":1.5,"avg300":0,"total":12}}}"#
        #expect(data["cpu"]?.compactText == usage)
    }

    @Test("Version 2 gives the same members from its own files")
    func unified() throws {
        let data = try Self.statistics(
            unified: true,
            [
                "cpu.stat": "usage_usec 10\nuser_usec 6\nsystem_usec 4\nnr_periods 0\nthrottled_usec 3\n",
                "memory.stat": "anon 1\nfile 4096\n", "memory.current": "8192\n", "memory.max": "65536\n",
                "memory.peak": "9000\n", "memory.swap.current": "100\n", "memory.swap.max": "max\n",
                "pids.current": "3\n", "pids.max": "max\n",
                "io.stat": "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n",
                "hugetlb.2MB.current": "0\n", "hugetlb.2MB.events": "max 2\n",
            ])
        #expect(
            data["cpu"]?.compactText
                == #"{"usage":{"total":10000,"kernel":4000,"user":6000},"throttling":{"throttledTime":3000}}"#)
        #expect(data["memory"]?["cache"]?.integer == 4096)
        #expect(
            data["memory"]?["usage"]?.compactText == #"{"limit":65536,"usage":8192,"max":9000,"failcnt":0}"#)
        #expect(data["memory"]?["swap"]?.compactText == #"{"limit":18446744073709551615,"usage":8292,"failcnt":0}"#)
        #expect(data["memory"]?["raw"]?["anon"]?.integer == 1)
        #expect(data["pids"]?.compactText == #"{"current":3}"#)
        let transfers = #"[{"major":8,"op":"Read","value":4096},{"major":8,"op":"Write"}]"#
        #expect(data["blkio"]?["ioServiceBytesRecursive"]?.compactText == transfers)
        #expect(data["hugetlb"]?.compactText == #"{"2MB":{"failcnt":2}}"#)
        #expect(data["network_interfaces"] == .null)
    }

    @Test("Block devices of version 1 are read from the scheduler that counts, without its totals")
    func legacyBlockIO() throws {
        let data = try Self.statistics(
            unified: false,
            [
                "blkio/blkio.throttle.io_serviced": "8:0 Read 3\n8:0 Total 3\nTotal 3\n",
                "blkio/blkio.throttle.io_service_bytes": "8:0 Read 12288\nTotal 12288\n",
            ])
        let bytes = #"[{"major":8,"op":"Read","value":12288}]"#
        #expect(data["blkio"]?["ioServiceBytesRecursive"]?.compactText == bytes)
        let count = #"[{"major":8,"op":"Read","value":3},{"major":8,"op":"Total","value":3}]"#
        #expect(data["blkio"]?["ioServicedRecursive"]?.compactText == count)
    }

    @Test("A cgroup without any file has figures of zero")
    func nothing() throws {
        for unified in [true, false] {
            let data = try Self.statistics(unified: unified, [:])
            #expect(data["cpu"]?.compactText == #"{"usage":{"kernel":0,"user":0},"throttling":{}}"#)
            #expect(data["pids"]?.compactText == "{}")
            #expect(data["blkio"]?.compactText == "{}")
        }
    }

    @Test(
        "Lists of processors become numbers",
        arguments: [("0-3,7", [0, 1, 2, 3, 7]), ("5", [5]), ("", []), ("3-1", []), ("x", []), ("0-99999999999", [])])
    func members(list: String, expected: [UInt64]) {
        #expect(ContainerStatistics.members(of: list) == expected)
    }

    @Test(
        "Directories of huge pages are named as cgroup files name the size",
        arguments: [
            ("hugepages-2048kB", "2MB"), ("hugepages-1048576kB", "1GB"), ("hugepages-64kB", "64KB"), ("other", nil),
        ])
    func pageSize(directory: String, expected: String?) {
        #expect(HugepageSizes.name(of: directory) == expected)
    }
}
