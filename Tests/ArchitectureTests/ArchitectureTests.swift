import Foundation
import Testing

/// The rules of the house that the manifest cannot keep.
@Suite struct ArchitectureTests {
    @Test("The sources are there to be read")
    func sourcesAreFound() {
        #expect(SourceTree.sources.count > 100)
        #expect(Set(SourceTree.sources.map(\.folder)).count == 8)
    }

    @Test(
        "Only the agreed targets import a library",
        arguments: [
            ("CCurses", ["Terminal"]), ("CVTerm", ["Emulator"]), ("CSeccomp", ["Runtime"]),
            ("CArchive", ["Archive"]), ("CZlib", ["Shim"]), ("CNftables", ["Networking"]),
            ("CSQLite", ["Storage"]), ("NIOCore", ["Transport"]), ("NIOPosix", ["Transport"]),
            ("NIOHTTP1", ["Transport"]), ("NIOSSL", ["Transport"]), ("NIOTLS", ["Transport"]),
            ("NIO", ["Transport"]), ("CTOML", ["Interface"]),
        ])
    func confinedImport(library: String, targets: [String]) {
        for file in SourceTree.sources where file.imports.contains(library) {
            #expect(targets.contains(file.target), "\(file.path) imports \(library)")
        }
    }

    @Test(
        "The kernel layer, the formats, the runtime and the shim use neither Foundation nor threads of a library"
    )
    func smallProgramsStaySmall() {
        let small = ["Kernel", "OCI", "Runtime", "Shim"]
        let banned = [
            "Foundation", "FoundationEssentials", "Dispatch", "_Concurrency", "Synchronization",
        ]
        for file in SourceTree.sources where small.contains(file.folder) {
            for library in banned {
                #expect(!file.imports.contains(library), "\(file.path) imports \(library)")
            }
            for (number, _) in file.code(with: " async ") + file.code(with: "await ") {
                Issue.record("\(file.path):\(number) is asynchronous")
            }
        }
    }

    @Test("Nothing links the whole of Foundation, which brings 44 MB of Unicode tables")
    func noWholeFoundation() {
        for file in SourceTree.sources { #expect(!file.imports.contains("Foundation"), "\(file.path)") }
    }

    @Test("The front end knows an engine by its protocol alone")
    func interfaceKnowsNoEngine() {
        let allowed: Set = [
            "EngineAPI", "Terminal", "Emulator", "Expressions", "JSON", "CTOML", "FoundationEssentials", "Glibc",
        ]
        for file in SourceTree.sources where file.target == "Interface" {
            let others = Set(file.imports).subtracting(allowed).subtracting([
                "Synchronization", "Dispatch",
            ])
            #expect(others.isEmpty, "\(file.path) imports \(others.sorted())")
        }
    }

    @Test("No file has over 600 lines")
    func fileLength() {
        for file in SourceTree.sources + SourceTree.tests {
            #expect(file.lines.count <= 601, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test("No function has over 80 lines")
    func functionLength() {
        for file in SourceTree.sources {
            for function in file.functions where function.length > 80 {
                let table = file.isExplained(function.line, by: "table")
                #expect(
                    table, "\(file.path):\(function.line) \(function.name) has \(function.length) lines")
            }
        }
    }

    @Test(
        "Calls that are dangerous in this program are not made",
        arguments: [
            ("try!", "a failure must be an error that somebody can read"),
            ("as!", "a cast that fails must be an error that somebody can read"),
            ("DispatchSemaphore", "it blocks a thread of the cooperative pool"),
            ("Task.detached", "a task needs an owner that cancels it"),
            ("Thread.sleep", "time is a clock's to tell"), ("usleep(", "time is a clock's to tell"),
            (" system(", "no shell stands between this program and a command"),
            ("popen(", "no shell, as above"),
            (" fork()", "a threaded process starts others by posix_spawn only"),
        ])
    func bannedCall(call: String, reason: String) {
        for file in SourceTree.sources {
            for (number, _) in file.code(with: call) {
                Issue.record("\(file.path):\(number) calls \(call): \(reason)")
            }
        }
    }

    @Test("Each unchecked promise says why it is safe")
    func uncheckedPromises() {
        for file in SourceTree.sources {
            for (number, _) in file.code(with: "@unchecked Sendable") + file.code(with: "nonisolated(unsafe)") {
                #expect(file.isExplained(number, by: "Safety:", linesAbove: 8), "\(file.path):\(number)")
            }
        }
    }

    @Test("Each error that is dropped has its reason beside it")
    func droppedErrors() {
        for file in SourceTree.sources {
            for (number, line) in file.code(with: "try? ") where line.contains(#/\btry\? /#) {
                #expect(file.isExplained(number), "\(file.path):\(number) drops an error without a word")
            }
        }
    }

    @Test("No file or folder is a drawer, and no type has its target's name")
    func names() {
        let drawers = ["Util", "Extras", "Helper", "Common", "Manager", "Misc"]
        for file in SourceTree.sources {
            for drawer in drawers { #expect(!file.path.contains(drawer), "\(file.path)") }
            let declaration = #"\b(struct|class|enum|actor|protocol)\s+\#(file.target)\b"#
            for (number, line) in file.code(with: file.target) {
                let isClash = line.range(of: declaration, options: .regularExpression) != nil
                #expect(!isClash, "\(file.path):\(number) declares a type with its target's name")
            }
        }
    }

    @Test("The top level holds what the project's shape allows")
    func topLevel() throws {
        let allowed: Set = [
            "Package.swift", "Sources", "Tests", "Themes", "README.md", "Package.resolved",
        ]
        let found = try FileManager.default.contentsOfDirectory(atPath: SourceTree.package.path)
        #expect(found.filter { !$0.hasPrefix(".") && !allowed.contains($0) } == [])
    }
}
