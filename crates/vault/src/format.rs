//! The sealed format, version 1, without any I/O. `docs/reference/sealed-format.md` says the same in prose, and the files
//! under `golden/` keep both honest. Every constant here is part of the format: a change needs a new version byte.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use bailee_model::{BlobId, TenantId};
use bytes::{Buf, BufMut};
use zeroize::Zeroizing;

use crate::keys::DataKey;
use crate::limit::BATCH_BYTES;

/// What every sealed blob begins with.
pub const MAGIC: [u8; 7] = *b"BAILEE\0";
/// The version this crate writes.
pub const VERSION: u8 = 1;
/// AES-256-GCM.
pub const ALGORITHM_AES_256_GCM: u8 = 1;
/// Content bytes of every segment but the last.
pub const SEGMENT_BYTES: usize = 65_536;
/// Bytes of the tag that follows each segment's ciphertext.
pub const TAG_BYTES: usize = 16;
/// Bytes of the random salt in the header.
pub const SALT_BYTES: usize = 32;
/// Magic, version, algorithm, segment size, salt.
pub const HEADER_BYTES: usize = MAGIC.len() + 1 + 1 + 4 + SALT_BYTES;

const BLOB_KEY_LABEL: &[u8] = b"bailee blob v1";

/// The bytes are not what the format, the key and the place say they must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The magic is missing.
    #[error("not a sealed blob")]
    NotSealed,
    /// A version this program does not know.
    #[error("sealed format version {0} is unknown")]
    UnknownVersion(u8),
    /// An algorithm this program does not know.
    #[error("sealing algorithm {0} is unknown")]
    UnknownAlgorithm(u8),
    /// A segment size that version 1 does not have.
    #[error("segment size {0} is not of this version")]
    WrongSegmentSize(u32),
    /// Bytes are missing or too many.
    #[error("the length does not fit the content size")]
    WrongLength,
    /// A tag does not verify: changed, moved or foreign bytes, or another key.
    #[error("segment {0} does not verify")]
    WrongTag(u32),
    /// More segments than the counter can number, or one after the last.
    #[error("too many segments")]
    TooLong,
    /// The cryptographic library refused; never seen.
    #[error("the cipher refused")]
    Cipher,
}

/// The clear bytes in front of the segments; every segment authenticates them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    salt: [u8; SALT_BYTES],
}

impl Header {
    /// A header of the current version. `salt` must be random: it is what makes the key of each sealing its own.
    pub const fn new(salt: [u8; SALT_BYTES]) -> Self {
        Self { salt }
    }

    /// As written.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut rest = bytes.as_mut_slice();
        rest.put_slice(&MAGIC);
        rest.put_u8(VERSION);
        rest.put_u8(ALGORITHM_AES_256_GCM);
        rest.put_u32(SEGMENT_BYTES as u32);
        rest.put_slice(&self.salt);
        bytes
    }

    /// As read.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, FormatError> {
        let Some(mut rest) = bytes.strip_prefix(&MAGIC) else {
            return Err(FormatError::NotSealed);
        };
        let (version, algorithm, segment_bytes) = (rest.get_u8(), rest.get_u8(), rest.get_u32());
        if version != VERSION {
            return Err(FormatError::UnknownVersion(version));
        }
        if algorithm != ALGORITHM_AES_256_GCM {
            return Err(FormatError::UnknownAlgorithm(algorithm));
        }
        if segment_bytes as usize != SEGMENT_BYTES {
            return Err(FormatError::WrongSegmentSize(segment_bytes));
        }
        let mut salt = [0; SALT_BYTES];
        rest.copy_to_slice(&mut salt);
        Ok(Self { salt })
    }
}

/// Segments of a content of `size_bytes`: at least one, since emptiness is authenticated too.
pub const fn segment_count(size_bytes: u64) -> u64 {
    let full = size_bytes.div_ceil(SEGMENT_BYTES as u64);
    if full == 0 { 1 } else { full }
}

/// Bytes a content of `size_bytes` takes when sealed, header included.
pub const fn sealed_size(size_bytes: u64) -> u64 {
    HEADER_BYTES as u64 + size_bytes + segment_count(size_bytes) * TAG_BYTES as u64
}

