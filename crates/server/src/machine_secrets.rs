//! Secrets in the environment and in files, for remotes. Which may be read is the operator's to say and core's to ask.

use async_trait::async_trait;
use bailee_engine::MachineSecrets;
use secrecy::SecretString;
use tokio::io::AsyncReadExt as _;

/// Longest file of a secret.
const FILE_BYTES_MAX: u64 = 64 * 1024;

pub(crate) struct Machine;

#[async_trait]
impl MachineSecrets for Machine {
    fn variable(&self, name: &str) -> Option<SecretString> {
        std::env::var(name).ok().map(SecretString::from)
    }

    async fn file(&self, path: &str) -> Result<SecretString, String> {
        let told = |error: std::io::Error| error.kind().to_string();
        let file = tokio::fs::File::open(path).await.map_err(told)?;
        let mut text = zeroize::Zeroizing::new(String::new());
        let mut rest = file.take(FILE_BYTES_MAX);
        rest.read_to_string(&mut text).await.map_err(told)?;
        Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])))
    }
}
