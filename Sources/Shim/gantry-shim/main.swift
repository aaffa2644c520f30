import Glibc
import Rootless
import Shim

let words = CommandLine.arguments
exit(NamespaceHolder.isMeant(words) ? NamespaceHolder.run(arguments: words) : ShimProgram.run(arguments: words))
