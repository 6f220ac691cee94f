//! Writing: one request for a small file, blocks and a list of them for others.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use http::Method;
use serde::{Deserialize, Serialize};
use url::Url;

use super::sign::Ask;
use super::{Container, error, xml};
use crate::connector::Replace;
use crate::fault::{Fault, FaultKind, Result};
use crate::http as web;

use crate::limit;
use crate::parts::{Outgoing, PartSizes, PartTarget, TakenPart};

/// Blocks of one blob, by the service's rule.
const BLOCKS_MAX: u64 = 50_000;
/// Blocks kept back for an end that is sent in blocks of [`limit::HELD_PART_BYTES`]. It is shorter than one streamed block.
const BLOCKS_KEPT: u64 = 1_000;
/// Bytes of one block, by the service's rule.
const BLOCK_BYTES_MAX: u64 = 4_000 * 1024 * 1024;
/// Hexadecimal digits of the name of a write.
const UPLOAD_DIGITS: usize = 16;

const REQUEST_ID: &str = "x-ms-request-id";
const CRC64: &str = "x-ms-content-crc64";

/// Where a write goes.
#[derive(Clone)]
pub(super) struct Blob {
    pub container: Arc<Container>,
    pub url: Url,
    pub shown: String,
    pub replace: Replace,
}

/// What a write goes on by. The name of its blocks opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    upload: String,
    blocks: u64,
}

impl Token {
    /// All names of blocks of a blob must be of one length.
    fn block(&self, number: u64) -> String {
        STANDARD.encode(format!("{}{number:08}", self.upload))
    }
}

/// A write under way.
pub(super) struct Upload {
    blob: Blob,
    /// Once the first block was begun.
    token: Option<Token>,
    bytes: u64,
}

impl Upload {
    pub(super) fn new(blob: Blob) -> Self {
        Self {
            blob,
            token: None,
            bytes: 0,
        }
    }

    /// Goes on at `offset`, if the far side holds everything before it.
    pub(super) async fn resume(blob: Blob, token: &str, offset: u64) -> Result<Self> {
        let token: Token = serde_json::from_str(token)
            .ok()
            .filter(|token: &Token| {
                token.upload.len() == UPLOAD_DIGITS && token.blocks <= BLOCKS_MAX
            })
            .ok_or_else(|| {
                Fault::new(FaultKind::Invalid, "the token is not one of this connector")
            })?;
        let mut sizes = vec![None; usize::try_from(token.blocks).unwrap_or_default()];
        let names: std::collections::HashMap<String, u64> = (0..token.blocks)
            .map(|number| (token.block(number), number))
            .collect();
        let mut url = blob.url.clone();
        url.query_pairs_mut()
            .append_pair("comp", "blocklist")
            .append_pair("blocklisttype", "uncommitted");
        let answer = blob.container.ask(Ask::new(Method::GET, url)).await?;
        let what = format!("going on with `{}`", blob.shown);
        let answer = error::expect(answer, &what, FaultKind::Io).await?;
        let document = web::document(answer, limit::DOCUMENT_BYTES_MAX).await?;
        xml::waiting_blocks(&document, |name, size| {
            let number = names
                .get(name)
                .copied()
                .and_then(|n| usize::try_from(n).ok());
            if let Some(slot) = number.and_then(|number| sizes.get_mut(number)) {
                *slot = Some(size);
            }
        })?;
        if sizes.iter().all(Option::is_none) {
            return Err(lost(&blob.shown));
        }
        let held = sizes
            .into_iter()
            .try_fold(0_u64, |sum, size| sum.checked_add(size?));
        if held != Some(offset) {
            return Err(Fault::new(
                FaultKind::OffsetBeyondEnd,
                format!("the far side does not hold the {offset} bytes to go on from"),
            ));
        }
        Ok(Self {
            blob,
            token: Some(token),
            bytes: offset,
        })
    }

