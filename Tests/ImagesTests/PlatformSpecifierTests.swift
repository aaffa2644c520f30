import EngineAPI
import Images
import OCI
import Testing

@Suite struct PlatformSpecifierTests {
    @Test(
        "What people write for a platform is read as docker reads it",
        arguments: [
            ("linux/amd64", "linux/amd64"), ("linux/x86_64", "linux/amd64"), ("LINUX/ARM64/V8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"), ("linux/arm/6", "linux/arm/v6"), ("linux/armhf", "linux/arm/v7"),
            ("linux/386", "linux/386"), ("arm64", "linux/arm64"), ("aarch64", "linux/arm64"), ("i386", "linux/386"),
            ("s390x", "linux/s390x"), ("windows/amd64", "windows/amd64"), ("macos/arm64", "darwin/arm64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
        ])
    func read(text: String, platform: String) throws {
        #expect(try Platform(specifier: text).description == platform)
    }

    @Test("A system alone is that of this machine's processor")
    func system() throws {
        #expect(try Platform(specifier: "linux") == .host)
        #expect(try Platform(specifier: "windows").architecture == Platform.host.architecture)
    }

    @Test(
        "What is no platform is refused by the part at fault",
        arguments: [
            ("", "\"\" is an invalid component"), ("linux/", "\"\" is an invalid component of \"linux/\""),
            ("linux/a b", "\"a b\" is an invalid component"), ("/amd64", "invalid component"),
            ("nonsense", "\"nonsense\": unknown operating system or architecture"),
            ("linux/arm/v7/x", "\"linux/arm/v7/x\": cannot parse platform specifier"),
        ])
    func refused(text: String, words: String) {
        let error = #expect(throws: EngineError.self) { try Platform(specifier: text) }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
