//! GnuPG with a home of its own, as partners have it.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start programs beside the server"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A public key of somebody, which never expires.
pub(crate) const PARTNER_KEY: &str = include_str!("partner.asc");

/// Gone with its agent at the end.
pub(crate) struct Gpg {
    home: TempDir,
}

impl Gpg {
    pub(crate) fn new() -> Self {
        let home = tempfile::Builder::new().prefix("gpg").tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        Self { home }
    }

    /// With a key of Curve25519 for `name`, which lasts as GnuPG says it: `0` is for ever. `passphrase` may be empty.
    pub(crate) fn with_key(name: &str, lasts: &str, passphrase: &str) -> Self {
        let gpg = Self::new();
        gpg.add_key(name, lasts, passphrase);
        gpg
    }

    pub(crate) fn add_key(&self, name: &str, lasts: &str, passphrase: &str) {
        let protection = if passphrase.is_empty() {
            "%no-protection".to_owned()
        } else {
            format!("Passphrase: {passphrase}")
        };
        let order = format!(
            "Key-Type: EDDSA\nKey-Curve: ed25519\nKey-Usage: sign,cert\nSubkey-Type: ECDH\n\
             Subkey-Curve: cv25519\nSubkey-Usage: encrypt\nName-Real: {name}\nExpire-Date: {lasts}\n\
             {protection}\n%commit\n"
        );
        let file = self.write("parameters", order.as_bytes());
        self.run(&["--gen-key", file.to_str().unwrap()]);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn attempt(&self, args: &[&str]) -> Output {
        Command::new("gpg")
            .env("GNUPGHOME", self.home.path())
            .env("LC_ALL", "C")
            .args(["--batch", "--yes", "--quiet", "--trust-model", "always"])
            .args(["--pinentry-mode", "loopback"])
            .args(args)
            .output()
            .unwrap()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Vec<u8> {
        let output = self.attempt(args);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "gpg {args:?}: {talk}");
        output.stdout
    }

    /// All public keys, armored.
    pub(crate) fn public(&self) -> String {
        String::from_utf8(self.run(&["--armor", "--export"])).unwrap()
    }

    /// All secret keys, armored.
    pub(crate) fn secret(&self, passphrase: &str) -> String {
        let args = [
            "--passphrase",
            passphrase,
            "--armor",
            "--export-secret-keys",
        ];
        String::from_utf8(self.run(&args)).unwrap()
    }

    pub(crate) fn import(&self, armored: &str) {
        let file = self.write("import", armored.as_bytes());
        self.run(&["--import", file.to_str().unwrap()]);
    }

    /// The fingerprint of the first key.
    pub(crate) fn fingerprint(&self) -> String {
        let listed = String::from_utf8(self.run(&["--with-colons", "--list-keys"])).unwrap();
        let line = listed
            .lines()
            .find(|line| line.starts_with("fpr:"))
            .unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    /// Takes back the first key, by the certificate that was made with it.
    pub(crate) fn revoke(&self) {
        let name = format!("openpgp-revocs.d/{}.rev", self.fingerprint());
        // The file is made harmless by a colon, which whoever means it takes away.
        let text = fs::read_to_string(self.path(&name)).unwrap();
        self.import(&text.replace(":-----", "-----"));
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        // Its agent ends by itself as well, when its home is gone.
        let _ = Command::new("gpgconf")
            .env("GNUPGHOME", self.home.path())
            .args(["--kill", "all"])
            .output();
    }
}
