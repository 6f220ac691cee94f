//! Steps that make content of content: OpenPGP, archives, checks, checksums.
//!
//! A step takes the files that reach it and puts out others, or the same. A fault of one file is the step's: nothing is put out
//! then.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{FileName, FilePath, PgpKeyRef, limit};

/// A step of a flow that works on the content of files; `kind` tells them apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ContentStep {
    /// Encrypts each file.
    PgpEncrypt(PgpEncrypt),
    /// Decrypts each file.
    PgpDecrypt(PgpDecrypt),
    /// Signs each file.
    PgpSign(PgpSign),
    /// Verifies the signature of each file.
    PgpVerify(PgpVerify),
    /// Packs the files.
    Compress(CompressStep),
    /// Unpacks each file.
    Extract(ExtractStep),
    /// Checks each file.
    Validate(Box<ValidateStep>),
    /// Writes or compares files of checksums.
    Checksum(ChecksumStep),
}

impl ContentStep {
    /// The words for `kind`.
    pub const KINDS: [&'static str; 8] = [
        "pgp_encrypt",
        "pgp_decrypt",
        "pgp_sign",
        "pgp_verify",
        "compress",
        "extract",
        "validate",
        "checksum",
    ];

    /// The kind as in documents.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::PgpEncrypt(_) => "pgp_encrypt",
            Self::PgpDecrypt(_) => "pgp_decrypt",
            Self::PgpSign(_) => "pgp_sign",
            Self::PgpVerify(_) => "pgp_verify",
            Self::Compress(_) => "compress",
            Self::Extract(_) => "extract",
            Self::Validate(_) => "validate",
            Self::Checksum(_) => "checksum",
        }
    }
}

/// Encrypts each file for all recipients: `a.csv` becomes `a.csv.pgp`, or `a.csv.asc` where it is armored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PgpEncrypt {
    /// Who may read it.
    #[serde(deserialize_with = "some_keys")]
    pub recipients: Vec<PgpKeyRef>,
    /// The key of the tenant that signs it as well.
    #[serde(default)]
    pub sign_with: Option<PgpKeyRef>,
    /// Text for mail instead of bytes.
    #[serde(default)]
    pub armor: bool,
    /// Whether the content is packed first.
    #[serde(default = "yes")]
    pub compress: bool,
    /// Another ending than the usual one.
    #[serde(default)]
    pub suffix: Option<Suffix>,
}

/// Decrypts each file: `a.csv.pgp` becomes `a.csv`. A file that is not encrypted is a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PgpDecrypt {
    /// The tenant's keys that may open it.
    #[serde(deserialize_with = "some_keys")]
    pub keys: Vec<PgpKeyRef>,
    /// Where named, a good signature by one of these is required.
    #[serde(default, deserialize_with = "few_keys")]
    pub signers: Vec<PgpKeyRef>,
    /// Most bytes that one message may grow to.
    #[serde(default)]
    pub max_bytes: Option<u64>,
}

/// Where a signature stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureMode {
    /// In a file of its own, beside the content.
    #[default]
    Detached,
    /// Around the content.
    Inline,
}

/// Signs each file. Detached: `a.csv` is joined by `a.csv.asc`, or `a.csv.sig` where it is not armored. Inline: `a.csv` becomes
/// `a.csv.asc` or `a.csv.pgp`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PgpSign {
    /// The tenant's key that signs.
    pub key: PgpKeyRef,
    /// Where the signature stands.
    #[serde(default)]
    pub mode: SignatureMode,
    /// Text instead of bytes.
    #[serde(default = "yes")]
    pub armor: bool,
}

