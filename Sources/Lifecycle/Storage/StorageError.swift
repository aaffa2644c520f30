import CSQLite

/// Why the metadata could not be read or written.
package struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// The disk has no space left, or the user's quota none.
        case full
        /// Another program holds the file.
        case busy
        /// A name is taken: the row would have broken a rule of uniqueness.
        case duplicate
        /// The file is no database, or a broken one.
        case corrupt
        /// A later version of this program wrote the file.
        case newer
        /// Not permitted, or the file system is read-only.
        case denied
        case other
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }

    /// Translates what SQLite answers; the words are the kernel's where its code stands for one of the kernel's errors.
    init(_ error: any Error, doing operation: String) {
        if let error = error as? StorageError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.other, "\(operation): \(error)")
            return
        }
        switch error.code {
        case _ where error.isOverQuota: self.init(.full, "\(operation): disk quota exceeded")
        case SQLITE_FULL: self.init(.full, "\(operation): no space left on device")
        case SQLITE_BUSY, SQLITE_LOCKED: self.init(.busy, "\(operation): the database is in use")
        case SQLITE_CONSTRAINT: self.init(.duplicate, "\(operation): \(error.message)")
        case SQLITE_CORRUPT, SQLITE_NOTADB: self.init(.corrupt, "\(operation): \(error.message)")
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH, SQLITE_CANTOPEN:
            self.init(.denied, "\(operation): \(error.message)")
        default: self.init(.other, "\(operation): \(error.message)")
        }
    }
}
