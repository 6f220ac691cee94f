use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The secrets by which a flow is called, sealed: the newest first, and until when an older one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookSecrets {
    /// Each with the time after which it counts no more.
    pub sealed: Vec<(Vec<u8>, Option<Timestamp>)>,
    /// Rises with every change.
    pub revision: u64,
}

impl HookSecrets {
    /// The sealed secrets that count at a time.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &[u8]> {
        let live = self.sealed.iter();
        let live = live.filter(move |(_, until)| until.is_none_or(|until| now < until));
        live.map(|(sealed, _)| sealed.as_slice())
    }

    /// Another secret becomes the newest; the one before counts until a time, older ones no more.
    pub fn rotate(&mut self, sealed: Vec<u8>, until: Timestamp) {
        let old = self
            .sealed
            .first()
            .map(|(old, _)| (old.clone(), Some(until)));
        self.sealed = std::iter::once((sealed, None)).chain(old).collect();
        self.revision += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_secret_counts_for_a_while() {
        let at = Timestamp::from_ms;
        let mut secrets = HookSecrets::default();
        secrets.rotate(vec![1], at(10));
        secrets.rotate(vec![2], at(20));
        secrets.rotate(vec![3], at(30));
        assert_eq!(secrets.live(at(29)).collect::<Vec<_>>(), [[3], [2]]);
        assert_eq!(secrets.live(at(30)).collect::<Vec<_>>(), [[3]]);
        assert_eq!(secrets.revision, 3);
    }
}
