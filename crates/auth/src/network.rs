//! Whether an address lies in the networks from which a credential is taken.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Whether `networks` (CIDR notation or single addresses) admit a caller at `ip`.
///
/// No networks are no bound. A job has no address and is admitted: its creator's address was checked when it was asked
/// for. An entry that cannot be read admits nobody. IPv4 in IPv6 clothes (`::ffff:10.0.0.1`) counts as IPv4 on both sides.
pub fn network_admits(networks: &[String], ip: Option<IpAddr>) -> bool {
    let Some(ip) = ip.map(|ip| ip.to_canonical()) else {
        return true;
    };
    networks.is_empty()
        || networks
            .iter()
            .filter_map(|text| read(text))
            .any(|network| network.contains(&ip))
}

/// Whether the text is a network that [`network_admits`] understands.
pub fn reads_as_network(text: &str) -> bool {
    read(text).is_some()
}

/// Whether every address of the network `inner` lies in one of `outer`. No `outer` is no bound; what cannot be read
/// lies nowhere.
pub fn network_is_within(inner: &str, outer: &[String]) -> bool {
    outer.is_empty()
        || read(inner).is_some_and(|inner| {
            outer
                .iter()
                .filter_map(|text| read(text))
                .any(|outer| outer.contains(&inner))
        })
}

fn read(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    Some(canonical(network))
}

/// `::ffff:a.b.c.d/96+n` as `a.b.c.d/n`.
fn canonical(network: IpNet) -> IpNet {
    let (IpAddr::V4(address), Some(length)) = (
        network.addr().to_canonical(),
        network.prefix_len().checked_sub(96),
    ) else {
        return network;
    };
    match network {
        IpNet::V4(_) => network,
        IpNet::V6(_) => Ipv4Net::new(address, length).map_or(network, IpNet::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(networks: &[&str], ip: &str) -> bool {
        let networks: Vec<String> = networks.iter().map(|&text| text.to_owned()).collect();
        network_admits(&networks, ip.parse().ok())
    }

    #[test]
    fn a_network_within_another_is_no_wider() {
        let outer = ["10.0.0.0/8".to_owned()];
        assert!(network_is_within("10.1.0.0/16", &outer));
        assert!(network_is_within("::ffff:10.1.2.3", &outer));
        assert!(!network_is_within("0.0.0.0/0", &outer));
        assert!(!network_is_within("nonsense", &outer));
        assert!(network_is_within("0.0.0.0/0", &[]));
    }

    #[test]
    fn only_listed_networks_are_admitted() {
        assert!(admits(&["10.0.0.0/8"], "10.1.2.3"));
        assert!(!admits(&["10.0.0.0/8"], "11.1.2.3"));
        assert!(admits(&["192.0.2.1", "2001:db8::/32"], "2001:db8::1"));
        assert!(admits(&["192.0.2.1"], "192.0.2.1"));
        assert!(!admits(&["192.0.2.1"], "192.0.2.2"));
        assert!(!admits(&["0.0.0.0/0"], "2001:db8::1"));
    }

    #[test]
    fn mapped_addresses_count_as_ipv4() {
        assert!(admits(&["10.0.0.0/8"], "::ffff:10.1.2.3"));
        assert!(admits(&["::ffff:10.0.0.0/104"], "10.1.2.3"));
        assert!(!admits(&["::ffff:10.0.0.0/104"], "11.1.2.3"));
        assert!(!admits(&["::/0"], "::ffff:10.1.2.3"));
    }

    #[test]
    fn no_networks_and_no_address_are_no_bound() {
        assert!(admits(&[], "192.0.2.1"));
        assert!(network_admits(&["10.0.0.0/8".to_owned()], None));
    }

    #[test]
    fn what_cannot_be_read_admits_nobody() {
        assert!(!admits(&["everywhere"], "10.0.0.1"));
        assert!(!admits(&["10.0.0.0/33"], "10.0.0.1"));
        assert!(!reads_as_network("10.0.0.0/33"));
        assert!(reads_as_network("2001:db8::/32"));
    }
}
