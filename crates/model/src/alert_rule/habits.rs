use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{FirstSeen, Timestamp, limit};

const DAY: Duration = Duration::from_hours(24);
/// Days of activity without which an hour or a volume is nothing unusual.
const DAYS_KNOWN_MIN: u32 = 3;

/// What a principal can do for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoveltyKind {
    /// Come from a network.
    Network,
    /// Use a credential.
    Credential,
    /// Work at an hour of the day.
    Hour,
    /// Move so much in a day.
    Volume,
}

impl NoveltyKind {
    /// The word as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Credential => "credential",
            Self::Hour => "hour",
            Self::Volume => "volume",
        }
    }
}

/// Something that a principal did for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Novelty {
    /// Of which kind.
    pub kind: NoveltyKind,
    /// What: the network, the key, the hour, the day.
    pub value: String,
}

/// What a principal is known to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habits {
    first_at: Option<Timestamp>,
    networks: BTreeSet<String>,
    credentials: BTreeSet<String>,
    hours: BTreeSet<u8>,
    day: String,
    /// Days on which there was something.
    days: u32,
    day_bytes: u64,
    most_bytes: u64,
    is_day_told: bool,
}

impl Habits {
    /// Learns from something that was done, and says what of it is new.
    pub fn see(
        &mut self,
        rule: &FirstSeen,
        at: Timestamp,
        (address, bytes): (Option<IpAddr>, u64),
    ) -> Vec<Novelty> {
        let mut new = Vec::new();
        let is_known = self.is_known(rule, at);
        self.turn_day(rule, at);
        if let Some(network) = address.map(network) {
            let is_first = self.networks.is_empty();
            if learn(&mut self.networks, network.clone()) && is_known && !is_first {
                new.push((NoveltyKind::Network, network));
            }
        }
        let hour = rule.zone.hour(at);
        let has_days = self.days > DAYS_KNOWN_MIN;
        if self.hours.insert(hour) && is_known && has_days {
            new.push((NoveltyKind::Hour, format!("{hour:02}:00")));
        }
        self.day_bytes = self.day_bytes.saturating_add(bytes);
        let usual = self
            .most_bytes
            .saturating_mul(u64::from(rule.volume_factor));
        let is_much = self.day_bytes > usual && self.day_bytes >= rule.volume_bytes_min;
        if is_much && is_known && has_days && !self.is_day_told {
            self.is_day_told = true;
            new.push((NoveltyKind::Volume, self.day.clone()));
        }
        let wanted = new.into_iter().filter(|(kind, _)| rule.what.contains(kind));
        wanted
            .map(|(kind, value)| Novelty { kind, value })
            .collect()
    }

    /// Learns that a credential is used, and says whether that is new.
    pub fn use_credential(&mut self, rule: &FirstSeen, at: Timestamp, credential: &str) -> bool {
        let is_known = self.is_known(rule, at);
        let is_first = self.credentials.is_empty();
        learn(&mut self.credentials, credential.to_owned()) && is_known && !is_first
    }

    /// Whether enough is known of it.
    fn is_known(&mut self, rule: &FirstSeen, at: Timestamp) -> bool {
        let first_at = *self.first_at.get_or_insert(at);
        at.since(first_at) >= DAY * rule.learning_days
    }

    fn turn_day(&mut self, rule: &FirstSeen, at: Timestamp) {
        let day = rule.zone.day(at);
        if day > self.day {
            self.most_bytes = self.most_bytes.max(self.day_bytes);
            self.day_bytes = 0;
            self.is_day_told = false;
            self.days += 1;
            self.day = day;
        }
    }
}

/// Adds what is not there; of too much, nothing more is learned and nothing is new.
fn learn(known: &mut BTreeSet<String>, value: String) -> bool {
    known.len() < limit::HABITS_MAX && known.insert(value)
}

/// The network of an address: its first 24 bits, of IPv6 its first 48.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::Zone;

    fn rule(learning_days: u32) -> FirstSeen {
        FirstSeen {
            what: vec![
                NoveltyKind::Network,
                NoveltyKind::Credential,
                NoveltyKind::Hour,
                NoveltyKind::Volume,
            ],
            learning_days,
            zone: Zone::utc(),
            volume_factor: 3,
            volume_bytes_min: 100,
        }
    }

    fn at(day: u32, hour: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-11-{day:02}T{hour:02}:30:00Z")).unwrap()
    }

    fn from(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn a_network_is_new_once_and_not_while_it_is_learned() {
        let (mut habits, rule) = (Habits::default(), rule(2));
        assert!(
            habits
                .see(&rule, at(1, 9), (Some(from("10.0.0.1")), 0))
                .is_empty()
        );
        assert!(
            habits
                .see(&rule, at(2, 9), (Some(from("10.0.9.1")), 0))
                .is_empty()
        );
        assert!(
            habits
                .see(&rule, at(4, 9), (Some(from("10.0.9.77")), 0))
                .is_empty()
        );
        let new = habits.see(&rule, at(4, 9), (Some(from("192.0.2.1")), 0));
        let wanted = Novelty {
            kind: NoveltyKind::Network,
            value: "192.0.2.0/24".to_owned(),
        };
        assert_eq!(new, [wanted]);
        assert!(
            habits
                .see(&rule, at(4, 9), (Some(from("192.0.2.2")), 0))
                .is_empty()
        );
        assert_eq!(
            network("2001:db8:1:2::3".parse().unwrap()),
            "2001:db8:1::/48"
        );
    }

    #[test]
    fn an_hour_and_a_volume_are_unusual_by_its_own_days() {
        let (mut habits, rule) = (Habits::default(), rule(0));
        for day in 1..=5 {
            assert!(habits.see(&rule, at(day, 9), (None, 50)).is_empty());
        }
        let new = habits.see(&rule, at(6, 3), (None, 149));
        assert_eq!(new.first().map(|new| new.kind), Some(NoveltyKind::Hour));
        assert_eq!(new.len(), 1);
        let new = habits.see(&rule, at(6, 9), (None, 2));
        assert_eq!(new.first().map(|new| new.kind), Some(NoveltyKind::Volume));
        assert!(
            habits.see(&rule, at(6, 9), (None, 2000)).is_empty(),
            "once a day"
        );
    }

    #[test]
    fn the_first_credential_is_no_news() {
        let (mut habits, rule) = (Habits::default(), rule(0));
        assert!(!habits.use_credential(&rule, at(1, 9), "key_a"));
        assert!(!habits.use_credential(&rule, at(1, 9), "key_a"));
        assert!(habits.use_credential(&rule, at(1, 9), "key_b"));
    }
}