/// The number of the segment that holds the content byte at `offset`.
pub const fn segment_of(offset: u64) -> u64 {
    offset / SEGMENT_BYTES as u64
}

/// Where segment `index` begins in the sealed bytes.
pub(crate) const fn sealed_offset(index: u64) -> u64 {
    HEADER_BYTES as u64 + index * (SEGMENT_BYTES + TAG_BYTES) as u64
}

/// Sealed bytes of a run of segments holding `content_bytes`, without header.
pub(crate) const fn sealed_run(content_bytes: usize) -> usize {
    content_bytes + segment_count(content_bytes as u64) as usize * TAG_BYTES
}

/// Whether a run of segments ends the blob. The flag is in the nonce, so a cut or continued blob does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// More segments follow.
    More,
    /// The run holds the last segment.
    Last,
}

/// The key of one blob: only ever used with one salt, one tenant and one blob id.
struct BlobKey(LessSafeKey);

impl BlobKey {
    fn derive(
        data_key: &DataKey,
        header: &Header,
        tenant: TenantId,
        blob: BlobId,
    ) -> Result<Self, FormatError> {
        let (tenant, blob) = (tenant.to_string(), blob.to_string());
        // Ids are of fixed length, so the parts of the info cannot be confused with one another.
        let info = [BLOB_KEY_LABEL, tenant.as_bytes(), blob.as_bytes()];
        let mut key = Zeroizing::new([0u8; 32]);
        Salt::new(HKDF_SHA256, &header.salt)
            .extract(data_key.bytes())
            .expand(&info, HKDF_SHA256)
            .and_then(|okm| okm.fill(key.as_mut_slice()))
            .map_err(|_| FormatError::Cipher)?;
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| FormatError::Cipher)?;
        Ok(Self(LessSafeKey::new(key)))
    }
}

/// The STREAM nonce: seven zero bytes, the segment's number, the last-segment flag.
fn nonce(index: u32, end: End) -> Nonce {
    let [a, b, c, d] = index.to_be_bytes();
    Nonce::assume_unique_for_key([0, 0, 0, 0, 0, 0, 0, a, b, c, d, u8::from(end == End::Last)])
}

/// The tags of a batch, as many as it has segments, in order.
pub(crate) type RunTags = [[u8; TAG_BYTES]; BATCH_BYTES / SEGMENT_BYTES];

/// Seals the segments of one blob in order.
pub struct SegmentSealer {
    key: BlobKey,
    header: [u8; HEADER_BYTES],
    /// None after the last segment, or when the numbers have run out.
    next: Option<u32>,
}

impl SegmentSealer {
    /// A sealer for one blob. The header's salt must never have been used with this data key and blob before.
    pub fn new(
        data_key: &DataKey,
        header: Header,
        tenant: TenantId,
        blob: BlobId,
    ) -> Result<Self, FormatError> {
        Ok(Self {
            key: BlobKey::derive(data_key, &header, tenant, blob)?,
            header: header.encode(),
            next: Some(0),
        })
    }

    /// The bytes that go in front.
    pub fn header(&self) -> &[u8; HEADER_BYTES] {
        &self.header
    }

    /// Seals a run of segments from `content` into the front of `sealed` and returns the number of bytes written.
    /// Before the end `content` is whole segments; `sealed` must have room for a tag with each segment.
    pub fn seal(
        &mut self,
        content: &[u8],
        end: End,
        sealed: &mut [u8],
    ) -> Result<usize, FormatError> {
        if end == End::More && (content.is_empty() || !content.len().is_multiple_of(SEGMENT_BYTES))
        {
            return Err(FormatError::WrongLength);
        }
        let run_bytes = sealed_run(content.len());
        let mut rest = sealed
            .get_mut(..run_bytes)
            .ok_or(FormatError::WrongLength)?;
        let mut content = content;
        loop {
            let (segment, after) = content.split_at(content.len().min(SEGMENT_BYTES));
            let (place, after_place) = rest
                .split_at_mut_checked(segment.len() + TAG_BYTES)
                .ok_or(FormatError::WrongLength)?;
            let segment_end = if after.is_empty() { end } else { End::More };
            self.seal_one(segment, segment_end, place)?;
            if after.is_empty() {
                return Ok(run_bytes);
            }
            (content, rest) = (after, after_place);
        }
    }