/// Verifies each file. Detached: puts out the files without their signatures. Inline: puts out what was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PgpVerify {
    /// Whose signatures count.
    #[serde(deserialize_with = "some_keys")]
    pub signers: Vec<PgpKeyRef>,
    /// Where the signature stands.
    #[serde(default)]
    pub mode: SignatureMode,
    /// Where a detached signature is found: a name among the step's files, or a path in Bailee, with `{name}` and `{stem}` for
    /// those of the file. Without it, `{name}.asc`, `{name}.sig` and `{name}.sign` are looked for.
    #[serde(default)]
    pub signature: Option<SignaturePlace>,
    /// Most bytes that one inline message may grow to.
    #[serde(default)]
    pub max_bytes: Option<u64>,
}

/// What an archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArchiveFormat {
    /// ZIP, deflated.
    #[serde(rename = "zip")]
    Zip,
    /// One file, by gzip.
    #[serde(rename = "gzip")]
    Gzip,
    /// One file, by zstd.
    #[serde(rename = "zstd")]
    Zstd,
    /// tar.
    #[serde(rename = "tar")]
    Tar,
    /// tar in gzip.
    #[serde(rename = "tar.gz")]
    TarGz,
    /// tar in zstd.
    #[serde(rename = "tar.zst")]
    TarZst,
}

impl ArchiveFormat {
    /// What names of such files end with.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Zip => ".zip",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
            Self::Tar => ".tar",
            Self::TarGz => ".tar.gz",
            Self::TarZst => ".tar.zst",
        }
    }

    /// Whether it holds several files.
    pub const fn holds_many(self) -> bool {
        !matches!(self, Self::Gzip | Self::Zstd)
    }

    /// What a name says of its content, and the name without the ending.
    pub fn of_name(name: &str) -> Option<(Self, &str)> {
        const ENDINGS: [(&str, ArchiveFormat); 9] = [
            (".tar.gz", ArchiveFormat::TarGz),
            (".tgz", ArchiveFormat::TarGz),
            (".tar.zst", ArchiveFormat::TarZst),
            (".tzst", ArchiveFormat::TarZst),
            (".zip", ArchiveFormat::Zip),
            (".tar", ArchiveFormat::Tar),
            (".gz", ArchiveFormat::Gzip),
            (".zst", ArchiveFormat::Zstd),
            (".zstd", ArchiveFormat::Zstd),
        ];
        ENDINGS.into_iter().find_map(|(ending, format)| {
            let cut = name.len().checked_sub(ending.len())?;
            let (stem, end) = name.split_at_checked(cut)?;
            (!stem.is_empty() && end.eq_ignore_ascii_case(ending)).then_some((format, stem))
        })
    }
}

/// Packs the files: into one archive, or each by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompressStep {
    /// What is made.
    pub format: ArchiveFormat,
    /// The name of the one archive that holds all; without it each file is packed by itself, as `a.csv.zip`.
    #[serde(default)]
    pub archive: Option<FileName>,
}

/// Unpacks each file. One archive is unpacked into the step's folder, each of several into a folder of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtractStep {
    /// What it is; told from the name where absent.
    pub format: Option<ArchiveFormat>,
    /// Most files that come of one archive.
    pub max_files: Option<u64>,
    /// Most bytes that come of one archive.
    pub max_bytes: Option<u64>,
    /// Most bytes that come of each byte of an archive.
    pub max_ratio: Option<u64>,
}

/// Checks each file; those that fail are told with their lines. Puts out the files as they came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidateStep {
    /// A pattern (regular expression) that the whole name must match.
    pub name_pattern: Option<String>,
    /// Fewest bytes.
    pub min_bytes: Option<u64>,
    /// Most bytes.
    pub max_bytes: Option<u64>,
    /// Types that the content may have, such as `application/pdf` or `image/*`.
    pub types: Vec<String>,
    /// It must be such a CSV file.
    pub csv: Option<CsvForm>,
    /// It must be such a JSON document.
    pub json: Option<JsonForm>,
    /// It must be a well-formed XML document without definitions of its own.
    pub xml: bool,
}

