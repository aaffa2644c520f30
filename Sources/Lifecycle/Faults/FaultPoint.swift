import Glibc

/// The named steps of everything that must survive the death of this process; tests kill it, or make it fail, there.
package enum FaultPoint: String, CaseIterable, Sendable {
    case createAfterIntent = "create.afterIntent"
    case createAfterRoot = "create.afterRoot"
    case createAfterFiles = "create.afterFiles"
    case createAfterRow = "create.afterRow"
    case startAfterBundle = "start.afterBundle"
    case startAfterTask = "start.afterTask"
    case startAfterStart = "start.afterStart"
    case startAfterRow = "start.afterRow"
    case stopAfterSignal = "stop.afterSignal"
    case stopAfterKill = "stop.afterKill"
    case endBeforeRow = "end.beforeRow"
    case endAfterRow = "end.afterRow"
    case endAfterTask = "end.afterTask"
    case updateAfterIntent = "update.afterIntent"
    case updateAfterLimits = "update.afterLimits"
    case updateAfterRow = "update.afterRow"
    case removeAfterMark = "remove.afterMark"
    case removeAfterRoot = "remove.afterRoot"
    case removeAfterFiles = "remove.afterFiles"
    case removeAfterVolumes = "remove.afterVolumes"
    case removeAfterRow = "remove.afterRow"
    case loadAfterPlan = "load.afterPlan"
    case loadAfterBlobs = "load.afterBlobs"
    case loadAfterLayer = "load.afterLayer"
    case loadAfterRow = "load.afterRow"
    case loadAfterCollection = "load.afterCollection"
    case pullAfterManifest = "pull.afterManifest"
    case pullAfterConfig = "pull.afterConfig"
    case pullAfterLayer = "pull.afterLayer"
    case commitAfterPause = "commit.afterPause"
    case commitAfterLayer = "commit.afterLayer"
    case commitAfterDocuments = "commit.afterDocuments"
    case pushAfterPacking = "push.afterPacking"
    case pushAfterRow = "push.afterRow"
    case removeImageAfterRow = "removeImage.afterRow"
    case removeImageAfterLayers = "removeImage.afterLayers"
    case removeImageAfterBlobs = "removeImage.afterBlobs"
    case networkCreateAfterRow = "networkCreate.afterRow"
    case networkCreateAfterBridge = "networkCreate.afterBridge"
    case networkRemoveAfterRules = "networkRemove.afterRules"
    case networkRemoveAfterBridge = "networkRemove.afterBridge"
    case endpointAfterAddresses = "endpoint.afterAddresses"
    case endpointAfterDevices = "endpoint.afterDevices"
    case endpointAfterPorts = "endpoint.afterPorts"
    case connectAfterIntent = "connect.afterIntent"
    case connectAfterDevice = "connect.afterDevice"
    case connectAfterNames = "connect.afterNames"
    case disconnectAfterIntent = "disconnect.afterIntent"
    case disconnectAfterDevice = "disconnect.afterDevice"
    case disconnectAfterNames = "disconnect.afterNames"
    case disconnectBeforeDeletion = "disconnect.beforeDeletion"
    case volumeCreateAfterDirectory = "volumeCreate.afterDirectory"
    case volumeCreateAfterRow = "volumeCreate.afterRow"
    case volumeFillAfterCopy = "volumeFill.afterCopy"
    case volumeFillAfterWhole = "volumeFill.afterWhole"
    case volumeHoldAfterMount = "volumeHold.afterMount"
    case volumeReleaseBeforeUnmount = "volumeRelease.beforeUnmount"
    case volumeImportAfterBytes = "volumeImport.afterBytes"
    case volumeImportAfterFiles = "volumeImport.afterFiles"
    case volumeRemoveAfterRename = "volumeRemove.afterRename"
    case volumeRemoveAfterRow = "volumeRemove.afterRow"
}

/// What happens at the fault points: nothing, but in tests.
package struct FaultPlan: Sendable {
    private let reached: @Sendable (FaultPoint) -> Void

    /// - Parameter reached: called at each point as it is passed.
    package init(_ reached: @escaping @Sendable (FaultPoint) -> Void) { self.reached = reached }

    package static let none = FaultPlan { _ in }

    /// In a debug build: what `GANTRY_FAULT` says, `create.afterRow:kill`; the process ends there as by `kill -9`.
    package static var fromEnvironment: FaultPlan {
        #if DEBUG
            guard let text = getenv("GANTRY_FAULT").map({ String(cString: $0) }), text.hasSuffix(":kill"),
                let fatal = FaultPoint(rawValue: String(text.dropLast(5)))
            else { return .none }
            return FaultPlan { if $0 == fatal { kill(getpid(), SIGKILL) } }
        #else
            return .none
        #endif
    }

    /// Says that a point is passed; what comes next may never happen.
    package func pass(_ point: FaultPoint) { reached(point) }
}
