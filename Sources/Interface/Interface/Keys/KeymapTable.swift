extension Keymap {
    private static let panels = KeyContext.panels
    private static let lists: Set<KeyContext> = panels.union([
        .scrollback, .logs, .inspect, .help, .images, .networks, .volumes, .usage, .events, .commands,
        .files, .file,
    ])
    /// Screens of text.
    private static let searched: Set<KeyContext> = [.scrollback, .logs, .inspect, .help, .file]
    /// Screens with a list of what the engine has.
    private static let objectLists: Set<KeyContext> = [
        .images, .networks, .volumes, .usage, .events, .commands, .files,
    ]

    private static let markedLists: Set<KeyContext> = [.containers, .images, .networks, .volumes, .files]
    private static let sortedLists: Set<KeyContext> = [.images, .volumes, .files]

    /// In the order of the hint bar. The first line that holds for a key counts.
    package static let table: [KeyBinding] =
        consoleKeys + dialogKeys + containerKeys + screenKeys + movementKeys

    static let containerKeys: [KeyBinding] = [
        KeyBinding("n", panels, "new container", hint: "new", .new),
        KeyBinding("enter", [.containers, .stats, .processes], "attach", when: .isAlive, .attach),
        KeyBinding("enter", [.containers, .stats, .processes], "read the log", when: .hasLogOnly, .logs),
        KeyBinding(
            "enter", [.containers, .stats, .processes], "fold or unfold the compose project", hint: "fold",
            when: .isProject,
            .foldProject),
        KeyBinding("enter", [.console], "type into the console", when: .hasConsole, .attach),
        KeyBinding("a", panels, "attach to the console", hint: "attach", when: .isAlive, .attach),
        KeyBinding("E", panels, "shell in the container (exec)", hint: "shell", when: .isRunning, .shell),
        KeyBinding("ctrl-e", panels, "exec, asking for command and user", when: .isRunning, .shellAsking),
        KeyBinding("S", panels, "start", hint: "start", when: .canStart, .start),
        KeyBinding("s", panels, "stop", hint: "stop", when: .canStop, .stop),
        KeyBinding("r", panels, "restart", when: .hasTargets, .restart),
        KeyBinding("p", panels, "pause or resume", when: .canPause, .pauseOrResume),
        KeyBinding("m", panels, "logs; of marked containers together", hint: "logs", when: .hasTargets, .logs),
        KeyBinding("d delete", panels, "remove", hint: "remove", when: .hasTargets, .remove),
        KeyBinding("D", panels, "remove with its unnamed volumes", when: .hasTargets, .removeWithVolumes),
        KeyBinding("i", panels, "inspect", hint: "inspect", when: .hasContainer, .inspect),
        KeyBinding("f", panels, "files: view, copy out and in", hint: "files", when: .hasContainer, .files),
        KeyBinding("F9", panels, "send a signal", when: .canPause, .signals),
        KeyBinding("space", markedLists, "mark, for what is done next", .mark),
        KeyBinding("*", markedLists, "mark all, or none", .markAll),
        KeyBinding("b", panels, "all containers: remove stopped ones, stop, start", when: .hasContainers, .bulk),
        KeyBinding("R", panels, "rename", when: .hasContainer, .rename),
        KeyBinding("c", panels, "recreate with other settings", when: .hasContainer, .recreate),
        KeyBinding("y", panels, "copy id, name, …", when: .hasContainer, .copyMenu),
        KeyBinding(
            "J", panels.union([.images, .networks, .volumes]),
            "to its image, networks and volumes; to their containers", .related),
        KeyBinding("w", panels, "open a published port in the browser, or copy it", when: .hasPort, .openPort),
    ]

    static let screenKeys: [KeyBinding] = [
        KeyBinding(
            "? F1", panels.union(objectLists).union([.logs, .inspect, .scrollback, .file]), "help", hint: "help", .help),
        KeyBinding("x", panels.union(objectLists), "menu of actions", hint: "menu", .actionMenu),
        KeyBinding("/", panels.union(objectLists), "filter the list", hint: "filter", .filter),
        KeyBinding("u", panels, "change limits and restart policy", hint: "limits", when: .hasContainer, .limits),
        KeyBinding("I", panels, "images: pull, load, tag, remove", hint: "images", .images),
        KeyBinding("N", panels, "networks: members and traffic, create, connect, remove", .networks),
        KeyBinding("V", panels, "volumes: sizes and users, create, remove", .volumes),
        KeyBinding("t", panels, "events: what has happened, as it happens", .events),
        KeyBinding("@", panels, "command log: what was asked of the engine, as docker's command lines", .commands),
        KeyBinding("U", panels.union([.images, .volumes]), "disk usage: what takes room, prune", .usage),
        KeyBinding("H", panels, "engines: go to another of docker's contexts", when: .hasHosts, .hosts),
        KeyBinding("F2", panels, "settings: theme, keys", .settings),
        KeyBinding("z", panels, "zoom the panel", hint: "zoom", .zoom),
        KeyBinding("q F10", panels, "quit; containers run on", hint: "quit", .quit),
        KeyBinding("\\", panels.union(objectLists), "clear the filter", when: .isFiltered, .clearFilter),
        KeyBinding("e", panels, "hide stopped containers", .hideStopped),
        KeyBinding("P", panels, "group by compose project, or not", .groupProjects),
        KeyBinding("o", panels.union(sortedLists), "sort by the next column", .sortNext),
        KeyBinding("F6", panels.union(sortedLists), "sort by a column", .sortMenu),
        KeyBinding("F5", panels, "order of the processes: tree, CPU, memory", .nextProcessOrder),
        KeyBinding("O", panels.union(sortedLists), "reverse the order", .sortReverse),
        KeyBinding("C", panels, "choose the columns", .columns),
        KeyBinding(": ctrl-p", panels, "palette of all commands", .palette),
        KeyBinding("+", panels, "larger panel", .largerPanel),
        KeyBinding("_", panels, "smaller panel", .smallerPanel),
        KeyBinding("tab l right", panels, "next panel", .nextPanel),
        KeyBinding("shift-tab h left", panels, "panel before", .previousPanel),
        KeyBinding("1", panels, "containers", .focus(.containers)),
        KeyBinding("2", panels, "stats", .focus(.stats)),
        KeyBinding("3", panels, "processes", .focus(.processes)),
        KeyBinding("4", panels, "console", .focus(.console)),
        KeyBinding("ctrl-c", lists, "cancel the running job", when: .hasJobs, .cancelJob),
        KeyBinding("esc", panels, "back; cancel the running job", .back),
        KeyBinding("ctrl-l", lists, "redraw", .redraw),
        KeyBinding("ctrl-z", lists, "suspend", .suspend),
    ]

    static let movementKeys: [KeyBinding] = [
        KeyBinding("j down", lists, "down", .move(.down)),
        KeyBinding("k up", lists, "up", .move(.up)),
        KeyBinding("g home", lists, "to the top", .move(.top)),
        KeyBinding("G end", lists, "to the bottom", .move(.bottom)),
        KeyBinding("ctrl-d", lists, "half a page down", .move(.halfDown)),
        KeyBinding("ctrl-u", lists, "half a page up", .move(.halfUp)),
        KeyBinding("pgdn ctrl-f", lists, "a page down", .move(.pageDown)),
        KeyBinding("pgup ctrl-b", lists, "a page up", .move(.pageUp)),
    ]

    private static let consoleKeys: [KeyBinding] = [
        KeyBinding("d", [.leader], "detach; the process runs on", hint: "detach", .detach),
        KeyBinding("n", [.leader], "next console", hint: "next", .nextConsole),
        KeyBinding("c", [.leader], "new exec in this container", hint: "new exec", .newExec),
        KeyBinding("[", [.leader], "scroll and copy", hint: "scroll", .scrollConsole),
        KeyBinding("/", [.leader], "search the scrollback", hint: "search", .searchConsole),
        KeyBinding("z", [.leader], "zoom the console", hint: "zoom", .zoom),
        KeyBinding("q", [.leader], "close this console", hint: "close", .closeConsole),
        KeyBinding("?", [.leader], "help", hint: "help", .help),
        KeyBinding("esc", [.leader], "nothing; back to the console", hint: "back", .back),
        KeyBinding("/", searched, "search", hint: "search", .search),
        KeyBinding("n", searched, "next match", hint: "next", when: .isSearched, .nextMatch),
        KeyBinding("N", searched, "match before", hint: "before", when: .isSearched, .previousMatch),
        KeyBinding("v space", [.scrollback], "mark lines from here", hint: "mark", .markLine),
        KeyBinding("y", [.scrollback], "copy the marked lines, or this one", hint: "copy", .copyLines),
        KeyBinding("q esc", [.scrollback], "back to the console", hint: "back", .back),
        KeyBinding("[", [.console], "scroll and copy", hint: "scroll", when: .hasConsole, .scrollConsole),
        KeyBinding("ctrl-q", [.console], "next console", when: .hasConsole, .nextConsole),
        KeyBinding("ctrl-w", [.console], "close this console", when: .hasConsole, .closeConsole),
    ]

    private static let dialogKeys: [KeyBinding] = [
        KeyBinding("enter", [.filter], "keep the filter", hint: "keep", .accept),
        KeyBinding("esc", [.filter], "drop the filter", hint: "drop", .back),
        KeyBinding("up", [.filter], "up", .move(.up)),
        KeyBinding("down", [.filter], "down", .move(.down)),
        KeyBinding("enter", [.search], "search", hint: "search", .accept),
        KeyBinding("esc", [.search], "give up", hint: "give up", .back),
        KeyBinding("enter", [.form], "do it", hint: "do it", .accept),
        KeyBinding("tab", [.form], "complete the path", hint: "complete", when: .isPath, .completePath),
        KeyBinding("tab down", [.form], "next field", hint: "next", .nextField),
        KeyBinding("shift-tab up", [.form], "field before", hint: "before", .previousField),
        KeyBinding("ctrl-n", [.form], "next choice", .nextChoice),
        KeyBinding("ctrl-p", [.form], "choice before", .previousChoice),
        KeyBinding("esc ctrl-c", [.form], "give up", hint: "give up", .back),
        KeyBinding("enter", [.menu], "choose", hint: "choose", .accept),
        KeyBinding("down ctrl-n tab", [.menu], "down", .move(.down)),
        KeyBinding("up ctrl-p shift-tab", [.menu], "up", .move(.up)),
        KeyBinding("pgdn", [.menu], "a page down", .move(.pageDown)),
        KeyBinding("pgup", [.menu], "a page up", .move(.pageUp)),
        KeyBinding("esc ctrl-c", [.menu], "close", hint: "close", .back),
        KeyBinding("y", [.confirmation], "yes", hint: "yes", .agree),
        KeyBinding("n q esc ctrl-c", [.confirmation], "no", hint: "no", .back),
        KeyBinding("enter space", [.confirmation], "the marked answer", hint: "marked answer", .accept),
        KeyBinding("tab shift-tab left right h l", [.confirmation], "mark the other", hint: "other", .nextChoice),
        KeyBinding(
            "enter", [.logs], "leave the filter for the lines around this one", hint: "around", when: .isLogFiltered,
            .toggleSurroundings),
        KeyBinding("enter", [.logs], "back to the filter", hint: "filter", when: .hasLeftFilter, .toggleSurroundings),
        KeyBinding("F", [.logs], "follow", hint: "follow", .toggleFollow),
        KeyBinding(
            "t", [.logs], "timestamps: of one's zone, of UTC, how long ago, none", hint: "times", .toggleTimestamps),
        KeyBinding("w", [.logs], "wrap long lines", hint: "wrap", .toggleWrap),
        KeyBinding(
            "f &", [.logs], "show only lines with words, without !words, or of a /regex/", hint: "filter", .filterLog),
        KeyBinding("\\", [.logs], "clear the filter", when: .isLogFiltered, .clearLogFilter),
        KeyBinding("s", [.logs], "how far back", hint: "since", .askLogReach),
        KeyBinding("0", [.logs], "the whole log", .readLog(.whole)),
        KeyBinding("S", [.logs], "save the lines shown to a file", hint: "save", .saveLog),
        KeyBinding("y", [.logs], "copy the line", .copyLogLine),
        KeyBinding("z enter space", [.inspect], "fold or unfold", hint: "fold", .fold),
        KeyBinding(
            "y", [.inspect, .file], "copy the value, or all of the section; of a file the line", hint: "copy", .copyLine
        ),
        KeyBinding("p", [.images], "pull from a registry", hint: "pull", .pullImage),
        KeyBinding("L", [.images], "load an archive", hint: "load", .loadImage),
        KeyBinding("n enter", [.images], "new container from it", hint: "new", .newFromImage),
        KeyBinding(
            "i", [.images], "inspect: what it runs, how it was made", hint: "inspect", when: .hasImage, .inspectImage),
        KeyBinding("t", [.images], "give it a further name", hint: "tag", when: .hasImage, .tagImage),
        KeyBinding("d delete", [.images], "remove the name, with the last one the image", hint: "remove", .removeImage),
        KeyBinding("P", [.images], "remove those that nobody uses", hint: "prune", .askImagePrune),
        KeyBinding("n", [.networks], "new network", hint: "new", .newNetwork),
        KeyBinding("c", [.networks], "connect a container", hint: "connect", .connectContainer),
        KeyBinding(
            "d delete", [.networks], "disconnect the container", hint: "disconnect", when: .isMember, .removeNetwork),
        KeyBinding("d delete", [.networks], "remove the network", hint: "remove", when: .isNoMember, .removeNetwork),
        KeyBinding("i", [.networks], "inspect the network, or the container", hint: "inspect", .inspectNetwork),
        KeyBinding("P", [.networks], "remove those that nobody uses", hint: "prune", .pruneNetworks),
        KeyBinding("enter", [.networks], "to the container", hint: "container", when: .isMember, .showMember),
        KeyBinding("enter", [.events], "to the event's object", hint: "show", .showEventObject),
        KeyBinding("enter", [.commands], "the whole command and its result", hint: "show", .showCommand),
        KeyBinding("y", [.commands], "copy the command, or its result", hint: "copy", .copyCommand),
        KeyBinding("enter right l", [.files], "open the directory, or show the file", hint: "open", .openFile),
        KeyBinding("backspace left h", [.files], "directory above", hint: "up", .parentDirectory),
        KeyBinding("v", [.files], "show the file", .viewFile),
        KeyBinding("c", [.files], "copy to this machine", hint: "copy out", .copyFileOut),
        KeyBinding("i", [.files], "copy from this machine to here", hint: "copy in", .copyFileIn),
        KeyBinding("y", [.files], "copy the path's name", .copyFilePath),
        KeyBinding("D", [.files], "all that differs from the image", hint: "changed", .changedFiles),
        KeyBinding("ctrl-r", [.files], "read the directory again", .refreshFiles),
        KeyBinding("enter", [.usage], "to the object, or to the small ones", hint: "show", .showUsage),
        KeyBinding("P", [.usage], "remove what nobody uses", hint: "prune", .pruneUsage),
        KeyBinding("n", [.volumes], "new volume", hint: "new", .newVolume),
        KeyBinding("d delete", [.volumes], "remove the volume", hint: "remove", .removeVolume),
        KeyBinding("enter", [.volumes], "to the containers that have it", hint: "containers", .related),
        KeyBinding("y", [.images, .networks, .volumes, .usage, .events], "copy name, id, …", .copyObject),
        KeyBinding("i", [.volumes], "inspect the volume", hint: "inspect", .inspectVolume),
        KeyBinding("P", [.volumes], "remove those that nobody uses", hint: "prune", .pruneVolumes),
        KeyBinding("esc q", objectLists.union([.logs, .inspect, .help, .file]), "back", hint: "back", .back),
        KeyBinding("left", [.logs, .inspect, .file], "to the left", .previousChoice),
        KeyBinding("right", [.logs, .inspect, .file], "to the right", .nextChoice),
    ]
}
