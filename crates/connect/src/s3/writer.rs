//! Writing: one request for a small file, parts for others.
//!
//! A part whose length is known beforehand, because the size was declared, goes out as its bytes come in. Otherwise its
//! bytes are held first: a request must state its length. So a writer needs at most 16 MiB and a few pieces on the way,
//! however large file and parts are.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, Digest};
use http::Method;
use serde::{Deserialize, Serialize};

use super::bucket::{Whole, sha256_hex};
use super::sign::Payload;
use super::upload::{Target, Upload};
use super::{error, limits};
use crate::connector::RemoteWriter;
use crate::fault::{Fault, FaultKind, Result};
use crate::parts::Outgoing;

const CHECKSUM: CrcAlgorithm = CrcAlgorithm::Crc64Nvme;

/// What a write goes on by. The id opens nothing without the credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    upload: String,
    parts: u64,
}

impl Token {
    fn parse(text: &str) -> Result<Self> {
        let token: Option<Self> = serde_json::from_str(text).ok();
        let token = token.filter(|token| {
            token.parts <= limits::PARTS_MAX
                && error::fit(&token.upload, limits::UPLOAD_ID_BYTES_MAX).is_ok()
        });
        token
            .ok_or_else(|| Fault::new(FaultKind::Invalid, "the token is not one of this connector"))
    }
}

/// What the far side says of a part that it took.
struct Receipt {
    tag: String,
    /// The checksum that it reckoned, if it tells.
    checksum: Option<String>,
}

/// A part that is given while it is sent.
struct Streamed {
    outgoing: Outgoing<Receipt>,
    length_bytes: u64,
    digest: Digest,
}

/// A file being written.
pub(super) struct Writer {
    target: Target,
    declared_bytes: Option<u64>,
    /// Once the first part was begun.
    upload: Option<Upload>,
    /// The marks of the parts that were confirmed.
    tags: Vec<String>,
    confirmed_bytes: u64,
    streamed: Option<Streamed>,
    held: BytesMut,
    /// A part failed: what came after it cannot be placed any more.
    is_broken: bool,
}

impl Writer {
    pub(super) async fn begin(target: Target, declared_bytes: Option<u64>) -> Result<Self> {
        if let Some(bytes) = declared_bytes {
            Upload::part_bytes(bytes, 0)?;
        }
        target.check_free().await?;
        Ok(Self {
            target,
            declared_bytes,
            upload: None,
            tags: Vec::new(),
            confirmed_bytes: 0,
            streamed: None,
            held: BytesMut::new(),
            is_broken: false,
        })
    }

    /// Goes on at `offset`, if the far side holds everything before it.
    pub(super) async fn resume(
        target: Target,
        declared_bytes: Option<u64>,
        token: &str,
        offset: u64,
    ) -> Result<Self> {
        let token = Token::parse(token)?;
        let upload = Upload {
            target: target.clone(),
            id: token.upload,
        };
        let parts = upload.parts(token.parts).await?;
        let held = parts
            .iter()
            .try_fold(0_u64, |sum, part| sum.checked_add(part.size_bytes));
        if parts.len() as u64 != token.parts || held != Some(offset) {
            return Err(Fault::new(
                FaultKind::OffsetBeyondEnd,
                format!("the far system does not hold the {offset} bytes to go on from"),
            ));
        }
        Ok(Self {
            target,
            declared_bytes,
            upload: Some(upload),
            tags: parts.into_iter().map(|part| part.tag).collect(),
            confirmed_bytes: offset,
            streamed: None,
            held: BytesMut::new(),
            is_broken: false,
        })
    }

