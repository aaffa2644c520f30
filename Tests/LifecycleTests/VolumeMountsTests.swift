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

    @Test("Of two that lend a mount the later is heard; nothing lent is written more than by its lender, nor filled")
    func lenders() {
        func lender(_ source: String, _ readOnly: Bool, of isReadOnly: Bool) -> VolumeMounts.Lender {
            var mount = MountSpec(.volume, source: source, target: "/x")
            mount.readOnly = readOnly
            return VolumeMounts.Lender(mounts: [mount], readOnly: isReadOnly)
        }
        for (lent, asked) in [(false, false), (false, true), (true, false), (true, true)] {
            let found = VolumeMounts.resolve(
                ContainerSpec(image: "x"), imageVolumes: [],
                lenders: [lender("first", false, of: false), lender("later", lent, of: asked)])
            #expect(found.map(\.source) == ["later"] && found[0].noCopy)
            #expect(found[0].readOnly == (lent || asked))
        }
    }

    @Test("How a container's mounts are lent is read as docker reads it")
    func references() throws {
        for (text, readOnly) in [
            ("a", false), ("a:", false), ("a:rw", false), ("a:ro", true), ("a:z", false), ("a:ro,Z", true),
        ] {
            let (name, isReadOnly) = try VolumeMounts.reference(text)
            #expect(name == "a" && isReadOnly == readOnly, "\(text)")
        }
        for (text, mode) in [("a:b:c", "b:c"), ("a:ro,rw", "ro,rw"), ("a:nocopy", "nocopy"), ("a:rslave", "rslave")] {
            #expect(throws: EngineError(.invalid, "invalid mode: \(mode)")) { try VolumeMounts.reference(text) }
        }
        #expect(throws: EngineError.self) { try VolumeMounts.reference(":ro") }
    }

    @Test("A volume that an image names without a slash is meant from the root", arguments: ["data", "a/b", "./x"])
    func relative(path: String) {
        let found = VolumeMounts.resolve(ContainerSpec(image: "x"), imageVolumes: [path, "/" + path], lenders: [])
        #expect(found.map(\.target) == ["/" + path])
    }
}
