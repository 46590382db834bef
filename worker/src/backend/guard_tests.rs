use super::*;

fn guard(open: &[&str]) -> Guard {
    let open: Vec<IpNet> = open.iter().map(|network| network.parse().unwrap()).collect();
    Guard::new(&open)
}

#[test]
fn only_global_addresses() {
    let guard = guard(&[]);
    for (address, allowed) in [
        ("1.1.1.1", true),
        ("93.184.215.14", true),
        ("172.15.255.255", true),
        ("172.32.0.0", true),
        ("100.63.255.255", true),
        ("100.128.0.0", true),
        ("0.0.0.0", false),
        ("10.1.2.3", false),
        ("100.64.0.1", false),
        ("100.100.100.200", false),
        ("127.0.0.1", false),
        ("127.255.255.254", false),
        ("168.63.129.16", false),
        ("168.63.129.17", true),
        ("169.254.169.254", false),
        ("172.16.0.1", false),
        ("172.31.255.255", false),
        ("192.0.0.192", false),
        ("192.168.1.1", false),
        ("198.19.0.1", false),
        ("224.0.0.1", false),
        ("255.255.255.255", false),
        ("2606:4700:4700::1111", true),
        ("::", false),
        ("::1", false),
        ("::ffff:127.0.0.1", false),
        ("::ffff:169.254.169.254", false),
        ("::ffff:1.1.1.1", true),
        ("::127.0.0.1", false),
        ("::1.1.1.1", false),
        ("64:ff9b::7f00:1", false),
        ("64:ff9b::a9fe:a9fe", false),
        ("64:ff9b::101:101", true),
        ("64:ff9b:1::101:101", false),
        ("2002:7f00:1::", false),
        ("2002:a9fe:a9fe::1", false),
        ("2002:101:101::1", true),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", false),
        ("2001:db8::1", false),
        ("3fff::1", false),
        ("fc00::1", false),
        ("fd00:ec2::254", false),
        ("fe80::1", false),
        ("fec0::1", false),
        ("ff02::1", false),
    ] {
        assert_eq!(guard.allows(address.parse().unwrap()), allowed, "{address}");
    }
}

#[test]
fn the_operator_opens_networks() {
    let guard = guard(&["10.20.0.0/16", "fd00:1::/32", "127.0.0.1/32"]);
    for (address, allowed) in [
        ("10.20.3.4", true),
        ("10.21.3.4", false),
        ("127.0.0.1", true),
        ("127.0.0.2", false),
        ("::ffff:127.0.0.1", true),
        ("64:ff9b::a14:304", true),
        ("fd00:1::5", true),
        ("fd00:2::5", false),
    ] {
        assert_eq!(guard.allows(address.parse().unwrap()), allowed, "{address}");
    }
}

#[test]
fn every_spelling_of_an_address_in_a_url() {
    let guard = guard(&[]);
    for (url, blocked) in [
        ("http://127.0.0.1/", true),
        ("http://127.1:8080/", true),
        ("http://2130706433/", true),
        ("http://0x7f.0.0.1/", true),
        ("http://0177.0.0.1/", true),
        ("http://①②⑦.0.0.1/", true),
        ("http://user@169.254.169.254/latest", true),
        ("http://[::1]/", true),
        ("http://[::ffff:10.0.0.1]/", true),
        ("http://1.1.1.1/", false),
        ("http://[2606:4700:4700::1111]/", false),
        // a name: vetted where it resolves
        ("http://localhost/", false),
    ] {
        assert_eq!(guard.check_literal(&url.parse().unwrap()).is_err(), blocked, "{url}");
    }
}
