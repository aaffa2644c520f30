/// An answer whose body is still to be read. A body that is dropped before its end closes the connection.
package struct HTTPResponse: Sendable {
    package let status: Int
    package let fields: HTTPFields
    package let body: HTTPBody
}

/// The answer to a request that wants the connection for itself.
package enum HijackAnswer: Sendable {
    case hijacked(HTTPFields, HijackedConnection)
    case refused(HTTPResponse)
}
