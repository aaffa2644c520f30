import Glibc
import JSON
import Linux

/// A helper program that keeps credentials, by docker's protocol: `docker-credential-NAME get`, with the registry on its
/// standard input and JSON on its output. Blocking.
struct CredentialProgram: Hashable, Sendable {
    let name: String

    private static let answerLimitBytes = 1 << 20
    /// What helpers say, with a failure, where they know nothing of a registry.
    private static let notFound = "credentials not found"
    /// The name that marks an identity token in place of a password.
    private static let tokenUser = "<token>"

    func get(_ key: String, _ environment: [String: String]) throws(RegistryError) -> RegistryCredentials? {
        let (status, output) = try run("get", Array(key.utf8), environment)
        guard status == 0 else {
            if output.contains(Self.notFound) { return nil }
            throw failure("get", output)
        }
        let answer: JSONValue
        do throws(JSONError) { answer = try JSONValue(parsing: output) } catch { throw failure("get", "\(error)") }
        guard let user = answer["Username"]?.string, let secret = answer["Secret"]?.string else {
            throw failure("get", "its answer has no Username and Secret")
        }
        if user == Self.tokenUser { return RegistryCredentials(user: "", password: "", identityToken: secret) }
        return RegistryCredentials(user: user, password: secret)
    }

    func store(
        _ credentials: RegistryCredentials, _ key: String, _ environment: [String: String]
    ) throws(RegistryError) {
        let isToken = credentials.identityToken != nil
        let request: JSONValue = [
            "ServerURL": .string(key), "Username": .string(isToken ? Self.tokenUser : credentials.user),
            "Secret": .string(credentials.identityToken ?? credentials.password),
        ]
        let (status, output) = try run("store", request.compactBytes, environment)
        guard status == 0 else { throw failure("store", output) }
    }

    func erase(_ key: String, _ environment: [String: String]) throws(RegistryError) {
        let (status, output) = try run("erase", Array(key.utf8), environment)
        guard status == 0 || output.contains(Self.notFound) else { throw failure("erase", output) }
    }

    private func failure(_ action: String, _ reason: String) -> RegistryError {
        let line = reason.split(whereSeparator: \.isNewline).first.map(String.init) ?? "it failed without a word"
        return RegistryError(.invalid, "credential helper `docker-credential-\(name)` \(action): \(line)")
    }

    private func run(
        _ action: String, _ input: [UInt8], _ environment: [String: String]
    ) throws(RegistryError) -> (status: Int32, output: String) {
        // A name with a slash would run any program that a config file names.
        guard !name.contains("/"), let program = program(environment) else {
            throw failure(action, "executable file not found in $PATH")
        }
        do throws(KernelError) {
            let (theirInput, ourInput) = try Descriptor.pipe()
            let given = OwnedDescriptor(theirInput)
            let writing = OwnedDescriptor(ourInput)
            let (ourOutput, theirOutput) = try Descriptor.pipe()
            let reading = OwnedDescriptor(ourOutput)
            let taken = OwnedDescriptor(theirOutput)
            var spawn = Spawn(program: program, arguments: [program, action])
            spawn.environment = environment.map { "\($0)=\($1)" }
            spawn.descriptors = [theirInput, theirOutput, nil]
            let pid = try spawn.start()
            // Else the answer would have no end.
            given.release().close()
            taken.release().close()
            return try converse(pid, input, writing, reading)
        } catch { throw failure(action, "\(error)") }
    }

    /// The request is far smaller than a pipe: writing it does not wait for the helper to read.
    private func converse(
        _ pid: Int32, _ input: [UInt8], _ writing: consuming OwnedDescriptor, _ reading: borrowing OwnedDescriptor
    ) throws(KernelError) -> (Int32, String) {
        var output: [UInt8] = []
        var failure: KernelError?
        do throws(KernelError) { try writing.descriptor.writeAll(input) } catch { failure = error }
        writing.release().close()
        do throws(KernelError) {
            output = try reading.descriptor.readAll(limitBytes: Self.answerLimitBytes)
        } catch {
            // It says more than any answer is long: it is not waited for.
            kill(pid, SIGKILL)
            failure = error
        }
        var status: Int32 = 0
        try kernelCall("wait for", name) { waitpid(pid, &status, 0) }
        // A helper that failed before it read its input says why in its output.
        if let failure, output.isEmpty { throw failure }
        return (status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f, String(decoding: output, as: UTF8.self))
    }

    private func program(_ environment: [String: String]) -> String? {
        let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/docker-credential-\(name)" }.first { access($0, X_OK) == 0 }
    }
}
