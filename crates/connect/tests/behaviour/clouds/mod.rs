//! Object stores with protocols of their own, as far as emulators of them go.

mod azurite;
mod driver;
mod gcs;
mod hostile;
mod outside;

pub(crate) use outside::clock;
