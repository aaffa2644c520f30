// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours: warnings are errors.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Symbols are for `Tests/FunctionOrder/collect.sh` and for whoever looks at a profile.
let stripped = Context.environment["GANTRY_SYMBOLS"] == nil ? ["-Xlinker", "-s"] : []

/// The two small programs are linked whole, so that they start in under a millisecond and need nothing inside a
/// container's mount namespace. Release only: a test bundle cannot link against a static executable.
let wholeSwift: [SwiftSetting] =
    strict + [.unsafeFlags(["-static-executable"], .when(configuration: .release))]
let wholeLinker: [LinkerSetting] = [
    .unsafeFlags(
        ["-static-executable", "-Xlinker", "--gc-sections"] + stripped, .when(configuration: .release))
]

/// A program's functions lie in the order of their first call, so that a run touches a part of its pages: less memory and
/// less processor time a container and a command. A name that is not there any more does no harm.
func ordered(by file: String) -> [String] {
    [
        "-use-ld=lld", "-Xlinker", "--no-warn-symbol-ordering", "-Xlinker",
        "--symbol-ordering-file=\(Context.packageDirectory)/Sources/\(file)",
    ]
}

/// The runtime is entered before the C library's start, for what `CStart` does there, and knows which of its pages lie
/// in that order.
let orderedLinker: [LinkerSetting] =
    wholeLinker + [
        .unsafeFlags(
            ordered(by: "Runtime/gantry-runtime/functions.order") + [
                "-Xlinker", "--script=\(Context.packageDirectory)/Sources/Runtime/gantry-runtime/sections.ld",
                "-Xlinker", "--entry=gantry_entry",
            ],
            .when(configuration: .release))
    ]

/// Without sections of their own, functions could neither be put in an order nor left out where nobody calls them. Types
/// are looked up by their parts and not by names that are read at run time, which takes several times as long and more
/// pages.
let orderable: [SwiftSetting] = [
    .unsafeFlags(
        [
            "-Xfrontend", "-function-sections", "-Xfrontend",
            "-disable-concrete-type-metadata-mangled-name-accessors",
        ], .when(configuration: .release))
]

/// C libraries: the released program has them in itself, each after those that use it, so that no start spends 2 ms on
/// finding, mapping and binding 20 files.
func linking(_ names: String...) -> [LinkerSetting] {
    names.map { .linkedLibrary($0, .when(configuration: .debug)) }
        + names.map { .linkedLibrary(":lib\($0).a", .when(configuration: .release)) }
}

func library(
    _ name: String, in folder: String, _ dependencies: [Target.Dependency],
    linkerSettings: [LinkerSetting] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(folder)/\(name)",
        swiftSettings: strict + orderable, linkerSettings: linkerSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude, swiftSettings: strict)
}

