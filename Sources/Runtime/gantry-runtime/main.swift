import CStart
import Glibc
import Linux
import Runtime

/// Before anything looks at the environment.
func begin() -> KernelError? {
    var number: Int32 = 0
    guard let call = gantry_started(&number) else { return nil }
    return KernelError(String(cString: call), "/proc/self/exe", Errno(rawValue: number))
}

exit(Invocation.main(sealingFailure: begin(), CommandLine.arguments))
