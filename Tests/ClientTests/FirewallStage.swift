import Testing

/// A machine of its own beside another one: namespaces of network, mounts and processes in which a firewall of Debian's
/// runs as it comes, an engine and a container with a published port. All of it ends with the script.
struct FirewallStage {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case ufw, firewalld

        var program: String { "/usr/sbin/\(rawValue)" }
        var testDescription: String { rawValue }
    }

    /// What was tried, and whether it came about.
    struct Report {
        /// By moment and attempt, `before out`: what was answered, empty for nothing.
        var answers: [String: String] = [:]
        /// By moment: the warnings of `gantry info`.
        var warnings: [String: [String]] = [:]
        /// What `run` said when the container with the port was made.
        var runWarnings: [String] = []
        var log = ""
    }

    let kind: Kind

    /// - Parameter root: of the engine; removed by the caller.
    func play(root: String) async throws -> Report {
        let words = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
        let tool = Tool(
            path: "/usr/bin/unshare",
            arguments: words + ["bash", "-c", Self.script, "stage", kind.rawValue, Tool.gantry, root])
        let result = try await tool.run()
        var report = Report()
        report.log = result.output + result.errors
        for line in result.output.split(separator: "\n").map(String.init) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { continue }
            let names = parts[0].split(separator: " ").map(String.init)
            switch names.first {
            case "answer": report.answers[names.dropFirst().joined(separator: " ")] = parts[1]
            case "warning": report.warnings[names[1], default: []].append(parts[1])
            case "run": report.runWarnings.append(parts[1])
            default: break
            }
        }
        return report
    }

    /// Words: which firewall, the program gantry, the engine's root.
    private static let script = #"""
        set -u
        kind=$1 root=$3
        gantry() { "$program" --root "$root" "$@"; }
        program=$2
        # What the firewall writes stays here.
        mount -t tmpfs none /mnt
        for place in etc var; do
            mkdir -p /mnt/$place /mnt/.$place
            mount -t overlay none -o lowerdir=/$place,upperdir=/mnt/$place,workdir=/mnt/.$place /$place || exit 1
        done
        mount -t tmpfs none /run
        mkdir -p /run/lock /run/dbus
        ip link set lo up
        # The other machine.
        unshare --net sleep 1000 &
        other=$!
        while [ "$(readlink /proc/$other/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
        ip link add wan0 type veth peer name eth0 netns $other
        ip addr add 192.0.2.1/24 dev wan0
        ip link set wan0 up
        outside() { nsenter -t $other -n "$@"; }
        outside ip addr add 192.0.2.2/24 dev eth0
        outside ip link set eth0 up
        outside ip route add default via 192.0.2.1
        mkdir /mnt/www
        echo elsewhere >/mnt/www/index.html
        outside busybox httpd -f -p 192.0.2.2:9000 -h /mnt/www &
        case $kind in
        ufw) ufw --force enable ;;
        firewalld)
            dbus-daemon --system --fork --nopidfile
            firewalld --nofork --nopid >/mnt/firewalld.log 2>&1 &
            for _ in $(seq 300); do firewall-cmd --state >/dev/null 2>&1 && break; sleep 0.1; done
            firewall-cmd --state
            ;;
        esac
        # Not by the function: its shell would get the signal.
        "$program" --root "$root" daemon >/mnt/daemon.log 2>&1 &
        engine=$!
        for _ in $(seq 300); do [ -S "$root/run/gantry.sock" ] && break; sleep 0.1; done
        fetch() { echo "answer $moment $1=$(shift; "$@" 2>/dev/null | tr -d '\n')"; }
        try() {
            moment=$1
            # Until the server in the container listens.
            for _ in $(seq 50); do busybox wget -qO- http://127.0.0.1:8080/ >/dev/null 2>&1 && break; sleep 0.1; done
            fetch loopback timeout 5 busybox wget -qO- http://127.0.0.1:8080/
            fetch outside outside timeout 3 busybox wget -qO- http://192.0.2.1:8080/
            fetch out gantry exec web timeout 3 wget -qO- http://192.0.2.2:9000/
            fetch neighbour gantry exec peer timeout 3 wget -qO- http://web/
            gantry info 2>&1 | sed -n "s/^WARNING: /warning $moment=/p"
        }
        gantry network create front
        gantry run -d --name peer --network front gantry/starter sleep 1000
        gantry run -d --name web --network front -p 8080:80 gantry/starter \
            sh -c 'mkdir /www && echo inside > /www/index.html && exec httpd -f -h /www' 2>&1 |
            sed 's/^WARNING: /run=/'
        try before
        gantry info 2>&1 | sed -n 's/^WARNING: .* until: //p' | sort -u | tr ';' '\n' |
            while read -r remedy; do $remedy; done
        try after
        case $kind in
        ufw) ufw reload ;;
        firewalld) firewall-cmd --reload ;;
        esac
        try reloaded
        gantry rm -f web peer
        gantry network rm front
        kill $engine
        wait $engine
        exit 0
        """#
}
