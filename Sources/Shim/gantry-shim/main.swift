import Glibc
import Linux
import Rootless
import Shim

InheritedState.normalize()
let words = CommandLine.arguments
if PackingProcess.isMeant(by: words) { exit(PackingProcess.run()) }
if InitProcess.isMeant(by: words) { exit(InitProcess.run(arguments: words)) }
exit(NamespaceHolder.isMeant(words) ? NamespaceHolder.run(arguments: words) : ShimProgram.run(arguments: words))