impl ValidateStep {
    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a CSV file must be, in UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvForm {
    /// What stands between values.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// Whether the first row holds the names of the columns.
    #[serde(default = "yes")]
    pub header: bool,
    /// The columns, in their order.
    pub columns: Vec<CsvColumn>,
    /// Fewest rows of data.
    #[serde(default)]
    pub min_rows: u64,
}

/// A column of a CSV file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvColumn {
    /// Its name.
    pub name: String,
    /// What its values are.
    #[serde(default, rename = "type")]
    pub kind: CsvType,
    /// A pattern (regular expression) that whole values match.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Whether a value must be there.
    #[serde(default)]
    pub required: bool,
}

/// What values of a column are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CsvType {
    /// Anything.
    #[default]
    Text,
    /// A sign and digits.
    Integer,
    /// A sign, digits, a point and digits.
    Decimal,
    /// `2026-11-22`.
    Date,
    /// `true` or `false`.
    Boolean,
}

/// What a JSON document must be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JsonForm {
    /// A JSON Schema that refers to nothing outside of itself; well-formed is enough without.
    pub schema: Option<serde_json::Value>,
}

/// Whether checksums are written or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChecksumMode {
    /// They are written, beside the files.
    Write,
    /// They are compared; the files of checksums are not put out.
    Check,
}

/// Writes or compares files of SHA-256 checksums as `sha256sum` knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChecksumStep {
    /// What is done.
    pub mode: ChecksumMode,
    /// The name of one file with the checksums of all; without it each file `a.csv` has its own, `a.csv.sha256`.
    #[serde(default)]
    pub manifest: Option<FileName>,
}

/// What is put behind a name: a point, then 1 to 31 letters, digits, points, hyphens and underscores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Suffix(String);

impl Suffix {
    /// The text, with its point.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Suffix {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let is_fit = text.strip_prefix('.').is_some_and(|rest| {
            let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            (1..=31).contains(&rest.len()) && rest.chars().all(letters) && !rest.ends_with('.')
        });
        if is_fit {
            Ok(Self(text))
        } else {
            let why =
                "a suffix is a point and 1 to 31 letters, digits, points, hyphens and underscores";
            Err(serde::de::Error::custom(why))
        }
    }
}

/// Where a detached signature is found: a name, or a path with a leading `/`, with `{name}` and `{stem}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SignaturePlace(String);

/// A [`SignaturePlace`] for one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundSignature {
    /// A file of the same step.
    Name(String),
    /// A file in Bailee.
    Path(FilePath),
}

impl SignaturePlace {
    /// Where the signature of the file `name` is; `None` if its name makes no path.
    pub fn of(&self, name: &str) -> Option<FoundSignature> {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let stem = if stem.is_empty() { name } else { stem };
        let filled = self.0.replace("{name}", name).replace("{stem}", stem);
        if filled.starts_with('/') {
            return filled.parse().ok().map(FoundSignature::Path);
        }
        Some(FoundSignature::Name(filled))
    }
}

impl fmt::Display for SignaturePlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SignaturePlace {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let names_file = text.contains("{name}") || text.contains("{stem}");
        let filled = text.replace("{name}", "a").replace("{stem}", "a");
        let is_fit = if filled.starts_with('/') {
            filled.parse::<FilePath>().is_ok()
        } else {
            filled.parse::<FileName>().is_ok()
        };
        if names_file && is_fit && !filled.contains(['{', '}']) && text != "{name}" {
            Ok(Self(text))
        } else {
            let why = "must be a name or a path with `{name}` or `{stem}`, such as `{name}.sig`";
            Err(serde::de::Error::custom(why))
        }
    }
}

fn some_keys<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<PgpKeyRef>, D::Error> {
    let keys = few_keys(input)?;
    if keys.is_empty() {
        return Err(serde::de::Error::custom("must name at least one key"));
    }
    Ok(keys)
}

