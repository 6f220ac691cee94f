//! Byte streams in and out: sealed on the way in with a trace left first, opened across extents on the way out.

use std::ops::Range;
use std::pin::Pin;

use bailee_auth::Permit;
use bailee_model::{BlobId, Error, ErrorKind, Extent, FileId, Placement, Result, TenantId, limit};
use bailee_vault::{DataKey, Digest, OpenBlob, SealBlob};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use crate::staging::{Replaces, Reservation};
use crate::{Core, error};

/// Bytes on their way. Errors say what the caller is told: a cut body, a time-out, a file that is too large.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// Content that is sealed and durable (or inline, to be made durable with its row) but has no name yet. Dropped, it is
/// removed.
pub struct Staged {
    pub(crate) tenant: TenantId,
    pub(crate) file: FileId,
    pub(crate) data_key: DataKey,
    pub(crate) extent: Option<Extent>,
    pub(crate) reservation: Option<Reservation>,
    /// Bytes of content.
    pub size_bytes: u64,
    /// SHA-256, lower-case hex.
    pub hash: String,
    pub(crate) detected_type: Option<&'static str>,
}

/// What was sealed of one stream. Dropped with its reservation, it is removed.
pub(crate) struct Sealed {
    pub(crate) extent: Option<Extent>,
    /// Of content in a file of its own.
    pub(crate) reservation: Option<Reservation>,
    pub(crate) size_bytes: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) detected_type: Option<&'static str>,
}

impl Core {
    /// Seals a stream as a new blob of the permit's tenant. Content past the inline size leaves a reservation first,
    /// and ends with an error where the quota does.
    pub(crate) async fn seal(
        &self,
        permit: &Permit,
        key: &DataKey,
        stream: ByteStream,
        replaces: Replaces,
    ) -> Result<Sealed> {
        let (held, rest) = hold_back(stream, limit::INLINE_BYTES_MAX).await?;
        let blob = BlobId::new(self.clock.now(), &*self.chance);
        let held = stream::iter(held.into_iter().map(Ok));
        let (whole, reservation) = match rest {
            Some(rest) => {
                let whole = held.chain(rest).boxed();
                let whole = Box::pin(self.within_quota(permit, replaces, whole)).await?;
                (whole, Some(Box::pin(self.reserve(permit, blob)).await?))
            }
            None => (held.boxed(), None),
        };
        let command = SealBlob {
            tenant: permit.tenant(),
            blob,
            data_key: key,
            inline_bytes_max: limit::INLINE_BYTES_MAX,
            digest: Digest::Sha256,
        };
        // Boxed, like the steps before it: while the first bytes are awaited, none of them takes room.
        let sealing = self.vault.seal(command, whole, &*self.chance);
        let sealed = Box::pin(sealing).await.map_err(error::from_seal)?;
        let sha256 = sealed
            .sha256
            .ok_or_else(|| Error::internal("the vault made no digest"))?;
        let extent = Extent {
            blob,
            size_bytes: sealed.size_bytes,
            placement: sealed.placement,
        };
        Ok(Sealed {
            extent: (sealed.size_bytes > 0).then_some(extent),
            reservation,
            size_bytes: sealed.size_bytes,
            sha256,
            detected_type: sealed.detected_type,
        })
    }

    /// The bytes of `range` across extents, each verified before it leaves.
    pub(crate) fn unseal(
        &self,
        tenant: TenantId,
        key: &DataKey,
        extents: Vec<Extent>,
        range: Range<u64>,
    ) -> ByteStream {
        let (vault, key) = (self.vault.clone(), key.clone());
        let pieces = cut(extents, range);
        let opened = stream::iter(pieces).map(move |(extent, part)| {
            let command = OpenBlob {
                tenant,
                blob: extent.blob,
                data_key: &key,
                size_bytes: extent.size_bytes,
                placement: extent.placement,
            };
            vault
                .open(command, part)
                .map(|piece| piece.map_err(error::from_open))
        });
        opened.flatten().boxed()
    }
}

