import Glibc
import Shim

exit(ShimProgram.run(arguments: CommandLine.arguments))
