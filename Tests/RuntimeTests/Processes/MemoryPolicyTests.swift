import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// The memory policy of a container's programs.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct MemoryPolicyTests {
    // No file: a kernel without memory nodes.
    private static let isThere = access("/proc/self/numa_maps", R_OK) == 0

    @Test(
        "Programs have the policy, also those of exec",
        .enabled(if: isThere && RuntimeUnderTest.isPrivileged, "needs root and a kernel with memory nodes"),
        arguments: [
            (LinuxMemoryPolicy(.bind, nodes: "0", flags: [.staticNodes]), "bind=static:0"),
            (LinuxMemoryPolicy(.interleave, nodes: "0"), "interleave:0"),
            (LinuxMemoryPolicy(.preferred, nodes: "0", flags: [.relativeNodes]), "prefer=relative:0"),
            (LinuxMemoryPolicy(.default), "default"), (LinuxMemoryPolicy(.local), "local"),
        ])
    func applied(_ policy: LinuxMemoryPolicy, _ words: String) throws {
        let container = try TestContainer(.ours, ["sleep", "60"])
        container.spec.linux.memoryPolicy = policy
        try container.createAndStart()
        let pid = try #require(try container.state()["pid"]?.integer)
        let initial = String(decoding: try FileContents.read("/proc/\(pid)/numa_maps"), as: UTF8.self)
        #expect(initial.split(separator: " ").dropFirst().first == words[...])
        let further = try container.exec("cat", "/proc/self/numa_maps")
        #expect(further.output.split(separator: " ").dropFirst().first == words[...], "\(further.errors)")
    }

    @Test(
        "What the kernel refuses is told with the property's name",
        .enabled(if: isThere && RuntimeUnderTest.isPrivileged, "needs root and a kernel with memory nodes"))
    func refused() throws {
        let container = try TestContainer(.ours)
        container.spec.linux.memoryPolicy = LinuxMemoryPolicy(.bind, nodes: "1000")
        let result = try container.create()
        #expect(result.code == 1 && result.errors.contains("linux.memoryPolicy: set_mempolicy"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test(
        "Nodes are a list, and there are some where the mode needs them and none where it does not",
        arguments: [
            (LinuxMemoryPolicy(.bind), "at least one node"),
            (LinuxMemoryPolicy(.weightedInterleave), "at least one node"),
            (LinuxMemoryPolicy(.default, nodes: "0-7"), "requires 0 nodes but got 8"),
            (LinuxMemoryPolicy(.bind, nodes: "0-9876543210"), "invalid memory policy nodes"),
            (LinuxMemoryPolicy(.bind, nodes: "x"), "invalid memory policy nodes"),
        ])
    func plans(_ policy: LinuxMemoryPolicy, _ words: String) {
        let error = #expect(throws: RuntimeError.self) { try MemoryPolicyPlan(policy) }
        #expect(error?.message.contains(words) == true && error?.message.hasPrefix("linux.memoryPolicy.nodes") == true)
    }

    @Test("Modes and flags are the kernel's numbers")
    func numbers() throws {
        let plan = try MemoryPolicyPlan(
            LinuxMemoryPolicy(.preferredMany, nodes: "0,9", flags: [.staticNodes, .balancing]))
        #expect(plan?.mode == 0xA005)
        #expect(plan?.nodes.words == [1, 2, 0, 0, 0, 0, 0, 0])
        #expect(try MemoryPolicyPlan(nil) == nil)
    }
}
