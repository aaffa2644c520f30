import Testing

@testable import Networking

/// Firewalls of others, as nft(8) lists them.
struct ForwardChainTests {
    private static let listing = """
        table ip nat {
        \tchain POSTROUTING {
        \t\ttype nat hook postrouting priority srcnat; policy accept;
        \t}
        }
        table ip filter {
        \tchain FORWARD {
        \t\ttype filter hook forward priority filter; policy drop;
        \t}
        \tchain INPUT {
        \t\ttype filter hook input priority filter; policy drop;
        \t}
        \tchain DOCKER-USER {
        \t}
        }
        table ip6 filter {
        \tchain FORWARD {
        \t\ttype filter hook forward priority filter; policy accept;
        \t}
        }
        table inet firewalld {
        \tchain filter_FORWARD {
        \t\ttype filter hook forward priority filter + 10; policy accept;
        \t}
        }
        table inet gantry {
        \tchain forward {
        \t\ttype filter hook forward priority filter; policy drop;
        \t}
        }
        table bridge mine {
        \tchain forward {
        \t\ttype filter hook forward priority filter; policy drop;
        \t}
        }
        """

    @Test("Chains that drop what is forwarded are found, and only those")
    func dropping() {
        #expect(
            ForwardChain.dropping(in: Self.listing, except: "gantry") == [
                ForwardChain(family: "ip", table: "filter", name: "FORWARD"),
                ForwardChain(family: "inet", table: "firewalld", name: "filter_FORWARD"),
            ])
        #expect(ForwardChain.dropping(in: "", except: "gantry") == [])
        #expect(ForwardChain.dropping(in: "chain x\ntable\n hook", except: "gantry") == [])
    }

    @Test(
        "A table that names the bridge, or a beginning of its name, lets it through",
        arguments: [
            ("\t\tiifname \"gantry0\" accept", true), ("\t\toifname \"gantry*\" counter accept", true),
            ("\t\tiifname { \"eth0\", \"gantry0\" } accept", true), ("\t\toifname \"gantry1\" accept", false),
            ("\t\tcomment \"gantry0\"", false), ("", false),
        ])
    func names(rule: String, lets: Bool) {
        #expect(ForwardChain.names("gantry0", in: ForwardChain.devices(in: rule)) == lets)
    }

    @Test("The warning says what helps, in the words of who looks after the chain")
    func remedy() {
        let chain = ForwardChain(family: "ip", table: "filter", name: "FORWARD")
        let plain = chain.warning(
            "gantry0", network: "bridge", keeper: chain.keeper(rules: "chain FORWARD {"), seesBridges: false)
        #expect(plain.hasSuffix("nft insert rule ip filter FORWARD oifname gantry0 accept"))
        let beside = chain.warning(
            "gantry0", network: "bridge", keeper: chain.keeper(rules: Self.listing), seesBridges: true)
        #expect(beside.contains("nft insert rule ip filter DOCKER-USER iifname gantry0 accept"))
        #expect(beside.contains("nor do its containers each other"))
        let rules = "chain ufw-user-forward {\n}\nchain DOCKER-USER {\n}"
        let ufw = chain.warning("gantry0", network: "bridge", keeper: chain.keeper(rules: rules), seesBridges: false)
        #expect(ufw.hasSuffix("ufw route allow in on gantry0; ufw route allow out on gantry0"))
        #expect(ufw.contains("none reaches it"))
        let other = ForwardChain(family: "inet", table: "firewalld", name: "filter_FORWARD")
        let zone = other.warning("gantry0", network: "bridge", keeper: other.keeper(rules: ""), seesBridges: false)
        #expect(!zone.contains("none reaches it"))
        #expect(
            zone.hasSuffix("firewall-cmd --permanent --zone=trusted --add-interface=gantry0; firewall-cmd --reload"))
    }
}