/// Takes up to `bytes` from the stream, and what came past them. The rest is `None` when the stream ended within them.
///
/// Pieces are copied together: each may keep a whole read buffer of the connection alive, however small it is.
async fn hold_back(
    mut stream: ByteStream,
    bytes: usize,
) -> Result<(Vec<Bytes>, Option<ByteStream>)> {
    let Some(first) = stream.next().await.transpose()? else {
        return Ok((Vec::new(), None));
    };
    let mut held: Vec<u8> = Vec::new();
    let mut next = first;
    loop {
        let taken = next.split_to(next.len().min(bytes - held.len()));
        if !next.is_empty() {
            return Ok((vec![held_with(held, taken), next], Some(stream)));
        }
        match stream.next().await.transpose()? {
            None => return Ok((vec![held_with(held, taken)], None)),
            Some(more) => next = more,
        }
        // All at once: the vault takes the full buffer over as it is.
        held.reserve_exact(bytes - held.len());
        held.extend_from_slice(&taken);
    }
}

fn held_with(mut held: Vec<u8>, taken: Bytes) -> Bytes {
    if held.is_empty() {
        // All in one piece, which goes on at once.
        return taken;
    }
    held.extend_from_slice(&taken);
    held.into()
}

/// The parts of the extents that `range` of the whole falls on.
fn cut(extents: Vec<Extent>, range: Range<u64>) -> Vec<(Extent, Range<u64>)> {
    let mut start = 0;
    let mut pieces = Vec::new();
    for extent in extents {
        let end = start + extent.size_bytes;
        let part = range.start.max(start)..range.end.min(end);
        if part.start < part.end {
            pieces.push((extent, part.start - start..part.end - start));
        }
        start = end;
    }
    pieces
}

/// Ends a stream with an error when it brings more than `declared` bytes or, where it must, fewer.
pub(crate) fn exactly(stream: ByteStream, declared: Option<u64>) -> ByteStream {
    let Some(declared) = declared else {
        return stream;
    };
    let wrong = || {
        Error::new(
            ErrorKind::SizeMismatch,
            "The content has another size than declared.",
        )
    };
    let counted = stream.scan(0_u64, move |seen, chunk| {
        let chunk = chunk.and_then(|chunk| {
            *seen += chunk.len() as u64;
            if *seen > declared {
                Err(wrong())
            } else {
                Ok(chunk)
            }
        });
        futures::future::ready(Some(chunk))
    });
    counted.boxed()
}

/// Whether a blob's sealed bytes are in a file of their own, and a reservation must be consumed.
pub(crate) fn is_stored(extent: &Extent) -> bool {
    extent.placement == Placement::Stored
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_range_falls_on_the_right_extents() {
        let extent = |bits, size_bytes| Extent {
            blob: BlobId::from_bits(bits),
            size_bytes,
            placement: Placement::Stored,
        };
        let pieces = cut(vec![extent(1, 10), extent(2, 5), extent(3, 7)], 8..16);
        let parts: Vec<_> = pieces
            .into_iter()
            .map(|(extent, part)| (extent.blob.bits(), part))
            .collect();
        assert_eq!(parts, vec![(1, 8..10), (2, 0..5), (3, 0..1)]);
        assert!(cut(vec![extent(1, 10)], 10..10).is_empty());
    }

    #[tokio::test]
    async fn holding_back_loses_no_byte_and_keeps_no_more_than_asked_for() {
        for (pieces, held_bytes) in [
            (&[][..], 0),
            (&["abc"], 3),
            (&["ab", "cd"], 4),
            (&["ab", "cd", "e"], 4),
            (&["abc", "def", "ghi"], 4),
            (&["abcdefgh"], 4),
        ] {
            let stream = stream::iter(pieces.iter().map(|piece| Ok(Bytes::from(*piece)))).boxed();
            let (held, rest) = hold_back(stream, 4).await.unwrap();
            let first = held.first().cloned().unwrap_or_default();
            assert_eq!(first.len(), held_bytes, "{pieces:?}");
            let whole = pieces.concat();
            assert_eq!(rest.is_some(), whole.len() > 4, "{pieces:?}");
            let mut got = held.concat();
            if let Some(rest) = rest {
                let rest: Vec<_> = rest.map(Result::unwrap).collect().await;
                got.extend(rest.concat());
            }
            assert_eq!(got, whole.as_bytes());
        }
    }
}
