import Testing

/// docker's SDK for Python, through what it offers to programs.
@Suite(
    .enabled(if: RunningDaemon.missing == nil, "not there: \(RunningDaemon.missing ?? "")"), .serialized,
    .timeLimit(.minutes(5)))
struct DockerSDKTests {
    /// Those of the machine's Pythons that have the SDK.
    private static func pythons() async throws -> [String] {
        var found: [String] = []
        for path in ["/usr/bin/python3", "/root/.pyenv/shims/python3"] where Tool.isThere(path) {
            let tried = try await Tool(path: path, arguments: ["-c", "import docker"], environment: ["HOME": "/root"])
                .run()
            if tried.code == 0 { found.append(path) }
        }
        return found
    }

    @Test("Containers, images, exec, attach, archives, events, stats, networks and volumes by docker's SDK")
    func walk() async throws {
        let daemon = try await RunningDaemon()
        let pythons = try await Self.pythons()
        if pythons.isEmpty { print("skipped: no python3 with docker's SDK (python3-docker)") }
        for path in pythons {
            let result = try await Tool(
                path: path, arguments: ["-c", Self.script, "unix://\(daemon.socketPath)"],
                environment: ["HOME": "/root"]
            ).run()
            #expect(result.code == 0 && result.output.hasSuffix("all is well\n"), "\(result.output)\(result.errors)")
        }
        try await daemon.end()
    }

    @Test(
        "A program of websockets attaches by the Unix socket, and docker's SDK by TCP",
        .enabled(if: Tool.isThere("/usr/bin/python3"), "needs python3"))
    func webSockets() async throws {
        let python = Tool(path: "/usr/bin/python3", arguments: ["-c", "import docker, websocket"])
        guard try await python.run().code == 0 else {
            return print("skipped: no python3-websocket and python3-docker")
        }
        let daemon = try await RunningDaemon(["-H", "tcp://127.0.0.1:0", "--unsafe-plain-tcp"])
        let words = ["-c", Self.webSocketScript, daemon.socketPath, "tcp://127.0.0.1:\(try daemon.port)"]
        let result = try await Tool(path: python.path, arguments: words).run()
        #expect(result.code == 0 && result.output.hasSuffix("all is well\n"), "\(result.output)\(result.errors)")
        try await daemon.end()
    }

    private static let webSocketScript = #"""
        import docker, socket, sys, websocket
        client = docker.DockerClient(base_url=sys.argv[2], timeout=60)

        def said(connection, wanted):
            got = b''
            while len(got) < len(wanted):
                piece = connection.recv()
                assert piece, 'the end after %r' % got
                got += piece.encode() if isinstance(piece, str) else piece
            assert got == wanted, '%r is not %r' % (got, wanted)

        def ask(connection, box):
            connection.send_binary(b'one\n')
            said(connection, b'one\n')
            connection.send(('x' * 100000) + '\n')
            said(connection, b'x' * 100000 + b'\n')
            box.kill()
            assert not connection.recv(), 'something after the end'
            connection.close()

        for way in 'unix', 'tcp':
            box = client.containers.run('gantry/starter', 'cat', detach=True, stdin_open=True, network_mode='none')
            if way == 'tcp':
                connection = box.attach_socket(params={'stdin': 1, 'stdout': 1, 'stream': 1}, ws=True)
            else:
                plain = socket.socket(socket.AF_UNIX)
                plain.connect(sys.argv[1])
                target = 'ws://localhost/v1.51/containers/%s/attach/ws?stream=1&stdin=1&stdout=1' % box.id
                connection = websocket.create_connection(target, socket=plain)
            connection.settimeout(60)
            ask(connection, box)
            box.remove(force=True)
        try:
            websocket.create_connection('%s/v1.51/events' % sys.argv[2].replace('tcp', 'ws'), origin='http://site')
            raise SystemExit('a page of another site was let in')
        except websocket.WebSocketBadStatusException as refusal: assert refusal.status_code == 403, refusal
        print('all is well')
        """#

    private static let script = #"""
        import docker, io, sys, tarfile, threading, time, socket
        client = docker.DockerClient(base_url=sys.argv[1], timeout=60)
        api, run = client.api, client.containers.run
        IMAGE = 'gantry/starter'

        def same(found, wanted):
            assert found == wanted, '%r is not %r' % (found, wanted)

        def raises(kind, action):
            try: action()
            except kind as error: return error
            raise AssertionError('%s was not raised' % kind)

        assert client.ping() and client.version()['ApiVersion'] == '1.51' and client.info()['OSType'] == 'linux'
        assert {'Images', 'Containers', 'Volumes', 'BuildCache'} <= set(client.df())
        same(run(IMAGE, 'echo hi', remove=True, network='none'), b'hi\n')
        same(run(IMAGE, ['sh', '-c', 'echo e >&2'], stdout=False, stderr=True, remove=True, network='none'), b'e\n')
        failure = raises(docker.errors.ContainerError,
                         lambda: run(IMAGE, ['sh', '-c', 'exit 3'], remove=True, network='none'))
        same(failure.exit_status, 3)
        raises(docker.errors.NotFound, lambda: client.containers.get('nosuch'))
        raises(docker.errors.ImageNotFound, lambda: client.images.get('nosuch:1'))
        raises(docker.errors.APIError, lambda: client.images.build(fileobj=io.BytesIO(b'FROM x')))
        raises(docker.errors.APIError, lambda: client.images.pull('127.0.0.1:1/x', '1'))

