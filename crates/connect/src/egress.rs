//! The one way out: the address that is connected to is judged, not the name it came from.
//!
//! A name is resolved once, its addresses are filtered, and the connection goes to exactly one of those left. So neither
//! a spelling (`0x7f.1`), nor a name that points inward, nor one that changes its answer between check and use gets by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::fault::{Fault, FaultKind, Result, far_words};
use crate::limit;

/// IPv4 networks that are not the public internet, and the metadata address of one cloud that lies in it.
const REFUSED_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([168, 63, 129, 16], 32),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// The only IPv6 network that is the public internet today.
const GLOBAL_V6: Ipv6Net = v6(0x2000_0000, 3);

/// Parts of it that are not: Teredo and other protocol assignments, documentation twice, 6to4.
const REFUSED_V6: [Ipv6Net; 4] = [
    v6(0x2001_0000, 23),
    v6(0x2001_0db8, 32),
    v6(0x2002_0000, 16),
    v6(0x3fff_0000, 20),
];

const fn v4(address: [u8; 4], bits: u8) -> Ipv4Net {
    let [a, b, c, d] = address;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

/// A network by its first 32 bits.
const fn v6(start: u32, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_bits((start as u128) << 96), bits)
}

/// Which addresses this server connects to: the public internet, and what the operator adds.
#[derive(Clone, Debug, Default)]
pub struct EgressGuard {
    allow: Vec<IpNet>,
    is_loopback_allowed: bool,
}

impl EgressGuard {
    /// Public addresses only.
    pub fn strict() -> Self {
        Self::default()
    }

    /// Also the networks that the operator lists.
    pub fn allowing(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.allow.extend(networks);
        self
    }

    /// Also `127.0.0.0/8` and `::1`: for development and tests.
    pub fn allowing_loopback(mut self) -> Self {
        self.is_loopback_allowed = true;
        self
    }

    /// Whether `address` may be connected to.
    ///
    /// An IPv6 address that embeds an IPv4 one is refused, wherever it leads, unless a listed network holds it. The
    /// mapped form `::ffff:a.b.c.d` may also be listed as what it is, `a.b.c.d`.
    pub fn allows(&self, address: IpAddr) -> bool {
        let mapped = match address {
            IpAddr::V6(six) => six.to_ipv4_mapped(),
            IpAddr::V4(_) => None,
        };
        let is_listed = |ip: IpAddr| self.allow.iter().any(|network| network.contains(&ip));
        if is_listed(address) || mapped.is_some_and(|four| is_listed(IpAddr::V4(four))) {
            return true;
        }
        if self.is_loopback_allowed && address.is_loopback() {
            return true;
        }
        match address {
            IpAddr::V4(four) => !REFUSED_V4.iter().any(|network| network.contains(&four)),
            IpAddr::V6(six) => {
                GLOBAL_V6.contains(&six)
                    && !is_isatap(six)
                    && !REFUSED_V6.iter().any(|network| network.contains(&six))
            }
        }
    }

    /// Resolves `host` (a name, or an address with or without brackets), connects to the first allowed address that
    /// answers, and says which one that was. `timeout` covers all of it.
    pub async fn dial(
        &self,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<(TcpStream, SocketAddr)> {
        let deadline = Instant::now() + timeout;
        let addresses = tokio::time::timeout_at(deadline, self.resolve(host, port))
            .await
            .map_err(|_| Fault::timeout("looking up the host name"))??;
        self.connect(&addresses, deadline).await
    }

    /// The allowed addresses of `host`, at least one. [`FaultKind::AddressNotAllowed`] if it has none but others.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>> {
        let found = look_up(host, port).await?;
        let allowed: Vec<_> = found
            .iter()
            .copied()
            .filter(|address| self.allows(address.ip()))
            .take(limit::ADDRESSES_TRIED_MAX)
            .collect();
        match (allowed.first(), found.first()) {
            (Some(_), _) => Ok(allowed),
            (None, Some(refused)) => Err(not_allowed(host, refused.ip())),
            (None, None) => Err(Fault::new(
                FaultKind::Unreachable,
                "the host name has no address",
            )),
        }
    }

