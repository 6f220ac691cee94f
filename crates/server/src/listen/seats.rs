use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Metric: connections that hold a seat now.
const OPEN: &str = "bailee_connections_open";

/// Counts open connections, in all and by address.
pub(crate) struct Seats {
    all_max: usize,
    address_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why there was no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Server,
    Address,
}

impl Full {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Address => "address",
        }
    }
}

/// One connection's place; dropping it frees the place.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    host: IpAddr,
}

impl Seats {
    pub(crate) fn new(all_max: usize, address_max: usize) -> Arc<Self> {
        Arc::new(Self {
            all_max,
            address_max,
            taken: Mutex::default(),
        })
    }

    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Seat, Full> {
        let host = host(address);
        let mut taken = self.lock();
        if taken.all >= self.all_max {
            return Err(Full::Server);
        }
        let of_host = taken.by_address.entry(host).or_default();
        if *of_host >= self.address_max {
            return Err(Full::Address);
        }
        *of_host += 1;
        taken.all += 1;
        metrics::gauge!(OPEN).increment(1.0);
        Ok(Seat {
            seats: Arc::clone(self),
            host,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        metrics::gauge!(OPEN).decrement(1.0);
        let mut taken = self.seats.lock();
        taken.all = taken.all.saturating_sub(1);
        if let Some(of_host) = taken.by_address.get_mut(&self.host) {
            *of_host = of_host.saturating_sub(1);
            if *of_host == 0 {
                taken.by_address.remove(&self.host);
            }
        }
    }
}

/// What counts as one address: an IPv4 address however it is written, or the /64 of an IPv6 address.
fn host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn seats_run_out_by_address_and_in_all_and_come_back() {
        let seats = Seats::new(3, 2);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let other: IpAddr = "192.0.2.2".parse().unwrap();
        let first = seats.take(one).ok().unwrap();
        let _second = seats.take(one).ok().unwrap();
        assert_eq!(seats.take(one).err(), Some(Full::Address));
        let _third = seats.take(other).ok().unwrap();
        assert_eq!(seats.take(other).err(), Some(Full::Server));
        drop(first);
        assert!(seats.take(one).is_ok());
        assert_eq!(seats.lock().by_address.len(), 2);
    }

    #[test]
    fn one_host_is_one_address_in_every_spelling() {
        let seats = Seats::new(10, 1);
        let _a = seats.take("192.0.2.1".parse().unwrap()).ok().unwrap();
        assert_eq!(
            seats.take("::ffff:192.0.2.1".parse().unwrap()).err(),
            Some(Full::Address)
        );
        let _b = seats.take("2001:db8::1".parse().unwrap()).ok().unwrap();
        assert_eq!(
            seats.take("2001:db8::ffff:1".parse().unwrap()).err(),
            Some(Full::Address)
        );
        assert!(seats.take("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }
}
