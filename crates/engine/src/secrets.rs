//! Reads secrets where they are kept, for the core: its port, answered by the clients of stores and by the machine.

use std::sync::Arc;

use async_trait::async_trait;
use bailee_connect::{EgressGuard, read_secret};
use bailee_core::model::SecretSource;
use bailee_core::{SecretAsk, SecretFault, SecretStores};
use secrecy::SecretString;

/// The environment and files of this machine, as the operator lets them be read.
#[async_trait]
pub trait MachineSecrets: Send + Sync {
    /// A variable.
    fn variable(&self, name: &str) -> Option<SecretString>;
    /// A file's text without its line end; an error in plain words.
    async fn file(&self, path: &str) -> Result<SecretString, String>;
}

/// The core's means to read secrets, for [`bailee_core::Core::attach_secret_stores`].
pub fn secret_stores(
    guard: EgressGuard,
    machine: Arc<dyn MachineSecrets>,
) -> Arc<dyn SecretStores> {
    Arc::new(Stores { guard, machine })
}

struct Stores {
    guard: EgressGuard,
    machine: Arc<dyn MachineSecrets>,
}

#[async_trait]
impl SecretStores for Stores {
    async fn read(&self, ask: SecretAsk) -> Result<SecretString, SecretFault> {
        let permanent = |detail: String| SecretFault {
            detail,
            is_transient: false,
        };
        match &ask.source {
            SecretSource::Env { variable } => self
                .machine
                .variable(variable)
                .ok_or_else(|| permanent(format!("the environment has no `{variable}`."))),
            SecretSource::File { path } => {
                let text = self.machine.file(path).await;
                text.map_err(|detail| permanent(format!("{path}: {detail}.")))
            }
            source => {
                let Some(credential) = &ask.credential else {
                    return Err(permanent("nothing is kept that signs in.".to_owned()));
                };
                let read = read_secret(source, credential, &self.guard, ask.now).await;
                read.map_err(|fault| SecretFault {
                    detail: format!("{}.", fault.message()),
                    is_transient: fault.is_transient(),
                })
            }
        }
    }
}