fn few_keys<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<PgpKeyRef>, D::Error> {
    let keys = Vec::<PgpKeyRef>::deserialize(input)?;
    if keys.len() > limit::STEP_KEYS_MAX {
        let why = format!("names more than {} keys", limit::STEP_KEYS_MAX);
        return Err(serde::de::Error::custom(why));
    }
    Ok(keys)
}

const fn yes() -> bool {
    true
}

const fn comma() -> char {
    ','
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn read(text: &str) -> Result<ContentStep, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn steps_read_back_as_themselves() {
        for text in [
            r#"{"kind":"pgp_encrypt","recipients":["bank","pgp_00000000000000000000000001"],"sign_with":"own"}"#,
            r#"{"kind":"pgp_decrypt","keys":["own"],"signers":["bank"],"max_bytes":1000}"#,
            r#"{"kind":"pgp_sign","key":"own","mode":"inline","armor":false}"#,
            r#"{"kind":"pgp_verify","signers":["bank"],"signature":"/sig/{name}.sig"}"#,
            r#"{"kind":"compress","format":"tar.zst","archive":"all.tar.zst"}"#,
            r#"{"kind":"extract"}"#,
            r#"{"kind":"validate","csv":{"columns":[{"name":"id","type":"integer","required":true}]}}"#,
            r#"{"kind":"checksum","mode":"check","manifest":"SHA256SUMS"}"#,
        ] {
            let step = read(text).unwrap();
            let again = read(&serde_json::to_string(&step).unwrap()).unwrap();
            assert_eq!(step, again, "{text}");
            assert!(ContentStep::KINDS.contains(&step.kind()));
        }
    }

    #[test]
    fn what_could_mean_nothing_is_refused() {
        for (text, why) in [
            (r#"{"kind":"shred"}"#, "unknown variant `shred`"),
            (r#"{"kind":"pgp_encrypt"}"#, "missing field `recipients`"),
            (
                r#"{"kind":"pgp_encrypt","recipients":[]}"#,
                "at least one key",
            ),
            (
                r#"{"kind":"pgp_encrypt","recipients":["Not A Name"]}"#,
                "a key's name",
            ),
            (
                r#"{"kind":"pgp_encrypt","recipients":["a"],"suffix":"/../x"}"#,
                "a suffix",
            ),
            (
                r#"{"kind":"pgp_decrypt","keys":["a"],"signer":["b"]}"#,
                "unknown field `signer`",
            ),
            (
                r#"{"kind":"pgp_verify","signers":["a"],"signature":"all.sig"}"#,
                "must be a name",
            ),
            (
                r#"{"kind":"pgp_verify","signers":["a"],"signature":"/a/../{name}"}"#,
                "must be a name",
            ),
            (
                r#"{"kind":"compress","format":"rar"}"#,
                "unknown variant `rar`",
            ),
            (
                r#"{"kind":"validate","csv":{"columns":[{"name":"a","typ":"text"}]}}"#,
                "unknown field `typ`",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn signatures_are_found_by_the_files_name() {
        let place: SignaturePlace = serde_json::from_str(r#""/sig/{stem}.p7""#).unwrap();
        let path = "/sig/a.p7".parse().unwrap();
        assert_eq!(place.of("a.csv"), Some(FoundSignature::Path(path)));
        let place: SignaturePlace = serde_json::from_str(r#""{name}.sig""#).unwrap();
        let name = FoundSignature::Name("a.csv.sig".to_owned());
        assert_eq!(place.of("a.csv"), Some(name));
    }

    #[test]
    fn endings_tell_archives() {
        for (name, expected) in [
            ("a.tar.gz", Some((ArchiveFormat::TarGz, "a"))),
            ("A.ZIP", Some((ArchiveFormat::Zip, "A"))),
            ("a.csv.gz", Some((ArchiveFormat::Gzip, "a.csv"))),
            (".zip", None),
            ("a.csv", None),
        ] {
            assert_eq!(ArchiveFormat::of_name(name), expected, "{name}");
        }
    }
}
