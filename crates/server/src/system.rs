//! The only places where the process reads the clock and draws randomness.

use std::sync::Mutex;

use bailee_model::{Chance, Clock, Timestamp};
use zeroize::Zeroize as _;

/// The system clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the clock is read"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_ms(since.map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        }))
    }
}

/// Bytes drawn ahead at once. Drawing them one id at a time costs several times what the rest of an id does.
const AHEAD_BYTES: usize = 512;
/// What asks for more than this is no id: keys and salts are drawn for themselves and never lie in the stock.
const ID_BYTES: usize = 16;

/// The operating system's random numbers. Those for ids come from a stock that is drawn ahead; each is given once.
#[derive(Default)]
pub struct SystemChance {
    stock: Mutex<Vec<u8>>,
}

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > ID_BYTES {
            return draw(bytes);
        }
        // Nobody waits for another: who finds the stock taken draws for itself.
        let Ok(mut stock) = self.stock.try_lock() else {
            return draw(bytes);
        };
        if stock.len() < bytes.len() {
            stock.resize(AHEAD_BYTES, 0);
            draw(&mut stock);
        }
        let from = stock.len() - bytes.len();
        if let Some(taken) = stock.get_mut(from..) {
            bytes.copy_from_slice(taken);
            // What was given out is kept nowhere else.
            taken.zeroize();
        }
        stock.truncate(from);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where randomness is drawn"
)]
fn draw(bytes: &mut [u8]) {
    // A process without randomness must not go on: every key would be guessable.
    if aws_lc_rs::rand::fill(bytes).is_err() {
        tracing::error!("the system gives no random numbers; the process ends");
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_is_given_twice_and_all_of_it_is_filled() {
        let chance = SystemChance::default();
        let mut seen = HashSet::new();
        for size in [16, 4, 16, 8, 32, 16].into_iter().cycle().take(600) {
            let mut bytes = vec![0; size];
            chance.fill(&mut bytes);
            if size >= 8 {
                assert!(seen.insert(bytes.clone()), "given twice");
                assert!(bytes.iter().any(|byte| *byte != 0), "left empty");
            }
        }
    }
}