    async fn take(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            if self.streamed.is_some() {
                self.stream(&mut bytes).await?;
            } else if let Some(length_bytes) = self.next_streamed_bytes()? {
                let outgoing = self.begin_part(length_bytes, Payload::Streamed).await?;
                self.streamed = Some(Streamed {
                    outgoing,
                    length_bytes,
                    digest: Digest::new(CHECKSUM),
                });
            } else {
                self.hold(&mut bytes).await?;
            }
        }
        Ok(())
    }

    /// The length of the next part, if it can be known and is not too small to be one.
    fn next_streamed_bytes(&self) -> Result<Option<u64>> {
        let Some(declared) = self.declared_bytes else {
            return Ok(None);
        };
        let left = declared.saturating_sub(self.confirmed_bytes);
        if self.upload.is_some() && left == 0 {
            let message = "the file is longer than the size that was declared for it";
            return Err(Fault::new(FaultKind::Changed, message));
        }
        if !self.held.is_empty() || (self.upload.is_none() && left <= limits::PART_BYTES_MIN) {
            return Ok(None);
        }
        Upload::part_bytes(left, self.tags.len() as u64).map(Some)
    }

    /// Gives from the front of `bytes` to the part on its way, and waits for its answer once it is full.
    async fn stream(&mut self, bytes: &mut Bytes) -> Result<()> {
        let Some(mut part) = self.streamed.take() else {
            return Ok(());
        };
        let before = bytes.clone();
        let left_bytes = part.outgoing.give(bytes).await?;
        let given = before.len() - bytes.len();
        part.digest.update(before.get(..given).unwrap_or_default());
        if left_bytes > 0 {
            self.streamed = Some(part);
            return Ok(());
        }
        let receipt = part.outgoing.receipt().await?;
        self.count(receipt, part.length_bytes, part.digest.finalize())
    }

    /// Takes from the front of `bytes` what is held for the next part. A full one goes out when more comes: what there
    /// is may be the whole file.
    async fn hold(&mut self, bytes: &mut Bytes) -> Result<()> {
        let held_bytes = Upload::held_bytes(self.tags.len() as u64)?;
        if self.held.len() >= held_bytes {
            return self.send_held().await;
        }
        let room = held_bytes - self.held.len();
        if self.held.len() + bytes.len() > limits::PIECE_BYTES {
            self.held.reserve(room);
        }
        self.held
            .extend_from_slice(&bytes.split_to(room.min(bytes.len())));
        Ok(())
    }

    async fn send_held(&mut self) -> Result<()> {
        let mut part = std::mem::take(&mut self.held).freeze();
        let (length_bytes, checksum) = (part.len() as u64, crc_fast::checksum(CHECKSUM, &part));
        let payload = Payload::Digest(sha256_hex(&part));
        let mut outgoing = self.begin_part(length_bytes, payload).await?;
        outgoing.give(&mut part).await?;
        let receipt = outgoing.receipt().await?;
        self.count(receipt, length_bytes, checksum)
    }

    async fn begin_part(
        &mut self,
        length_bytes: u64,
        payload: Payload,
    ) -> Result<Outgoing<Receipt>> {
        let upload = if let Some(upload) = &self.upload {
            upload
        } else {
            let begun = self.target.clone().begin(Vec::new()).await?;
            self.upload.insert(begun)
        };
        let Target {
            bucket, key, shown, ..
        } = &self.target;
        let ask = bucket
            .about(Method::PUT, key)
            .query("partNumber", (self.tags.len() + 1).to_string())
            .query("uploadId", upload.id.clone())
            .body(length_bytes, payload);
        let (bucket, what) = (Arc::clone(bucket), format!("writing `{shown}`"));
        Ok(Outgoing::begin_within(
            limits::REQUEST,
            length_bytes,
            |body| async move {
                let answer = bucket.feed(ask, body).await?;
                let answer = error::expect(answer, &what, &FaultKind::Exists).await?;
                Ok(Receipt {
                    tag: error::tag(&answer)?,
                    checksum: Some(error::header(&answer, "x-amz-checksum-crc64nvme"))
                        .filter(|text| !text.is_empty())
                        .map(str::to_owned),
                })
            },
        ))
    }

    fn count(&mut self, receipt: Receipt, length_bytes: u64, checksum: u64) -> Result<()> {
        if receipt
            .checksum
            .is_some_and(|text| text != checksum_text(checksum))
        {
            return Err(Fault::new(
                FaultKind::ConnectionLost,
                "a part arrived with other bytes than were sent",
            ));
        }
        self.tags.push(receipt.tag);
        self.confirmed_bytes += length_bytes;
        Ok(())
    }

    async fn put_whole(self) -> Result<u64> {
        let Target {
            bucket, key, shown, ..
        } = &self.target;
        let body = self.held.freeze();
        let bytes = body.len() as u64;
        let mut ask = bucket.making(Method::PUT, key);
        if bucket.sends_checksums {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &body);
            ask = ask
                .header("x-amz-sdk-checksum-algorithm", "SHA256")
                .header("x-amz-checksum-sha256", STANDARD.encode(digest));
        }
        let request = Whole {
            ask,
            body,
            condition: self.target.condition(),
            what: format!("writing `{shown}`"),
            refused: FaultKind::Exists,
            time_max: limits::PART_ANSWER_TIME_MAX,
        };
        request.send(bucket).await?;
        Ok(bytes)
    }
}

