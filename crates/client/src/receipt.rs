//! Verifying receipts, offline: what is needed is the document and the installation's public key.

use bailee_model::{LEAF_NAMES, canonical, leaf_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::checkpoint_note::VerifierKey;
use crate::merkle::{Hash, inclusion_root, leaf_hash};

/// Name and version of the form.
const RECEIPT_FORMAT: &str = "bailee-receipt-v1";
/// The members of a receipt.
const MEMBERS: [&str; 8] = [
    "checkpoint",
    "entry",
    "format",
    "key",
    "proof",
    "receipt",
    "sequence",
    "signature",
];
/// Facts of a receipt that the journal's entry tells under the same name.
const TOLD: [&str; 9] = [
    "transfer_id",
    "outcome",
    "source",
    "destination",
    "hash",
    "file_id",
    "placed_at",
    "verified_by",
    "source_removed",
];

/// Why a receipt is not good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// It is not of a form that is known.
    #[error("this is no receipt: {0}")]
    Form(String),
    /// It was changed, if only by a space.
    #[error(
        "the document is not in its one form: it was changed, or written anew by another program"
    )]
    NotCanonical,
    /// It is signed by somebody else.
    #[error("it is signed with the key {found}, not with {trusted}")]
    OtherKey {
        /// The key that it names.
        found: String,
        /// The key that is trusted.
        trusted: String,
    },
    /// The signature is not good.
    #[error("the signature is not good: something in the document was changed")]
    Signature,
    /// The checkpoint does not hold.
    #[error("the checkpoint is not good: {0}")]
    Checkpoint(String),
    /// The entry is not in the journal.
    #[error("the journal's entry is not proven: {0}")]
    Proof(String),
    /// The facts are not those of the entry.
    #[error("`{0}` is not what the journal's entry says")]
    Fact(String),
}

/// A receipt that is good.
#[derive(Clone, Debug, PartialEq)]
pub struct GoodReceipt {
    /// What it attests.
    pub facts: Value,
    /// The place of its entry in the journal.
    pub sequence: u64,
    /// How many entries the checkpoint covers.
    pub tree_size: u64,
}

/// Verifies the bytes of a receipt with the key that is trusted.
pub fn verify_receipt(document: &[u8], trusted: &VerifierKey) -> Result<GoodReceipt, ReceiptFault> {
    let form = |why: &str| ReceiptFault::Form(why.to_owned());
    let text = std::str::from_utf8(document).map_err(|_| form("it is not UTF-8"))?;
    let value: Value = serde_json::from_str(text).map_err(|why| form(&why.to_string()))?;
    let members = value
        .as_object()
        .ok_or_else(|| form("it is no JSON object"))?;
    if members.get("format").and_then(Value::as_str) != Some(RECEIPT_FORMAT) {
        return Err(form("its format is not known"));
    }
    if canonical(&value) != text {
        return Err(ReceiptFault::NotCanonical);
    }
    if members.len() != MEMBERS.len() || !MEMBERS.iter().all(|name| members.contains_key(*name)) {
        return Err(form("its members are not those of this format"));
    }
    let named = text_of(&value, "key")?;
    if named != trusted.to_string() {
        return Err(ReceiptFault::OtherKey {
            found: named.to_owned(),
            trusted: trusted.to_string(),
        });
    }
    check_signature(&value, trusted)?;
    let (sequence, tree_size) = check_proof(&value, trusted)?;
    check_facts(&value)?;
    Ok(GoodReceipt {
        facts: value.get("receipt").cloned().unwrap_or_default(),
        sequence,
        tree_size,
    })
}

fn check_signature(value: &Value, trusted: &VerifierKey) -> Result<(), ReceiptFault> {
    let signature = text_of(value, "signature")?;
    let signature = STANDARD
        .decode(signature)
        .map_err(|_| ReceiptFault::Signature)?;
    let mut unsigned = value.clone();
    if let Some(members) = unsigned.as_object_mut() {
        members.remove("signature");
    }
    let signed = format!("{RECEIPT_FORMAT}\n{}", canonical(&unsigned));
    if trusted.verifies(&signed, &signature) {
        Ok(())
    } else {
        Err(ReceiptFault::Signature)
    }
}

