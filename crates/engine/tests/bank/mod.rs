//! A real OpenSSH server as the remote `bank`.

#[path = "../../../connect/tests/sshd/mod.rs"]
#[expect(dead_code, reason = "another crate's tests need more of it")]
pub mod sshd;

use bailee_core::RemoteSecret;
use bailee_core::model::RemoteAddress;
use sshd::Sshd;

use super::site::Site;

/// Makes the remote `bank`: the server, reached through `port`.
pub async fn bank(site: &Site, server: &Sshd, port: u16) {
    let address = RemoteAddress::Sftp {
        host: "127.0.0.1".to_owned(),
        port,
        username: server.user.clone(),
        host_key: Some(server.host_fingerprint()),
        base_path: server.files().display().to_string(),
    };
    let secret = RemoteSecret::private_key(server.key("ed25519"));
    site.remote("bank", address, Some(secret)).await;
}
