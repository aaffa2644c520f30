import EngineAPI

extension ContractCase {
    static let commitCases = [
        ContractCase("An image made from a container has all its changes, and runs as it was told") { scene in
            let engine = scene.engine
            let script = """
                echo text > /new; ln /new /hard; ln -s new /soft; chmod 4755 /new; rm /etc/group; rm -rf /var
                mkdir /var; echo v > /var/v; mkfifo /pipe; mkdir -m 1777 /d; chown 7:8 /d
                """
            let id = try await scene.create(script) { spec in
                spec.environment = ["OWN=1"]
                spec.labels = ["kept": "yes"]
            }
            try await engine.start(id)
            _ = try await engine.wait(id, for: .notRunning)
            var request = ContainerCommitRequest(name: "contract-commit:1")
            (request.author, request.message) = ("somebody", "a word")
            request.changes = [
                "CMD [\"sh\", \"-c\", \"cat /hard /soft /var/*; ls -d /var/*; echo $OWN $GREETING\"]",
                "ENV GREETING=\"good day\"", "LABEL added='a b'", "EXPOSE 80", "WORKDIR /var", "USER 7:8",
            ]
            let image = try await engine.commitContainer(id, request)
            try await Self.removing("contract-commit:1", engine) {
                try await check(image, madeFrom: scene.image, engine)
                let output = try await scene.run("") { spec in
                    spec.image = "contract-commit:1"
                    spec.command = nil
                }
                try expectEqual(output.stdout, "text\ntext\nv\n/var/v\n1 good day\n")
                let checks = """
                    test ! -e /etc/group -a -p /pipe -a $(stat -c %h /new) = 2 -a $(stat -c %a /new) = 4755 \
                    -a "$(stat -c '%a %u %g' /d)" = '1777 7 8'; echo $?; pwd; id -u
                    """
                let second = try await scene.run(checks) { $0.image = image }
                try expectEqual(second.stdout, "0\n/var\n7\n")
            }
        },
        ContractCase(
            "A container that runs is committed while it rests, and runs on; one without changes adds no layer"
        ) {
            scene in
            let engine = scene.engine
            let id = try await scene.start("exec sleep 60")
            let begin = try await engine.inspect(id).state.startedAt
            let image = try await engine.commitContainer(id, ContainerCommitRequest(name: "contract-idle:1"))
            try await Self.removing("contract-idle:1", engine) {
                let layers = try await engine.inspectImage(scene.image).layers
                try expectEqual(try await engine.inspectImage(image).layers, layers)
                try expectEqual(try await engine.inspect(id).state.status, .running)
                var events = EventRequest()
                (events.since, events.until, events.containers) = (begin, .now(), [id])
                var actions: [String] = []
                for try await event in try await engine.events(events) { actions.append(event.action) }
                try expectEqual(actions.suffix(3), ["pause", "unpause", "commit"])
            }
        },
        ContractCase("A commit with a bad change or name is refused, and makes nothing") { scene in
            let engine = scene.engine
            let id = try await scene.create("true")
            let before = try await engine.images(ImageFilter()).map(\.id)
            for (change, words) in [
                ("RUN true", "RUN is not a valid change command"), ("ENV", "ENV requires at least one argument"),
                ("EXPOSE 99999", "invalid containerPort"), ("STOPSIGNAL NONE", "invalid signal"),
            ] {
                var request = ContainerCommitRequest(name: "contract-bad:1")
                request.changes = [change]
                try await expectRefusal(.invalid, words) { _ = try await engine.commitContainer(id, request) }
            }
            try await expectRefusal(.invalid, "invalid reference format") {
                _ = try await engine.commitContainer(id, ContainerCommitRequest(name: "Not/A Name"))
            }
            try await expectRefusal(.notFound, "No such container: nobody") {
                _ = try await engine.commitContainer("nobody", ContainerCommitRequest())
            }
            try expectEqual(try await engine.images(ImageFilter()).map(\.id), before)
        },
    ]

    private static func check(_ image: String, madeFrom base: String, _ engine: any Engine) async throws {
        let details = try await engine.inspectImage(image)
        try expectEqual(details.summary.tags, ["contract-commit:1"])
        try expectEqual(details.layers.count, try await engine.inspectImage(base).layers.count + 1)
        try expectEqual([details.author, details.comment, details.workingDirectory], ["somebody", "a word", "/var"])
        try expectEqual(details.exposedPorts, ["80/tcp"])
        try expectEqual(details.summary.labels, ["kept": "yes", "added": "a b"])
        try expect(details.environment.contains("OWN=1"), "\(details.environment)")
        let step = try await engine.imageHistory(image)[0]
        try expectEqual(step.comment, "a word")
        try expect(step.sizeBytes > 0, "the step has no size")
    }

    static func removing(_ image: String, _ engine: any Engine, _ body: () async throws -> Void) async throws {
        do { try await body() } catch {
            _ = try await engine.removeImage(image, force: true, prune: true)
            throw error
        }
        // Containers of it may stand: they go with the scene.
        _ = try await engine.removeImage(image, force: true, prune: true)
    }
}
