import Glibc
import Runtime

exit(Invocation.main(CommandLine.arguments))
