import CLI
import EngineAPI
import Glibc
import Linux

InheritedState.normalize()
// A closed pipe is an error of the write that finds it, not the end of the program.
signal(SIGPIPE, SIG_IGN)
exit(await Program.run(Array(CommandLine.arguments.dropFirst())))
