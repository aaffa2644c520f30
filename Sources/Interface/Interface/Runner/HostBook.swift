import EngineAPI

/// The engines that the front end can be on: docker's contexts. Given by the program.
package struct HostBook: Sendable {
    /// An engine by its context.
    package struct Entry: Hashable, Sendable {
        let name: String
        let address: String

        /// - Parameter address: what the context says; empty for the engine here.
        package init(name: String, address: String) {
            self.name = name
            self.address = address
        }
    }

    /// All of them, the default first.
    package typealias List = @Sendable () async throws(EngineError) -> [Entry]
    /// An engine by its context's name. It need not have been spoken to.
    package typealias Connect = @Sendable (_ name: String) async throws(EngineError) -> any Engine

    /// Whose engine the front end begins with: a context's name, or an address.
    let current: String
    let list: List
    let connect: Connect

    package init(current: String, list: @escaping List, connect: @escaping Connect) {
        self.current = current
        self.list = list
        self.connect = connect
    }
}
