import EngineAPI
import Terminal

/// What `update` wants done outside of the model.
enum Effect: Hashable, Sendable {
    /// On the engine's side, as tasks.
    case perform(JobID, EngineAction)
    case cancel(JobID)
    case refreshContainers
    case refreshImages
    case refreshNetworks
    /// - Parameter measuring: also what each takes, for which its engine looks at all of its files.
    case refreshVolumes(measuring: Bool)
    case refreshUsage
    /// The journal of the last hours.
    case refreshEvents
    case listFiles(FilePlace)
    /// Where a container differs from its image.
    case readChanges(String)
    /// The directory of a path that is being typed.
    case listPath(PathQuestion)
    case inspect(String, InspectPurpose)
    case inspectObject(InspectedObject)
    /// What a container was made from, to make it anew.
    case readOriginal(String)
    case openConsole(ConsoleID, ConsoleSource, TerminalSize)
    case closeConsole(ConsoleID)
    case consoleInput(ConsoleID, [UInt8])
    case consoleEndOfInput(ConsoleID)
    case consoleResize(ConsoleID, TerminalSize)
    /// The program shall repaint: its window changes by a row and back.
    case consoleRepaint(ConsoleID, TerminalSize)

    /// The engines that there are to choose from; to go to one of them.
    case listHosts
    case connectHost(String)
    /// It need not answer any more.
    case leaveHost

    /// The screen steps aside for them, one after the other.
    case runOnTerminal([ProgramRun])

    /// On the screen, by the main loop.
    case copy(String)
    /// In the desktop's browser.
    case open(String)
    case bell
    case redraw
    case suspend
    case quit
}

/// What a container's details are asked for.
enum InspectPurpose: Hashable, Sendable {
    /// To be read.
    case show
    /// To say why it does not run.
    case explainStop
    case editLimits
}

/// What is read beside containers, by what the engine knows it by.
enum InspectedObject: Hashable, Sendable {
    /// With how it was made.
    case image(String)
    case network(String)
    case volume(String)

    var name: String {
        switch self {
        case .image(let name), .network(let name), .volume(let name): name
        }
    }
}

/// An engine call that changes something; its end is reported as `JobNews`.
enum EngineAction: Hashable, Sendable {
    /// Create, attach, then start, so that no byte of output is lost. Where the start fails, the container is removed
    /// again, and the form can be sent once more.
    case run(ContainerSpec, name: String?, TerminalSize)
    /// In place of one that is there, which is removed once the new one runs, and has its name and place back where
    /// that fails.
    case recreate(Target, ContainerSpec, name: String, TerminalSize)
    /// To its end, or back to its beginning.
    case endRecreation(CutRecreation, CutRecreation.End)
    case start(Target)
    case stop(Target)
    case restart(Target)
    case kill(Target, signal: String)
    case pause(Target)
    case unpause(Target)
    case rename(Target, to: String)
    case update(Target, ContainerUpdate)
    case remove(Target, force: Bool, volumes: Bool)
    case load(path: String)
    /// Into a file of this machine.
    case saveText(path: String, String, replaces: Bool)
    /// A path of a container to a place of this machine.
    case copyOut(Target, path: String, to: String)
    /// From this machine to a path of a container.
    case copyIn(Target, from: String, to: String)
    case removeImage(Target, force: Bool)
    case pull(String)
    case tagImage(Target, as: String)
    /// Those without a name, or all, that no container uses.
    case pruneImages(all: Bool)
    case pruneContainers
    case createNetwork(NetworkSpec)
    case removeNetwork(Target)
    case pruneNetworks
    /// The container is meant by its name.
    case connect(String, to: Target, EndpointSpec)
    case disconnect(Target, from: Target)
    case createVolume(VolumeSpec)
    case removeVolume(String)
    case pruneVolumes
    /// Of this machine, beside the screen.
    case program(ProgramRun)

    /// Whether it is given up where nobody waits for it any more. The others are over soon, or are taken to their end.
    var endsWithItsCaller: Bool {
        switch self {
        case .run, .recreate, .endRecreation, .load, .saveText, .copyOut, .copyIn, .pull, .program: true
        default: false
        }
    }

    /// Whether what it has done so far is undone where it is given up, which takes a while.
    var undoesItself: Bool {
        switch self {
        case .run, .recreate: true
        default: false
        }
    }

    /// The name of a container that was there already and runs once this has succeeded.
    var madeRunning: String? {
        switch self {
        case .start(let target), .restart(let target), .unpause(let target): target.name
        case .endRecreation(let cut, .finish): cut.name
        default: nil
        }
    }

    /// An object by what the engine knows it by, and by what the person does.
    struct Target: Hashable, Sendable {
        var id: String
        var name: String
    }
}

/// Where a console's bytes come from.
enum ConsoleSource: Hashable, Sendable {
    case container(ContainerSource)
    case exec(containerID: String, ExecSpec)
}

/// A container's own stdio.
struct ContainerSource: Hashable, Sendable {
    var id: String
    var isAlive: Bool
    var isTTY: Bool
    /// Output of before is shown from here on; nil for all that the tail holds.
    var replaySince: Timestamp?
    /// The stream was opened before the container was started, and waits.
    var isAlreadyAttached = false
    /// The person asked for it; otherwise it is opened after a moment, since they may only be passing by.
    var isHurried = false
}

/// A console: the container's own stdio, or one exec in it.
enum ConsoleID: Hashable, Sendable {
    case container(String)
    case exec(containerID: String, number: Int)

    var containerID: String {
        switch self {
        case .container(let id), .exec(let id, _): id
        }
    }

    var isExec: Bool {
        if case .exec = self { return true }
        return false
    }
}