    /// The name of this write, made from an id that the far side gave to one request and to no other.
    async fn named(&mut self) -> Result<&Token> {
        if self.token.is_none() {
            let blob = &self.blob;
            let head = blob
                .container
                .ask(Ask::new(Method::HEAD, blob.url.clone()))
                .await?;
            let id = web::header(&head, error::http_header(REQUEST_ID))
                .filter(|id| !id.is_empty())
                .ok_or_else(|| Fault::protocol("the far system gives its answers no ids"))?;
            let digest = digest::digest(&digest::SHA256, id.as_bytes());
            let upload = hex::encode(digest).chars().take(UPLOAD_DIGITS).collect();
            if blob.replace == Replace::No && head.status().is_success() {
                return Err(taken(&blob.shown));
            }
            self.token = Some(Token { upload, blocks: 0 });
        }
        self.token.as_ref().ok_or_else(|| lost(&self.blob.shown))
    }

    fn conditional(&self, ask: Ask) -> Ask {
        match self.blob.replace {
            Replace::No => ask.header("if-none-match", "*"),
            Replace::Yes => ask,
        }
    }

    async fn put_whole(self, bytes: Bytes) -> Result<u64> {
        let length = bytes.len() as u64;
        let sum = crc_fast::checksum(Self::CHECKSUM, &bytes);
        let ask = Ask::new(Method::PUT, self.blob.url.clone())
            .header("content-length", length.to_string())
            .header("x-ms-blob-type", "BlockBlob")
            .header("x-ms-blob-content-type", "application/octet-stream")
            .header(CRC64, crc64_text(sum));
        let ask = self.conditional(ask);
        let blob = self.blob;
        Outgoing::whole(bytes, |body| async move {
            let what = format!("writing `{}`", blob.shown);
            let answer = blob.container.feed(ask, body).await?;
            error::expect(answer, &what, FaultKind::Exists).await
        })
        .await?;
        Ok(length)
    }

    /// Makes a file of the blocks.
    async fn put_together(&self, token: &Token) -> Result<()> {
        let mut list = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
        for number in 0..token.blocks {
            list.push_str("<Uncommitted>");
            list.push_str(&token.block(number));
            list.push_str("</Uncommitted>");
        }
        list.push_str("</BlockList>");
        let mut url = self.blob.url.clone();
        url.query_pairs_mut().append_pair("comp", "blocklist");
        let ask = Ask::new(Method::PUT, url)
            .header("content-length", list.len().to_string())
            .header("x-ms-blob-content-type", "application/octet-stream");
        let ask = self.conditional(ask);
        let what = format!("finishing `{}`", self.blob.shown);
        let container = Arc::clone(&self.blob.container);
        let answer = Outgoing::whole(Bytes::from(list), |body| async move {
            let answer = container.feed(ask, body).await?;
            error::expect(answer, &what, FaultKind::Exists).await
        })
        .await?;
        self.check_size(super::version(&answer)).await
    }

    /// Looks whether the file that was made has as many bytes as were sent.
    async fn check_size(&self, version: Option<String>) -> Result<()> {
        let what = format!("checking `{}`", self.blob.shown);
        let head = self
            .blob
            .container
            .head(self.blob.url.clone(), &what)
            .await?;
        let Some(head) = head.filter(|head| super::version(head) == version) else {
            return Ok(()); // replaced or removed already, by somebody else
        };
        let size = super::entry("", &head).size_bytes;
        if size == Some(self.bytes) {
            return Ok(());
        }
        Err(Fault::protocol(format!(
            "{what}: {} bytes were sent, but it has {size:?}",
            self.bytes
        )))
    }
}

#[async_trait]
impl PartTarget for Upload {
    /// The checksum that the far side reckoned, if it tells.
    type Receipt = Option<String>;
    const CHECKSUM: CrcAlgorithm = CrcAlgorithm::Crc64Nvme;

