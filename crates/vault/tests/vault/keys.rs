//! The key hierarchy and the root key's file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use bailee_vault::{DataKey, KeyError, RootKey, WrappingKey};

use crate::kit::{Seeded, files};

#[test]
fn the_root_key_is_made_once_and_private() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("root.key");
    let chance = Seeded::default();
    assert!(matches!(RootKey::load(&path), Err(KeyError::Missing)));
    let made = RootKey::load_or_create(&path, &chance).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let line = fs::read_to_string(&path).unwrap();
    assert!(
        line.starts_with("bailee-root-key-1:") && line.ends_with('\n') && line.len() == 18 + 64 + 1
    );
    assert_eq!(files(folder.path()).len(), 1, "nothing else is left");

    let wrapped = WrappingKey::generate(&chance)
        .wrap_with(&made, "ten", &chance)
        .unwrap();
    for again in [
        RootKey::load_or_create(&path, &chance),
        RootKey::load(&path),
    ] {
        assert!(WrappingKey::unwrap_with(&wrapped, &again.unwrap(), "ten").is_ok());
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), line);
}

#[test]
fn an_exposed_or_malformed_root_key_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("root.key");
    let chance = Seeded::default();
    drop(RootKey::load_or_create(&path, &chance).unwrap());
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(
            RootKey::load_or_create(&path, &chance),
            Err(KeyError::Exposed { .. })
        ));
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    for line in [
        "",
        "bailee-root-key-1:",
        "bailee-root-key-2:00",
        "bailee-root-key-1:0g",
    ] {
        fs::write(&path, line).unwrap();
        assert!(matches!(
            RootKey::load_or_create(&path, &chance),
            Err(KeyError::Malformed)
        ));
    }
}

#[test]
fn wrapped_keys_open_only_whole_with_their_key_and_context() {
    let chance = Seeded::default();
    let (root, other_root) = (RootKey::from_bytes([1; 32]), RootKey::from_bytes([2; 32]));
    let tenant = WrappingKey::generate(&chance);
    let wrapped_tenant = tenant.wrap_with(&root, "ten_a", &chance).unwrap();
    let file = DataKey::generate(&chance);
    let wrapped_file = file.wrap_with(&tenant, "fil_a", &chance).unwrap();
    assert_eq!(wrapped_file.len(), 1 + 12 + 32 + 16);
    assert!(
        wrapped_file != file.wrap_with(&tenant, "fil_a", &chance).unwrap(),
        "nonces differ"
    );

    let tenant = WrappingKey::unwrap_with(&wrapped_tenant, &root, "ten_a").unwrap();
    let file = DataKey::unwrap_with(&wrapped_file, &tenant, "fil_a").unwrap();
    assert!(WrappingKey::unwrap_with(&wrapped_tenant, &other_root, "ten_a").is_err());
    assert!(WrappingKey::unwrap_with(&wrapped_tenant, &root, "ten_b").is_err());
    assert!(
        WrappingKey::unwrap_with(&wrapped_file, &RootKey::from_bytes([0; 32]), "fil_a").is_err()
    );
    assert!(DataKey::unwrap_with(&wrapped_file, &tenant, "fil_b").is_err());
    assert!(DataKey::unwrap_with(&wrapped_tenant, &tenant, "ten_a").is_err());
    drop(file);
    for length in 0..wrapped_file.len() {
        assert!(DataKey::unwrap_with(&wrapped_file[..length], &tenant, "fil_a").is_err());
    }
    for bit in 0..wrapped_file.len() * 8 {
        let mut changed = wrapped_file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(DataKey::unwrap_with(&changed, &tenant, "fil_a").is_err());
    }
}

#[test]
fn secrets_open_only_whole_with_their_key_and_context() {
    let chance = Seeded::default();
    let (tenant, other) = (
        WrappingKey::generate(&chance),
        WrappingKey::generate(&chance),
    );
    for secret in [b"".as_slice(), b"hunter2", &[9; 5000]] {
        let sealed = tenant.seal_secret(secret, "whk_a", &chance).unwrap();
        assert!(secret.is_empty() || !sealed.windows(secret.len()).any(|window| window == secret));
        assert_eq!(
            tenant.open_secret(&sealed, "whk_a").unwrap().as_slice(),
            secret
        );
        assert!(tenant.open_secret(&sealed, "whk_b").is_err());
        assert!(other.open_secret(&sealed, "whk_a").is_err());
        assert!(
            tenant
                .open_secret(&sealed[..sealed.len() - 1], "whk_a")
                .is_err()
        );
        let mut changed = sealed.clone();
        changed[5] ^= 1;
        assert!(tenant.open_secret(&changed, "whk_a").is_err());
    }
    assert!(tenant.open_secret(&[], "whk_a").is_err());
}