#[async_trait]
impl RemoteWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if self.is_broken {
            return Err(broken());
        }
        self.is_broken = true; // also if the caller drops this future in the middle
        self.take(bytes).await?;
        self.is_broken = false;
        Ok(())
    }

    fn confirmed_bytes(&self) -> u64 {
        self.confirmed_bytes
    }

    fn token(&self) -> Option<String> {
        let upload = self.upload.as_ref().filter(|_| !self.tags.is_empty())?;
        let token = Token {
            upload: upload.id.clone(),
            parts: self.tags.len() as u64,
        };
        serde_json::to_string(&token).ok()
    }

    async fn flush(&mut self) -> Result<u64> {
        Ok(self.confirmed_bytes)
    }

    async fn finish(mut self: Box<Self>) -> Result<u64> {
        if self.is_broken {
            return Err(broken());
        }
        if self.streamed.is_some() {
            let message = "the file ended before the size that was declared for it";
            return Err(Fault::new(FaultKind::Changed, message));
        }
        if self.upload.is_none() {
            return self.put_whole().await;
        }
        if !self.held.is_empty() {
            self.send_held().await?;
        }
        if let Some(upload) = &self.upload {
            upload.complete(&self.tags, self.confirmed_bytes).await?;
        }
        Ok(self.confirmed_bytes)
    }
}

/// Gives up the write that `token` belongs to.
pub(super) async fn abandon(target: Target, token: &str) -> Result<()> {
    let id = Token::parse(token)?.upload;
    Upload { target, id }.abort().await
}

/// As the protocol writes it: base64 of the eight bytes, the highest first.
fn checksum_text(sum: u64) -> String {
    STANDARD.encode(sum.to_be_bytes())
}

fn broken() -> Fault {
    let message = "an earlier part of this write failed";
    Fault::new(FaultKind::ConnectionLost, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_written_as_the_protocol_does() {
        // The check value of CRC-64/NVME.
        let sum = crc_fast::checksum(CHECKSUM, b"123456789");
        assert_eq!(sum, 0xae8b_1486_0a79_9888);
        assert_eq!(checksum_text(sum), "rosUhgp5mIg=");
    }

    #[test]
    fn only_tokens_of_ours_are_taken() {
        assert!(Token::parse(r#"{"upload":"a.b-c_d","parts":3}"#).is_ok());
        for bad in [
            "",
            "{}",
            r#"{"upload":"a","parts":10001}"#,
            r#"{"upload":"","parts":1}"#,
            r#"{"upload":"a b","parts":1}"#,
            r#"{"upload":"a","parts":1,"url":"https://x"}"#,
        ] {
            assert!(Token::parse(bad).is_err(), "{bad}");
        }
    }
}
