//! What a server has promised, and the check that it kept its word.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::kit::{Server, pattern, sha256};

/// Uploads by path: what was sent, and whether the server acknowledged it.
#[derive(Default)]
pub(super) struct Model(Mutex<BTreeMap<String, Sent>>);

#[derive(Clone)]
struct Sent {
    seed: u64,
    size: usize,
    is_acknowledged: bool,
}

impl Model {
    /// Notes an upload before its first byte is sent; answers the bytes.
    pub(super) fn sends(&self, path: &str, seed: u64, size: usize) -> Vec<u8> {
        let sent = Sent {
            seed,
            size,
            is_acknowledged: false,
        };
        self.0.lock().unwrap().insert(path.to_owned(), sent);
        pattern(seed, size)
    }

    /// Notes that the server said it has the file.
    pub(super) fn acknowledge(&self, path: &str) {
        self.0
            .lock()
            .unwrap()
            .get_mut(path)
            .unwrap()
            .is_acknowledged = true;
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.0
            .lock()
            .unwrap()
            .values()
            .filter(|sent| sent.is_acknowledged)
            .count()
    }

    /// I1, I2, I5: what was acknowledged reads back; what was not is absent or complete. Then I6 and I7.
    pub(super) async fn check(&self, server: &Server) {
        let admin = server.admin();
        let sent = self.0.lock().unwrap().clone();
        let listed: BTreeMap<String, String> = admin
            .all("/files?limit=500")
            .await
            .iter()
            .map(|row| {
                (
                    row["path"].as_str().unwrap().to_owned(),
                    row["hash"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        for path in listed.keys() {
            assert!(sent.contains_key(path), "{path} was never sent");
        }
        for (path, sent) in &sent {
            let hash = sha256(&pattern(sent.seed, sent.size));
            match listed.get(path) {
                None => assert!(!sent.is_acknowledged, "{path} was acknowledged and is lost"),
                Some(told) => {
                    assert_eq!(*told, hash, "{path} has another hash");
                    let read = admin
                        .get(&format!("/files/content?path={path}"))
                        .send()
                        .await;
                    assert_eq!(
                        sha256(&read.is(200).body),
                        hash,
                        "{path} reads back wrongly"
                    );
                }
            }
        }
        server.verify_journal().await;
        server.check_usage().await;
    }
}