    fn sizes(&self, left_bytes: Option<u64>) -> Result<PartSizes> {
        let blocks = self.token.as_ref().map_or(0, |token| token.blocks);
        let blocks_left = BLOCKS_MAX - BLOCKS_KEPT - blocks.min(BLOCKS_MAX - BLOCKS_KEPT - 1);
        let needed = left_bytes.unwrap_or(0).div_ceil(blocks_left);
        if blocks >= BLOCKS_MAX || needed > BLOCK_BYTES_MAX {
            return Err(Fault::new(
                FaultKind::OutOfSpace,
                "the file has more bytes than a blob can have, or too many for its size to stay undeclared",
            ));
        }
        let held = limit::HELD_PART_BYTES;
        Ok(PartSizes {
            streamed_bytes: needed.max(held as u64),
            // With nothing declared, half of the blocks are of 8 MiB and the others of 16: 585 GiB together.
            held_bytes: if blocks > BLOCKS_MAX / 2 && left_bytes.is_none() {
                2 * held
            } else {
                held
            },
        })
    }

    async fn begin(&mut self, length_bytes: u64) -> Result<Outgoing<Self::Receipt>> {
        let token = self.named().await?;
        let block = token.block(token.blocks);
        let mut url = self.blob.url.clone();
        url.query_pairs_mut()
            .append_pair("comp", "block")
            .append_pair("blockid", &block);
        let ask = Ask::new(Method::PUT, url).header("content-length", length_bytes.to_string());
        let blob = self.blob.clone();
        Ok(Outgoing::begin(length_bytes, |body| async move {
            let what = format!("writing `{}`", blob.shown);
            let answer = blob.container.feed(ask, body).await?;
            let answer = error::expect(answer, &what, FaultKind::Exists).await?;
            Ok(web::header(&answer, error::http_header(CRC64)).map(str::to_owned))
        }))
    }

    fn taken(&mut self, receipt: Self::Receipt, part: TakenPart) -> Result<()> {
        if receipt.is_some_and(|text| text != crc64_text(part.checksum)) {
            return Err(Fault::new(
                FaultKind::ConnectionLost,
                "a block arrived with other bytes than were sent",
            ));
        }
        if let Some(token) = &mut self.token {
            token.blocks += 1;
        }
        self.bytes += part.length_bytes;
        Ok(())
    }

    fn token(&self) -> Option<String> {
        let token = self.token.as_ref().filter(|token| token.blocks > 0)?;
        serde_json::to_string(token).ok()
    }

    async fn finish(mut self, mut rest: Bytes) -> Result<u64> {
        if self.token.as_ref().is_none_or(|token| token.blocks == 0) {
            return self.put_whole(rest).await;
        }
        if !rest.is_empty() {
            let part = TakenPart {
                length_bytes: rest.len() as u64,
                checksum: crc_fast::checksum(Self::CHECKSUM, &rest),
            };
            let mut outgoing = self.begin(part.length_bytes).await?;
            outgoing.give(&mut rest).await?;
            let receipt = outgoing.receipt().await?;
            self.taken(receipt, part)?;
        }
        if let Some(token) = &self.token {
            self.put_together(token).await?;
        }
        Ok(self.bytes)
    }
}

/// As the service writes it: base64 of the eight bytes, the lowest first.
fn crc64_text(sum: u64) -> String {
    STANDARD.encode(sum.to_le_bytes())
}

fn lost(shown: &str) -> Fault {
    let message = format!("the far side knows nothing of an unfinished `{shown}` any more");
    Fault::new(FaultKind::NotFound, message)
}

fn taken(shown: &str) -> Fault {
    Fault::new(FaultKind::Exists, format!("`{shown}` is there already"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_written_as_the_service_does() {
        // The check value of CRC-64/NVME, in the byte order of the service's own library.
        let sum = crc_fast::checksum(Upload::CHECKSUM, b"123456789");
        assert_eq!(sum, 0xae8b_1486_0a79_9888);
        assert_eq!(crc64_text(sum), "iJh5CoYUi64=");
    }

    #[test]
    fn block_names_are_of_one_length() {
        let token = Token {
            upload: "0123456789abcdef".to_owned(),
            blocks: 3,
        };
        assert_eq!(token.block(0).len(), 32);
        assert_eq!(token.block(49_999).len(), 32);
        assert_ne!(token.block(1), token.block(2));
    }
}
