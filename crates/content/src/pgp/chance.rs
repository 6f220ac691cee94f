//! The chance of the model, as the library below wants it.

use std::sync::Arc;

use bailee_model::Chance;
use rand_core::{CryptoRng, Error, RngCore};

/// Not only for tests: whoever hands in a weak chance gets weak keys, as everywhere in this code base.
#[derive(Clone)]
pub(super) struct Dice(pub(super) Arc<dyn Chance>);

impl RngCore for Dice {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl CryptoRng for Dice {}