        box = run(IMAGE, ['sh', '-c', 'echo out; echo err >&2; exec sleep 1000'], detach=True, name='box',
                  labels={'k': 'v'}, environment={'A': '1'}, ports={'80/tcp': ('127.0.0.1', None)}, stdin_open=True)
        while box.logs() != b'out\nerr\n': time.sleep(0.02)
        same([one.name for one in client.containers.list(filters={'label': 'k=v'})], ['box'])
        box.reload()
        same(box.status, 'running')
        assert box.ports['80/tcp'][0]['HostIp'] == '127.0.0.1'
        same(next(box.logs(stream=True, follow=True)), b'out\n')
        # A line each, though they were written as one.
        said = run(IMAGE, ['sh', '-c', 'printf "a\\nb\\nc\\n"'], detach=True)
        said.wait()
        same(list(said.logs(stream=True)), [b'a\n', b'b\n', b'c\n'])
        said.remove()
        # The SDK itself loses what comes in one piece with the answer's head: asked again, as its users do.
        assert any(box.attach(logs=True, stream=False) == b'out\nerr\n' for _ in range(20))
        assert box.logs(tail=1, timestamps=True).endswith(b'Z err\n')
        # The shell has said all before it becomes another program.
        while box.top()['Processes'][0][-1] != 'sleep 1000': time.sleep(0.02)
        same(box.stats(stream=False)['name'], '/box')
        same(next(box.stats(stream=True, decode=True))['name'], '/box')

        # Short-lived ones again and again: what they say in one piece with the answer's head must not be lost.
        for _ in range(30): same(box.exec_run('echo in').output, b'in\n')
        same(box.exec_run(['sh', '-c', 'echo o; echo e >&2'], demux=True).output, (b'o\n', b'e\n'))
        same(b''.join(box.exec_run('echo s', stream=True).output), b's\n')
        same(box.exec_run('sh -c "echo $B; pwd"', environment={'B': '2'}, workdir='/tmp').output, b'2\n/tmp\n')
        same(box.exec_run('tty', tty=True).output, b'/dev/pts/0\r\n')
        same(box.exec_run('sh -c "exit 4"').exit_code, 4)
        ident = api.exec_create(box.id, 'cat', stdin=True)['Id']
        stream = api.exec_start(ident, socket=True)
        stream._sock.sendall(b'abc')
        stream._sock.shutdown(socket.SHUT_WR)
        answer = b''
        while True:
            piece = stream.read(100)
            if not piece: break
            answer += piece
        same(answer, b'\x01\0\0\0\0\0\0\x03abc')
        same(api.exec_inspect(ident)['ExitCode'], 0)

        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode='w') as archive:
            entry = tarfile.TarInfo('f')
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b'abc'))
        assert box.put_archive('/tmp', packed.getvalue())
        pieces, stat = box.get_archive('/tmp/f')
        same((stat['name'], stat['size']), ('f', 3))
        same(tarfile.open(fileobj=io.BytesIO(b''.join(pieces))).extractfile('f').read(), b'abc')
        assert {'Path': '/tmp/f', 'Kind': 1} in box.diff()
        assert len(b''.join(box.export())) > 1 << 20

        box.rename('chest')
        box.update(mem_limit='64m', memswap_limit='128m', cpu_shares=100)
        box.pause(); box.unpause(); box.restart(timeout=0); box.kill('KILL')
        same(box.wait()['StatusCode'], 137)
        box.start(); box.stop(timeout=0)
        box.remove(v=True)
        raises(docker.errors.NotFound, box.reload)

        live = client.events(decode=True, filters={'event': 'create'})
        maker = threading.Timer(0.2, lambda: client.containers.create(IMAGE, 'true', name='seen').remove())
        maker.start()
        event = next(live)
        live.close(); maker.join()
        same((event['Action'], event['Actor']['Attributes']['name']), ('create', 'seen'))

        image = client.images.get(IMAGE)
        assert image.tag('copy', '1')
        data = b''.join(client.images.get('copy:1').save(named=True))
        client.images.remove('copy:1')
        assert 'copy:1' in sum((one.tags for one in client.images.load(data)), [])
        client.images.remove('copy:1')
        assert len(image.history()) >= 1

        volume = client.volumes.create('box', labels={'a': 'b'})
        same([one.name for one in client.volumes.list(filters={'label': 'a=b'})], ['box'])
        same(run(IMAGE, 'sh -c "echo x > /d/f; cat /d/f"', volumes={'box': {'bind': '/d', 'mode': 'rw'}},
                 remove=True, network='none'), b'x\n')
        volume.remove()

        pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet='10.213.78.0/24')])
        network = client.networks.create('line', driver='bridge', ipam=pool)
        host = run(IMAGE, 'sleep 1000', detach=True, network='line')
        network.reload()
        same([one.id for one in network.containers], [host.id])
        network.disconnect(host)
        network.connect(host, ipv4_address='10.213.78.9', aliases=['al'])
        host.reload()
        same(host.attrs['NetworkSettings']['Networks']['line']['IPAddress'], '10.213.78.9')
        host.remove(force=True)
        network.remove()
        same(client.plugins.list(), [])
        same(raises(docker.errors.APIError, lambda: client.nodes.list()).status_code, 503)
        client.close()
        print('all is well')
        """#
}
