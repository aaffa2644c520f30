/// What a key, a click or a line of a menu asks for.
enum Intent: Hashable, Sendable {
    case move(Movement)
    case focus(Panel)
    case nextPanel, previousPanel

    case new, start, stop, restart, pauseOrResume, signals, remove, removeWithVolumes, rename, limits, recreate
    /// Of a recreation that was cut off.
    case endRecreation(CutRecreation.End)
    case attach, shell, shellAsking, logs, inspect
    case kill(signal: String)

    case filter, clearFilter, hideStopped, columns, changeColumn(ContainerColumn.Kind)
    case sortNext, sortReverse, sortMenu, sortBy(ContainerSort), sortList(ListSort.Key)
    /// For what is done next.
    case mark, markAll
    /// What can be done to all containers; to do it.
    case bulk, ofAll(Bulk)
    /// Compose projects.
    case foldProject, groupProjects
    case zoom, largerPanel, smallerPanel
    case actionMenu, palette, copyMenu, copy(String)
    case images, help
    /// To another engine; and leaving what runs here.
    case hosts, useHost(String), leaveForHost(String)
    /// The theme, and the file of keys.
    case settings, useTheme(String), writeKeys
    /// Back, close, give up: whatever is innermost.
    case back
    case cancelJob
    case redraw, suspend
    /// To the end; and without another question about what it cuts off.
    case quit, quitAtOnce

    case accept
    /// Yes to a question.
    case agree
    case nextField, previousField
    /// The order of the processes.
    case nextProcessOrder
    case nextChoice, previousChoice
    case completePath

    case search, nextMatch, previousMatch
    case toggleFollow, toggleTimestamps, toggleWrap
    /// How far back a log is read, and which of its lines are shown.
    case readLog(LogReach), askLogReach, filterLog, clearLogFilter, toggleSurroundings, copyLogLine, saveLog
    /// The line of an inspection or a file.
    case copyLine
    case fold

    case loadImage, removeImage, newFromImage, pullImage, tagImage, inspectImage
    /// Which images, then whether.
    case askImagePrune, pruneImages(all: Bool)
    /// What all takes on the disk; to what a row of it is about; to remove what of it nobody uses.
    case usage, showUsage, pruneUsage
    case events, showEventObject
    case files, openFile, viewFile, parentDirectory, copyFileOut, copyFileIn, copyFilePath, refreshFiles
    /// What differs from the image; to a path of the container.
    case changedFiles, goToFile(String)
    /// What was asked of the engine.
    case commands, showCommand, copyCommand

    /// From an object to what belongs to it; to a row of a list, to a container; what can be copied of a row.
    case related, showObject(ListScreen.Kind, id: String), showContainer(id: String), copyObject
    case networks, volumes, newNetwork, newVolume, removeNetwork, removeVolume, pruneNetworks, pruneVolumes
    case connectContainer, showMember, inspectNetwork, inspectVolume
    /// A published port: in the browser, or copied.
    case openPort, open(String)

    /// One of the user's own, by its name; programs that have the terminal until they have ended.
    case custom(String), runOnTerminal([ProgramRun])
    /// What was odd at the start.
    case notices

    case detach, nextConsole, newExec, scrollConsole, searchConsole, closeConsole, sendLeader
    case markLine, copyLines
}