    /// Seals a run of segments where they are and returns their tags, which go behind each. Before the end `content` is
    /// whole segments. On error `content` holds nothing that may be used.
    pub(crate) fn seal_in_place(
        &mut self,
        content: &mut [u8],
        end: End,
    ) -> Result<RunTags, FormatError> {
        if end == End::More && (content.is_empty() || !content.len().is_multiple_of(SEGMENT_BYTES))
        {
            return Err(FormatError::WrongLength);
        }
        let mut tags = RunTags::default();
        let mut places = tags.iter_mut();
        let mut rest = content;
        loop {
            let (segment, after) = rest.split_at_mut(rest.len().min(SEGMENT_BYTES));
            let segment_end = if after.is_empty() { end } else { End::More };
            let index = self.next.ok_or(FormatError::TooLong)?;
            let place = places.next().ok_or(FormatError::WrongLength)?;
            let tag = self
                .key
                .0
                .seal_in_place_separate_tag(
                    nonce(index, segment_end),
                    Aad::from(&self.header),
                    segment,
                )
                .map_err(|_| FormatError::Cipher)?;
            *place = tag.as_ref().try_into().map_err(|_| FormatError::Cipher)?;
            self.next = match segment_end {
                End::More => index.checked_add(1),
                End::Last => None,
            };
            if after.is_empty() {
                return Ok(tags);
            }
            rest = after;
        }
    }

    fn seal_one(&mut self, segment: &[u8], end: End, place: &mut [u8]) -> Result<(), FormatError> {
        let index = self.next.ok_or(FormatError::TooLong)?;
        let (ciphertext, tag) = place
            .split_at_mut_checked(segment.len())
            .ok_or(FormatError::WrongLength)?;
        self.key
            .0
            .seal_out_of_place_scatter(
                nonce(index, end),
                Aad::from(&self.header),
                segment,
                ciphertext,
                &[],
                tag,
            )
            .map_err(|_| FormatError::Cipher)?;
        self.next = match end {
            End::More => index.checked_add(1),
            End::Last => None,
        };
        Ok(())
    }
}

/// Opens segments of one blob, in any order.
pub struct SegmentOpener {
    key: BlobKey,
    header: [u8; HEADER_BYTES],
}

impl SegmentOpener {
    /// An opener for the blob with the given header bytes. A wrong key, tenant or blob shows at the first segment.
    pub fn new(
        data_key: &DataKey,
        header: &[u8; HEADER_BYTES],
        tenant: TenantId,
        blob: BlobId,
    ) -> Result<Self, FormatError> {
        Ok(Self {
            key: BlobKey::derive(data_key, &Header::decode(header)?, tenant, blob)?,
            header: *header,
        })
    }

    /// Opens a run of segments beginning with number `first` from `sealed` into the front of `content`; returns the
    /// number of content bytes. On error `content` holds nothing that may be used.
    pub fn open(
        &self,
        first: u32,
        end: End,
        sealed: &[u8],
        content: &mut [u8],
    ) -> Result<usize, FormatError> {
        let (mut sealed, mut content, mut index, mut opened) = (sealed, content, first, 0);
        loop {
            let (segment, after) = sealed.split_at(sealed.len().min(SEGMENT_BYTES + TAG_BYTES));
            let (ciphertext, tag) = segment
                .len()
                .checked_sub(TAG_BYTES)
                .and_then(|at| segment.split_at_checked(at))
                .ok_or(FormatError::WrongLength)?;
            let (place, after_place) = content
                .split_at_mut_checked(ciphertext.len())
                .ok_or(FormatError::WrongLength)?;
            let segment_end = if after.is_empty() { end } else { End::More };
            self.key
                .0
                .open_separate_gather(
                    nonce(index, segment_end),
                    Aad::from(&self.header),
                    ciphertext,
                    tag,
                    place,
                )
                .map_err(|_| FormatError::WrongTag(index))?;
            opened += ciphertext.len();
            if after.is_empty() {
                return Ok(opened);
            }
            index = index.checked_add(1).ok_or(FormatError::TooLong)?;
            (sealed, content) = (after, after_place);
        }
    }
}
