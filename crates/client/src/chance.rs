use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use bailee_model::Chance;

/// Randomness of the operating system. What a client uses unless a test gives it another.
#[derive(Debug, Default)]
pub struct SystemChance(SystemRandom);

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        // The system source does not fail once the process runs; were it to, the bytes stay zero, and only jitter and
        // the uniqueness of idempotency keys depend on them. Webhook secrets are checked by their maker.
        if self.0.fill(bytes).is_err() {
            tracing::error!("the operating system gave no randomness");
        }
    }
}

/// A key in the form of a random UUID (RFC 9562, version 4), for `Idempotency-Key`.
pub(crate) fn idempotency_key(chance: &dyn Chance) -> String {
    let mut bytes = [0u8; 16];
    chance.fill(&mut bytes);
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    format!(
        "auto_{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        (bits >> 80) & 0xffff,
        (bits >> 64) & 0xffff,
        (bits >> 48) & 0xffff,
        bits & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_look_like_uuids_and_differ() {
        let chance = SystemChance::default();
        let (one, two) = (idempotency_key(&chance), idempotency_key(&chance));
        assert_ne!(one, two);
        assert_eq!(one.len(), "auto_".len() + 36);
        let third = one.split('-').nth(2).unwrap_or_default();
        assert!(third.starts_with('4'), "{one}");
    }
}
