import CStart
import Glibc
import Linux
import Runtime

/// What the start has met, which is asked before anything looks at the environment.
func begin() -> () -> KernelError? {
    var number: Int32 = 0
    let call = gantry_started(&number)
    return { [number] in
        call.map { KernelError(String(cString: $0), "/proc/self/exe", Errno(rawValue: number)) }
    }
}

/// As `CommandLine.arguments`, without the pages of the standard library that nothing else here needs.
func arguments() -> [String] {
    var count: Int32 = 0
    guard let words = gantry_arguments(&count) else { return [] }
    var texts: [String] = []
    for index in 0..<Int(count) {
        guard let word = words[index] else { break }
        texts.append(String(decoding: UnsafeRawBufferPointer(start: word, count: strlen(word)), as: UTF8.self))
    }
    return texts
}

exit(Invocation.main(sealingFailure: begin(), arguments()))