/// That the entry is in the journal: its sequence, and the size of the tree.
fn check_proof(value: &Value, trusted: &VerifierKey) -> Result<(u64, u64), ReceiptFault> {
    let note = trusted
        .open(text_of(value, "checkpoint")?)
        .map_err(|why| ReceiptFault::Checkpoint(why.to_owned()))?;
    let entry = value.get("entry").and_then(Value::as_object);
    let entry = entry.filter(|entry| entry.len() == LEAF_NAMES.len());
    let entry = entry.ok_or_else(|| ReceiptFault::Form("its entry is not whole".to_owned()))?;
    let mut values = Vec::with_capacity(LEAF_NAMES.len());
    for name in LEAF_NAMES {
        values.push(match entry.get(name) {
            Some(Value::String(text)) => Some(text.as_str()),
            Some(Value::Null) => None,
            _ => return Err(ReceiptFault::Form(format!("`entry.{name}` is no text"))),
        });
    }
    let tenant = values.first().copied().flatten().unwrap_or_default();
    if note.origin != format!("bailee/{tenant}") {
        return Err(ReceiptFault::Checkpoint(
            "it is of another journal".to_owned(),
        ));
    }
    let sequence = value.get("sequence").and_then(Value::as_u64).unwrap_or(0);
    let index = sequence.checked_sub(1);
    let index = index.ok_or_else(|| ReceiptFault::Form("its sequence is no number".to_owned()))?;
    let proof = value.get("proof").and_then(Value::as_array);
    let proof: Option<Vec<Hash>> = proof.and_then(|proof| proof.iter().map(hash_of).collect());
    let proof =
        proof.ok_or_else(|| ReceiptFault::Form("its proof is no list of hashes".to_owned()))?;
    let leaf = leaf_hash(&leaf_bytes(values));
    match inclusion_root(leaf, (index, note.tree_size), &proof) {
        Some(root) if root == note.root => Ok((sequence, note.tree_size)),
        Some(_) => Err(ReceiptFault::Proof("it leads to another tree".to_owned())),
        None => Err(ReceiptFault::Proof(
            "it does not fit the tree's size".to_owned(),
        )),
    }
}

/// That the facts are those of the entry.
fn check_facts(value: &Value) -> Result<(), ReceiptFault> {
    let at = |pointer: &str| value.pointer(pointer).unwrap_or(&Value::Null);
    let data: Value = at("/entry/data")
        .as_str()
        .and_then(|data| serde_json::from_str(data).ok())
        .ok_or_else(|| ReceiptFault::Form("its entry tells nothing".to_owned()))?;
    for name in TOLD {
        let told = data.get(name).unwrap_or(&Value::Null);
        if told != at(&format!("/receipt/{name}")) {
            return Err(ReceiptFault::Fact(name.to_owned()));
        }
    }
    if at("/receipt/tenant_id") != at("/entry/tenant_id") {
        return Err(ReceiptFault::Fact("tenant_id".to_owned()));
    }
    let size = match at("/receipt/files") {
        Value::Null => "bytes_total",
        _ => "bytes_done",
    };
    if data.get(size) != Some(at("/receipt/size")) {
        return Err(ReceiptFault::Fact("size".to_owned()));
    }
    Ok(())
}

fn text_of<'a>(value: &'a Value, name: &str) -> Result<&'a str, ReceiptFault> {
    let text = value.get(name).and_then(Value::as_str);
    text.ok_or_else(|| ReceiptFault::Form(format!("`{name}` is no text")))
}

fn hash_of(value: &Value) -> Option<Hash> {
    hex::decode(value.as_str()?).ok()?.try_into().ok()
}
