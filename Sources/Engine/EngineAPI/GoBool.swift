/// Go's strconv.ParseBool: the words for yes and no in docker's options.
package enum GoBool {
    /// Nil for what is no such word.
    package static func parse(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }
}
