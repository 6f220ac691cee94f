//! Object stores with protocols of their own, as far as emulators of them go.

mod azurite;
mod cutting;
mod gcs;
mod outside;
