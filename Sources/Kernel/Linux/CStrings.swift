import Glibc

/// Calls `body` with a null-terminated vector of C strings, as execve(2) takes it; it is freed afterwards.
///
/// Plain memory, and no result: a type of vectors, or a body for any type, is made by Swift's runtime at its first use,
/// which a process that is about to become another program would pay for as much as for the execution itself.
package func withCStrings(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Void) {
    let vector = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
    for index in strings.indices { vector[index] = strdup(strings[index]) }
    vector[strings.count] = nil
    defer {
        for index in strings.indices { free(vector[index]) }
        vector.deallocate()
    }
    body(vector)
}