    /// Connects to the first of `addresses` that answers before `deadline`, sharing the time between them.
    pub(crate) async fn connect(
        &self,
        addresses: &[SocketAddr],
        deadline: Instant,
    ) -> Result<(TcpStream, SocketAddr)> {
        let mut last = Fault::new(FaultKind::Unreachable, "there is no address to connect to");
        for (at, address) in addresses.iter().enumerate() {
            // Judged again, right here, so that no caller can connect to what `resolve` did not let through.
            if !self.allows(address.ip()) {
                return Err(not_allowed("the server", address.ip()));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(addresses.len() - at).unwrap_or(1);
            last = match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    return Ok((stream, *address));
                }
                Ok(Err(error)) => Fault::new(
                    FaultKind::Unreachable,
                    format!("{address} cannot be reached: {error}"),
                )
                .because(error),
                Err(_) => Fault::new(
                    FaultKind::Unreachable,
                    format!("{address} did not answer in time"),
                ),
            };
        }
        Err(last)
    }
}

async fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    match tokio::net::lookup_host((bare, port)).await {
        Ok(found) => Ok(found.collect()),
        Err(error) => {
            let message = format!("the host name {} cannot be resolved", far_words(bare));
            Err(Fault::new(FaultKind::Unreachable, message).because(error))
        }
    }
}

fn not_allowed(host: &str, address: IpAddr) -> Fault {
    let message = format!(
        "{} has the address {address}, which this server does not connect to",
        far_words(host)
    );
    Fault::new(FaultKind::AddressNotAllowed, message)
}

/// ISATAP puts an IPv4 address behind `0000:5efe` or `0200:5efe` in any network.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [.., high, low, _, _] = address.segments();
    matches!(high, 0 | 0x0200) && low == 0x5efe
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_inside_are_refused_in_every_form() {
        let refused = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:7f00:1",
            "::ffff:169.254.169.254",
            "::ffff:8.8.8.8",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::10.0.0.1",
            "100::1",
            "2001::1",
            "2001:0:a9fe:a9fe::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2002:808:808::1",
            "2a00:1450::5efe:10.0.0.1",
            "2a00:1450::200:5efe:127.0.0.1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ];
        for text in refused {
            assert!(!EgressGuard::strict().allows(ip(text)), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.167.255.255",
            "192.0.1.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
            "2001:200::1",
            "2003::1",
        ] {
            assert!(EgressGuard::strict().allows(ip(text)), "{text}");
        }
    }

    #[test]
    fn the_operator_can_open_networks_and_no_more() {
        let guard = EgressGuard::strict()
            .allowing(["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()]);
        for text in ["10.1.2.3", "::ffff:10.1.2.3", "fd12::7", "8.8.8.8"] {
            assert!(guard.allows(ip(text)), "{text}");
        }
        for text in [
            "10.2.0.1",
            "127.0.0.1",
            "::ffff:10.2.0.1",
            "64:ff9b::10.1.2.3",
            "2002:a01:203::",
            "fd13::1",
        ] {
            assert!(!guard.allows(ip(text)), "{text}");
        }
        let guard = EgressGuard::strict().allowing_loopback();
        assert!(guard.allows(ip("127.0.0.1")) && guard.allows(ip("::1")));
        for text in [
            "10.0.0.1",
            "0.0.0.0",
            "::",
            "::ffff:127.0.0.1",
            "169.254.169.254",
        ] {
            assert!(!guard.allows(ip(text)), "{text}");
        }
    }

    #[tokio::test]
    async fn spellings_of_this_machine_are_refused_when_dialled() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0x7f000001",
            "2130706433",
            "017700000001",
            "0177.0.0.1",
            "localhost",
            "[::1]",
            "::1",
            "::ffff:127.0.0.1",
            "[::ffff:7f00:1]",
            "0",
            "0.0.0.0",
            "169.254.169.254",
            "0xa9fea9fe",
            "2852039166",
        ] {
            let fault = EgressGuard::strict()
                .dial(host, 80, Duration::from_secs(5))
                .await
                .unwrap_err();
            assert_eq!(
                fault.kind(),
                &FaultKind::AddressNotAllowed,
                "{host}: {fault}"
            );
            assert!(!fault.is_transient());
        }
    }

    #[tokio::test]
    async fn an_allowed_address_is_connected_to_and_a_dead_one_is_unreachable() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let guard = EgressGuard::strict().allowing_loopback();
        let (_, address) = guard
            .dial("127.0.0.1", port, Duration::from_secs(5))
            .await
            .unwrap();
        assert_eq!(address, listener.local_addr().unwrap());
        drop(listener);
        let fault = guard
            .dial("127.0.0.1", port, Duration::from_secs(5))
            .await
            .unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::Unreachable);
        assert!(fault.is_transient());
    }
}
