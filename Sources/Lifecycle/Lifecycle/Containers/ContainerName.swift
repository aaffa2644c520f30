import EngineAPI

/// Names of containers.
package enum ContainerName {
    /// - Throws: `invalid` for a name that docker would not take.
    package static func check(_ name: String) throws(EngineError) {
        let bytes = Array(name.utf8)
        let isValid =
            bytes.count > 1 && bytes[0].isAlphanumeric
            && bytes.allSatisfy { $0.isAlphanumeric || [UInt8(ascii: "_"), 46, 45].contains($0) }
        guard isValid else {
            throw EngineError(
                .invalid, "Invalid container name (\(name)), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", object: name)
        }
    }

    package static func inUse(_ name: String, by id: String) -> EngineError {
        EngineError(
            .conflict,
            "Conflict. The container name \"/\(name)\" is already in use by container \"\(id)\". "
                + "You have to remove (or rename) that container to be able to reuse that name.", object: name)
    }

    /// A name made up of two words; `attempt` above 0 adds a digit, as the words may be used up.
    package static func makeUp(attempt: Int) -> String {
        var random = SystemRandomNumberGenerator()
        let left = adjectives[Int.random(in: 0..<adjectives.count, using: &random)]
        let right = nouns[Int.random(in: 0..<nouns.count, using: &random)]
        return attempt == 0 ? "\(left)_\(right)" : "\(left)_\(right)\(Int.random(in: 0...9, using: &random))"
    }

    private static let adjectives = [
        "amber", "ample", "balmy", "bold", "brisk", "calm", "candid", "cheery", "civil", "clever", "cosy", "crisp",
        "daring", "deft", "eager", "early", "fabled", "fair", "fleet", "fond", "frank", "gentle", "glad", "golden",
        "grand", "hardy", "humble", "ideal", "jolly", "keen", "kind", "lively", "lofty", "loyal", "lucid", "lucky",
        "mellow", "merry", "mild", "modest", "neat", "nimble", "noble", "patient", "placid", "plucky", "polite",
        "proud", "quick", "quiet", "rapid", "ready", "robust", "rosy", "serene", "sharp", "silent", "silver", "sleek",
        "smart", "snug", "solid", "spry", "steady", "stout", "sturdy", "sunny", "swift", "tidy", "trusty", "upbeat",
        "vivid", "warm", "wise", "witty", "young", "zesty",
    ]

    private static let nouns = [
        "anchor", "arch", "badger", "barge", "beacon", "beam", "birch", "bollard", "boom", "bridge", "buoy", "cable",
        "canal", "capstan", "cedar", "chain", "coaster", "compass", "crane", "crate", "derrick", "dock", "dolphin",
        "ferry", "fjord", "gannet", "gantry", "girder", "grain", "gull", "harbour", "hatch", "hawser", "heron",
        "hoist", "hook", "hull", "jetty", "keel", "ketch", "lantern", "lever", "lighter", "lock", "mast", "mole",
        "osprey", "otter", "packet", "pallet", "petrel", "pier", "pilot", "plover", "pulley", "puffin", "quay",
        "rail", "reef", "rigger", "rope", "rudder", "sail", "schooner", "seal", "shackle", "siding", "sloop",
        "spindle", "stevedore", "strait", "tackle", "tender", "tern", "tide", "trolley", "truss", "tug", "wharf",
        "winch", "yard",
    ]
}
