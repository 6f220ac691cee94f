//! What makes a server a development server: a tenant with an administrator and keys of its own, and a file that
//! tells where everything is.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use bailee_core::Core;
use serde::{Deserialize, Serialize};

/// The tenant of a development server.
const TENANT: &str = "demo";

/// `dev.json`: what a program needs to talk to a development server. It holds keys, so only its owner can read it.
#[derive(Clone, Serialize, Deserialize)]
pub struct DevInfo {
    /// Where the API is.
    pub url: String,
    /// An API key of the tenant's administrator with all scopes of the tenant.
    pub api_key: String,
    /// What clients must trust.
    pub ca_file: PathBuf,
    /// The tenant's administrator.
    pub admin: DevAdmin,
    /// The tenant.
    pub tenant_id: String,
    /// An API key of the installation's operator: tenants, metrics, no content.
    pub operator_key: String,
}

/// The administrator of a development server's tenant.
#[derive(Clone, Serialize, Deserialize)]
pub struct DevAdmin {
    /// Its id.
    pub principal_id: String,
    /// Its name.
    pub name: String,
    /// Its API key, the same as [`DevInfo::api_key`].
    pub api_key: String,
}

/// Makes the tenant and keys at a first start; finds them again later.
pub async fn ensure(core: &Core, data: &Path, url: String, ca_file: PathBuf) -> Result<DevInfo> {
    let path = data.join("dev.json");
    let info = if let Some(old) = read(&path) {
        DevInfo {
            url,
            ca_file,
            ..old
        }
    } else {
        let lost = "the keys of this development server are lost with its dev.json; begin with a new --data folder";
        let operator = core.first_operator().await?.context(lost)?;
        let first = core.first_tenant(TENANT).await?.context(lost)?;
        DevInfo {
            url,
            api_key: first.key.reveal().to_owned(),
            ca_file,
            admin: DevAdmin {
                principal_id: first.administrator.id.to_string(),
                name: first.administrator.name,
                api_key: first.key.reveal().to_owned(),
            },
            tenant_id: first.tenant.id.to_string(),
            operator_key: operator.reveal().to_owned(),
        }
    };
    write(&path, &serde_json::to_string_pretty(&info)?)?;
    Ok(info)
}

fn read(path: &Path) -> Option<DevInfo> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

/// Writes a file with secrets, whole or not at all.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let temporary = path.with_extension("tmp");
    let shown = || format!("cannot write {}", path.display());
    let _ = std::fs::remove_file(&temporary);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .with_context(shown)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(shown)?;
    std::fs::rename(&temporary, path).with_context(shown)
}

/// What a person at the terminal needs.
pub fn welcome(info: &DevInfo) -> String {
    let DevInfo {
        url,
        api_key,
        ca_file,
        ..
    } = info;
    let ca_file = ca_file.display();
    format!(
        "\nBailee is ready for development (only from this machine).\n\n  \
         API      {url}/v1\n  \
         Docs     {url}/docs/api\n  \
         API key  {api_key}\n  \
         CA file  {ca_file}\n\n\
         Try:\n\n  \
         curl --cacert {ca_file} -H 'Authorization: Bearer {api_key}' {url}/auth/validate\n"
    )
}