let kernel: [Target] = [
    .target(
        name: "CLinux", path: "Sources/Kernel/CLinux",
        cSettings: [
            .define("_GNU_SOURCE"), .unsafeFlags(["-ffunction-sections"], .when(configuration: .release)),
        ]),
    .target(
        name: "CCurses", path: "Sources/Kernel/CCurses",
        cSettings: [
            .define("NCURSES_WIDECHAR", to: "1"), .define("_XOPEN_SOURCE_EXTENDED"), .define("_GNU_SOURCE"),
        ],
        linkerSettings: linking("ncursesw", "tinfo")),
    .systemLibrary(
        name: "CVTerm", path: "Sources/Kernel/CVTerm", pkgConfig: "vterm", providers: [.apt(["libvterm-dev"])]),
    .systemLibrary(
        name: "CSeccomp", path: "Sources/Kernel/CSeccomp", pkgConfig: "libseccomp",
        providers: [.apt(["libseccomp-dev"])]),
    .systemLibrary(
        name: "CArchive", path: "Sources/Kernel/CArchive", providers: [.apt(["libarchive-dev", "liblzma-dev"])]),
    .systemLibrary(name: "CZlib", path: "Sources/Kernel/CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CCrypto", path: "Sources/Kernel/CCrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "CTOML", path: "Sources/Kernel/CTOML"),
    .target(
        name: "CSQLite", path: "Sources/Kernel/CSQLite", linkerSettings: linking("sqlite3")),
    library("Linux", in: "Kernel", ["CLinux"]),
    library("Netlink", in: "Kernel", ["Linux", "CLinux"]),
    .target(name: "CNftables", path: "Sources/Kernel/CNftables"),
]

let oci: [Target] = [
    library("JSON", in: "OCI", []),
    library("Expressions", in: "OCI", []),
    library("OCI", in: "OCI", ["JSON", "Linux"]),
]

let runtime: [Target] = [
    .target(name: "CStart", dependencies: ["CLinux"], path: "Sources/Runtime/CStart"),
    .target(
        name: "Runtime", dependencies: ["Linux", "Netlink", "CLinux", "JSON", "OCI", "CSeccomp"],
        path: "Sources/Runtime/Runtime",
        swiftSettings: strict + orderable),
    .executableTarget(
        name: "gantry-runtime", dependencies: ["Runtime", "Linux", "CStart"], path: "Sources/Runtime/gantry-runtime",
        exclude: ["functions.order", "sections.ld"], swiftSettings: wholeSwift, linkerSettings: orderedLinker),
]

let shim: [Target] = [
    library("ShimAPI", in: "Shim", ["Linux", "JSON"]),
    library("NameService", in: "Shim", ["Linux"]),
    library("Rootless", in: "Shim", ["Linux", "CLinux", "JSON", "ShimAPI"]),
    library(
        "Shim", in: "Shim", ["ShimAPI", "NameService", "Linux", "CLinux", "CZlib", "JSON", "OCI"],
        linkerSettings: linking("z")),
    .executableTarget(
        name: "gantry-shim", dependencies: ["Shim", "Rootless", "Linux"], path: "Sources/Shim/gantry-shim",
        swiftSettings: wholeSwift, linkerSettings: wholeLinker),
]

let lifecycle: [Target] = [
    library("Faults", in: "Lifecycle", []),
    library("AsyncIO", in: "Lifecycle", ["Linux", "CLinux"]),
    library("Content", in: "Lifecycle", ["Linux", "OCI", "CCrypto"], linkerSettings: linking("crypto")),
    library(
        "Archive", in: "Lifecycle", ["Linux", "CLinux", "OCI", "CArchive", "Content"],
        linkerSettings: linking("archive", "zstd", "lzma", "bz2", "z")),
    library("Snapshots", in: "Lifecycle", ["Linux", "CLinux", "JSON", "OCI", "Archive", "Content"]),
    library(
        "Images", in: "Lifecycle",
        [
            "Linux", "JSON", "OCI", "Content", "Registry", "Archive", "Snapshots", "AsyncIO", "EngineAPI", "Faults",
        ]),
    library("Registry", in: "Lifecycle", ["Linux", "JSON", "OCI", "Content", "AsyncIO"]),
    library("Storage", in: "Lifecycle", ["CSQLite"]),
    library("Tasks", in: "Lifecycle", ["Linux", "CLinux", "Netlink", "JSON", "ShimAPI", "AsyncIO", "EngineAPI"]),
    library(
        "Networking", in: "Lifecycle",
        ["Linux", "Netlink", "CNftables", "NameService", "EngineAPI", "AsyncIO", "Faults"]),
    library("Metrics", in: "Lifecycle", ["Linux", "EngineAPI", "AsyncIO"]),
    library(
        "Lifecycle", in: "Lifecycle",
        [
            "Linux", "CLinux", "JSON", "OCI", "Archive", "AsyncIO", "Images", "Networking", "Snapshots", "Storage",
            "Tasks", "ShimAPI", "EngineAPI", "Expressions", "Faults",
        ]),
]

let engine: [Target] = [
    library("EngineAPI", in: "Engine", ["Linux"]),
    library(
        "LocalEngine", in: "Engine",
        [
            "EngineAPI", "Lifecycle", "Images", "Snapshots", "Registry", "Web", "Metrics", "Networking", "Storage",
            "Tasks", "Linux", "OCI", "AsyncIO", "Expressions", "Faults", "Rootless",
        ]),
    library(
        "Transport", in: "Engine",
        [
            "Linux", "CLinux", "AsyncIO", .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOTLS", package: "swift-nio"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]),
    library("Web", in: "Engine", ["Registry", "Transport", "JSON", "Linux"]),
    library("DockerAPI", in: "Engine", ["EngineAPI", "JSON", "OCI"]),
    library(
        "Daemon", in: "Engine",
        ["EngineAPI", "DockerAPI", "Transport", "JSON", "Linux", "CLinux", "CCrypto", "AsyncIO"],
        linkerSettings: linking("crypto")),
    library(
        "RemoteEngine", in: "Engine", ["EngineAPI", "DockerAPI", "Transport", "JSON", "Linux", "AsyncIO"]),
]

let interface: [Target] = [
    library("Terminal", in: "Interface", ["CCurses"]),
    library("Emulator", in: "Interface", ["Terminal"]),
    library(
        "Interface", in: "Interface",
        ["EngineAPI", "Terminal", "Emulator", "Expressions", "JSON", "CTOML"]),
]

let app: [Target] = [
    library(
        "CLI", in: "App",
        [
            "EngineAPI", "DockerAPI", "Registry", "Content", "OCI", "JSON", "Linux", "CLinux", "Archive", "AsyncIO",
        ]),
    .executableTarget(
        name: "gantry",
        dependencies: [
            "CLI", "EngineAPI", "LocalEngine", "RemoteEngine", "Daemon", "Interface", "Terminal", "Linux", "Rootless",
        ],
        path: "Sources/App/gantry",
        exclude: ["functions.order"],
        swiftSettings: strict + orderable + [
            .unsafeFlags(
                ["-static-stdlib", "-Xfrontend", "-autolink-library", "-Xfrontend", ":libstdc++.a"],
                .when(configuration: .release))
        ],
        // Without position independence a start spends no 3 ms on 100,000 relocations; nothing is loaded that would look
        // for symbols in the program. The C++ library comes from its archive, in place of the shared one that the driver
        // asks for.
        linkerSettings: [
            .unsafeFlags(
                [
                    "-static-stdlib", "-Xclang-linker", "-no-pie", "-Xlinker", "--no-export-dynamic",
                    "-Xclang-linker", "-static-libgcc", "-Xlinker", "--remap-inputs=*/libstdc++.so=/dev/null",
                ] + ordered(by: "App/gantry/functions.order") + stripped, .when(configuration: .release))
        ]),
]

let suites: [Target] = [
    .target(
        name: "ScriptedEngine", dependencies: ["EngineAPI"], path: "Tests/ScriptedEngine", swiftSettings: strict),
    .target(
        name: "RawClients", dependencies: ["Linux"], path: "Tests/RawClients", swiftSettings: strict),
    tests("TransportTests", ["Transport", "AsyncIO", "Linux", "RawClients"]),
    tests(
        "RemoteContractTests",
        [
            "Daemon", "EngineAPI", "EngineContract", "Linux", "LocalEngine", "NetworkRemains", "PeerEngines",
            "RemoteEngine",
        ]),
    .target(
        name: "PeerEngines", dependencies: ["EngineAPI", "Linux", "RemoteEngine"], path: "Tests/PeerEngines",
        swiftSettings: strict),
    tests("RemoteEngineTests", ["Daemon", "EngineAPI", "RemoteEngine", "ScriptedEngine", "Transport"]),
    tests(
        "DaemonTests",
        ["Daemon", "EngineAPI", "JSON", "Linux", "RawClients", "ScriptedEngine", "SeededNumbers", "Transport"]),
    // Drives the programs of this build with docker's own clients.
    tests(
        "ClientTests", ["Linux", "NetworkRemains", "PeerEngines", "PeerRegistry", "RawClients", "Transport"]),
    tests("DockerAPITests", ["DockerAPI", "EngineAPI", "JSON"]),
    tests("ArchitectureTests", []),
    tests(
        "CLITests",
        [
            "CLI", "DockerAPI", "EngineAPI", "JSON", "Archive", "Linux", "SeededNumbers",
        ]),
    .target(
        name: "NetworkRemains", dependencies: ["Linux", "Netlink", "Networking"], path: "Tests/NetworkRemains",
        swiftSettings: strict),
    tests(
        "SessionTests",
        ["Emulator", "ImageFixtures", "Linux", "NetworkRemains", "OCI", "PeerRegistry", "Terminal", "Transport"]),
    tests("LeftoverTests", []),
    tests("ExpressionsTests", ["Expressions"]),
    tests("JSONTests", ["JSON"]),
    tests("LinuxTests", ["Linux", "CLinux"]),
    tests("NetlinkTests", ["Netlink", "Linux"]),
    tests("NetworkingTests", ["Networking", "Netlink", "Linux", "EngineAPI"]),
    tests("NameServiceTests", ["NameService", "Linux", "SeededNumbers"]),
    tests("OCITests", ["OCI", "JSON", "Linux", "SeededNumbers"]),
    tests("CallerTests", ["Linux", "JSON"]),
    tests("RuntimeTests", ["Runtime", "OCI", "JSON", "Linux", "CLinux", "Netlink", "SeededNumbers"]),
    .target(
        name: "EngineContract", dependencies: ["EngineAPI"], path: "Tests/EngineContract", swiftSettings: strict),
    .executableTarget(
        name: "engine-probe", dependencies: ["LocalEngine", "EngineAPI", "Linux"], path: "Tests/EngineProbe",
        swiftSettings: strict),
    tests(
        "LocalEngineTests",
        [
            "LocalEngine", "Archive", "EngineAPI", "EngineContract", "Faults", "ImageFixtures", "Lifecycle", "Linux",
            "AsyncIO", "NameService", "Netlink", "NetworkRemains", "PeerRegistry", "engine-probe",
        ]),
    tests("StorageTests", ["Storage", "Linux"]),
    tests(
        "LifecycleTests",
        [
            "Lifecycle", "Storage", "Tasks", "Images", "Snapshots", "EngineAPI", "OCI", "JSON", "Linux", "CLinux",
            "AsyncIO", "Shim", "ShimAPI",
        ]),
    tests("AsyncIOTests", ["AsyncIO", "Linux"]),
    tests("TasksTests", ["Tasks", "AsyncIO", "EngineAPI", "Linux", "JSON", "ShimAPI"]),
    tests("MetricsTests", ["Metrics", "Linux", "EngineAPI"]),
    tests("EmulatorTests", ["Emulator", "Terminal", "CVTerm", "SeededNumbers"]),
    tests("TerminalTests", ["Terminal", "Emulator", "terminal-probe"]),
    .executableTarget(
        name: "terminal-probe", dependencies: ["Terminal"], path: "Tests/TerminalProbe", swiftSettings: strict),
    tests("ShimAPITests", ["ShimAPI", "JSON"]),
    tests("InterfaceTests", ["Interface", "EngineAPI", "Terminal", "Emulator"], exclude: ["Golden"]),
    tests("RootlessTests", ["Rootless", "Linux", "CLinux"]),
    tests("ShimTests", ["Shim", "ShimAPI", "Linux", "Netlink", "JSON", "CZlib"]),
    .target(name: "SeededNumbers", path: "Tests/SeededNumbers", swiftSettings: strict),
    .target(
        name: "ImageFixtures",
        dependencies: ["Archive", "Content", "Images", "EngineAPI", "JSON", "OCI", "Linux", "CLinux"],
        path: "Tests/ImageFixtures", swiftSettings: strict),
    .target(
        name: "PeerRegistry", dependencies: ["ImageFixtures", "Linux"], path: "Tests/PeerRegistry",
        swiftSettings: strict),
    tests(
        "RegistryTests",
        [
            "Registry", "Web", "Transport", "Content", "Images", "EngineAPI", "OCI", "JSON", "Linux", "AsyncIO",
            "ImageFixtures", "Faults", "PeerRegistry", "SeededNumbers", "image-pull-probe",
        ]),
    .executableTarget(
        name: "image-pull-probe",
        dependencies: ["Images", "ImageFixtures", "EngineAPI", "Faults", "OCI", "Registry", "Web"],
        path: "Tests/ImagePullProbe", swiftSettings: strict),
    tests("ContentTests", ["Content", "OCI", "Linux", "ImageFixtures"]),
    tests("ArchiveTests", ["Archive", "Content", "OCI", "Linux", "CLinux", "ImageFixtures"]),
    tests("SnapshotsTests", ["Snapshots", "Archive", "Content", "OCI", "Linux", "ImageFixtures"]),
    .executableTarget(
        name: "image-load-probe", dependencies: ["Images", "ImageFixtures", "EngineAPI"], path: "Tests/ImageLoadProbe",
        swiftSettings: strict),
    tests(
        "ImagesTests",
        [
            "Images", "EngineAPI", "AsyncIO", "JSON", "OCI", "Content", "Linux", "Snapshots", "ImageFixtures",
            "image-load-probe",
        ]),
]

/// Measurements beside the peers; not a test, not shipped.
let benchmarks: [Target] = [
    .executableTarget(
        name: "gantry-bench", dependencies: ["Linux", "JSON", "OCI", "NameService", "Netlink"],
        path: "Tests/Benchmarks"),
    // Linked whole, so that it is small: a process's peak of memory begins with its parent's.
    .executableTarget(
        name: "runtime-cycles", path: "Tests/RuntimeCycles",
        linkerSettings: [.unsafeFlags(["-static-executable"], .when(configuration: .release))]),
    .executableTarget(
        name: "function-order", path: "Tests/FunctionOrder", exclude: ["collect.sh", "collect-gantry.sh"]),
]

let package = Package(
    name: "gantry",
    products: [
        .executable(name: "gantry", targets: ["gantry"]),
        .executable(name: "gantry-shim", targets: ["gantry-shim"]),
        .executable(name: "gantry-runtime", targets: ["gantry-runtime"]),
        .library(name: "GantryEngine", targets: ["EngineAPI", "LocalEngine"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: kernel + oci + runtime + shim + lifecycle + engine + interface + app + suites + benchmarks,
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
