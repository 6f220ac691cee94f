//! An object in parts, as the far side sees it: begun, its parts counted, put together or given up.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;

use super::bucket::{Bucket, Whole, found, size_bytes, version};
use super::{error, limits, xml};
use crate::connector::Replace;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;

/// Where something is to be made.
#[derive(Clone)]
pub(super) struct Target {
    pub bucket: Arc<Bucket>,
    pub key: String,
    /// The path, for messages.
    pub shown: String,
    pub replace: Replace,
}

impl Target {
    /// [`FaultKind::Exists`] if something is there and may not be replaced. Whoever may write but not look is let through.
    pub(super) async fn check_free(&self) -> Result<()> {
        if self.replace == Replace::Yes {
            return Ok(());
        }
        let what = format!("looking at `{}`", self.shown);
        match self.bucket.head(&self.key, &what).await {
            Ok(Some(_)) => Err(Fault::new(
                FaultKind::Exists,
                format!("`{}` is there already", self.shown),
            )),
            Err(fault) if fault.kind() != &FaultKind::PermissionDenied => Err(fault),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// What the far side is to check once more, in the same step in which the object appears.
    pub(super) fn condition(&self) -> Option<(&'static str, String)> {
        (self.replace == Replace::No).then(|| ("if-none-match", "*".to_owned()))
    }

    /// Begins an object in parts, with `headers` besides the usual ones.
    pub(super) async fn begin(self, headers: Vec<(String, String)>) -> Result<Upload> {
        let what = format!("beginning `{}`", self.shown);
        let mut ask = self
            .bucket
            .making(Method::POST, &self.key)
            .query("uploads", "");
        for (name, value) in headers {
            ask.headers.retain(|(other, _)| *other != name);
            ask = ask.header(name, value);
        }
        let request = Whole {
            ask,
            body: Bytes::new(),
            condition: None,
            what,
            refused: FaultKind::Exists,
            time_max: limits::PART_ANSWER_TIME_MAX,
        };
        let (_, document) = request.send(&self.bucket).await?;
        let id = xml::only(&document, "InitiateMultipartUploadResult", "UploadId")?;
        let id = error::fit(&id.unwrap_or_default(), limits::UPLOAD_ID_BYTES_MAX)?;
        Ok(Upload { target: self, id })
    }
}

/// An object in parts.
#[derive(Clone)]
pub(super) struct Upload {
    pub target: Target,
    pub id: String,
}

impl Upload {
    /// The parts 1 to `count` that the far side holds.
    pub(super) async fn parts(&self, count: u64) -> Result<Vec<xml::HeldPart>> {
        let Target {
            bucket, key, shown, ..
        } = &self.target;
        let what = format!("going on with `{shown}`");
        let mut held: Vec<xml::HeldPart> = Vec::new();
        let mut marker = 0;
        loop {
            let ask = bucket
                .about(Method::GET, key)
                .query("uploadId", self.id.clone())
                .query("part-number-marker", marker.to_string());
            let answer = error::expect(bucket.send(ask).await?, &what, &FaultKind::Changed).await?;
            let document = error::document(answer, &what, &FaultKind::Changed).await?;
            let (page, next) = xml::parts(&document)?;
            for part in page {
                if part.number == held.len() as u64 + 1 && part.number <= count {
                    error::fit(&part.tag, limits::TAG_BYTES_MAX)?;
                    held.push(part);
                }
            }
            match next {
                // Numbers that do not rise would lead round in a circle.
                Some(next) if next > marker && next < count => marker = next,
                _ => return Ok(held),
            }
        }
    }

    /// Puts the parts with these tags together to `bytes` bytes.
    pub(super) async fn complete(&self, tags: &[String], bytes: u64) -> Result<()> {
        let Target {
            bucket, key, shown, ..
        } = &self.target;
        self.target.check_free().await?;
        let request = Whole {
            ask: bucket
                .about(Method::POST, key)
                .query("uploadId", self.id.clone())
                .header("content-type", "application/xml"),
            body: Bytes::from(xml::complete(tags)),
            condition: self.target.condition(),
            what: format!("finishing `{shown}`"),
            refused: FaultKind::Exists,
            time_max: limits::WHOLE_ANSWER_TIME_MAX,
        };
        let (_, document) = request.send(bucket).await?;
        let tag = xml::only(&document, "CompleteMultipartUploadResult", "ETag")?;
        let Some(tag) = tag else {
            return Err(Fault::protocol(format!(
                "finishing `{shown}`: the far system does not say that it did"
            )));
        };
        self.check_size(&xml::quoted(&tag), bytes).await
    }

    /// Looks whether the object that was made has as many bytes as were sent.
    async fn check_size(&self, tag: &str, bytes: u64) -> Result<()> {
        let Target {
            bucket, key, shown, ..
        } = &self.target;
        let head = match bucket.head(key, &format!("checking `{shown}`")).await {
            Err(fault) if fault.kind() == &FaultKind::PermissionDenied => return Ok(()),
            other => other?,
        };
        let Some(head) = head.filter(|head| version(head).as_deref() == Some(tag)) else {
            return Ok(()); // replaced or removed already, by somebody else
        };
        match size_bytes(&head) {
            Some(size) if size != bytes => Err(Fault::protocol(format!(
                "`{shown}`: {bytes} bytes were sent, but the far system has {size}"
            ))),
            _ => Ok(()),
        }
    }

    /// Gives it up. What is not there any more is given up already.
    pub(super) async fn abort(&self) -> Result<()> {
        let Target {
            bucket, key, shown, ..
        } = &self.target;
        let ask = bucket
            .about(Method::DELETE, key)
            .query("uploadId", self.id.clone());
        let what = format!("giving up `{shown}`");
        let answer = bucket.send(ask).await?;
        found(error::expect(answer, &what, &FaultKind::Changed).await)?;
        Ok(())
    }

    /// How many bytes the next part has if `left_bytes` follow `done` parts.
    pub(super) fn part_bytes(left_bytes: u64, done: u64) -> Result<u64> {
        let needed = match limits::PARTS_MAX.saturating_sub(done) {
            0 => u64::MAX,
            parts => left_bytes.div_ceil(parts),
        };
        if needed > limits::PART_BYTES_MAX {
            return Err(too_large());
        }
        let part = needed
            .max(limits::PART_BYTES_MIN)
            .next_multiple_of(limits::PART_BYTES_STEP);
        Ok(part.min(limits::PART_BYTES_MAX).min(left_bytes))
    }

    /// How many bytes are held for a part if nobody said how many follow.
    pub(super) fn held_bytes(done: u64) -> Result<usize> {
        if done >= limits::PARTS_MAX {
            return Err(too_large());
        }
        // Half of the parts are of 8 MiB and the others of 16: 117 GiB together.
        let bytes = if done < limits::PARTS_MAX / 2 { 1 } else { 2 } * limits::PART_BYTES_MIN;
        Ok(usize::try_from(bytes).unwrap_or(limit::DOCUMENT_BYTES_MAX))
    }
}

fn too_large() -> Fault {
    let message = "the file has more bytes than an object can have, or too many for its size to stay undeclared";
    Fault::new(FaultKind::OutOfSpace, message)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn every_size_fits_into_the_parts_there_are() {
        assert_eq!(Upload::part_bytes(9 * MIB, 0).unwrap(), 8 * MIB);
        assert_eq!(Upload::part_bytes(5, 3).unwrap(), 5);
        for all in [100 * MIB, 5 * MIB * MIB, 48 * MIB * MIB + 7] {
            let (mut left, mut done) = (all, 0);
            while left > 0 {
                let part = Upload::part_bytes(left, done).unwrap();
                assert!(part <= limits::PART_BYTES_MAX && part > 0);
                (left, done) = (left - part, done + 1);
            }
            assert!(done <= limits::PARTS_MAX, "{all}: {done}");
        }
        assert!(Upload::part_bytes(60 * MIB * MIB, 0).is_err());
        assert!(Upload::part_bytes(1, limits::PARTS_MAX).is_err());
        assert!(Upload::held_bytes(limits::PARTS_MAX).is_err());
    }
}
