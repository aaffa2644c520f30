import EngineAPI
import Testing

@testable import Lifecycle

@Suite struct VolumeMountsTests {
    @Test("What an image and other containers bring comes behind what was asked for, and is known as such")
    func additions() {
        var spec = ContainerSpec(image: "x")
        spec.mounts = [MountSpec(.volume, target: "/asked")]
        spec.anonymousVolumes = ["/own"]
        let lent = [MountSpec(.bind, source: "/h", target: "/lent"), MountSpec(.bind, source: "/h", target: "/asked/")]
        let found = VolumeMounts.resolve(
            spec, imageVolumes: ["/image", "/own/", "/lent"],
            lenders: [VolumeMounts.Lender(mounts: lent, readOnly: true)])
        #expect(found.map(\.target) == ["/asked", "/lent", "/own", "/image"])
        #expect(found.map(\.addition) == [nil, .whole, .whole, .whole])
        #expect(found[1].readOnly)
    }

    @Test("A volume that an image names without a slash is meant from the root", arguments: ["data", "a/b", "./x"])
    func relative(path: String) {
        let found = VolumeMounts.resolve(ContainerSpec(image: "x"), imageVolumes: [path, "/" + path], lenders: [])
        #expect(found.map(\.target) == ["/" + path])
    }
}
