//! Packing and unpacking.

use std::io;

use bailee_content::archive::{
    self, Caps, Compression, Entries, Event, Format, NewEntry, Packer, extract_tar, extract_zip,
};
use bailee_content::{Error as ContentError, Result as ContentResult};
use bailee_core::model::{ArchiveFormat, CompressStep, ExtractStep, FlowFile, StepFault};
use bailee_core::{Caller, Core};
use tokio::io::{AsyncWriteExt as _, DuplexStream};

use super::Work;
use super::fault::of_content;
use super::outputs::Outputs;
use super::streams;

pub(super) async fn compress(work: &mut Work<'_>, step: &CompressStep) -> Result<(), StepFault> {
    if let Some(name) = &step.archive {
        if !step.format.holds_many() && work.files.len() > 1 {
            let detail = format!(
                "{} holds one file and {} came; use zip or tar, or leave `archive` out.",
                name,
                work.files.len()
            );
            return Err(StepFault::permanent("archive_one_file", detail));
        }
        return pack(work, (name.as_str(), step.format), work.files).await;
    }
    for file in work.files {
        let name = format!("{}{}", file.name, step.format.suffix());
        pack(work, (&name, step.format), std::slice::from_ref(file)).await?;
    }
    Ok(())
}

async fn pack(
    work: &mut Work<'_>,
    (name, format): (&str, ArchiveFormat),
    files: &[FlowFile],
) -> Result<(), StepFault> {
    let (core, caller) = (work.core, work.caller);
    match (writer(format), files) {
        (Writer::Many(format), files) => {
            work.outputs
                .make((name, name), |output| {
                    packed(output, format, (core, caller, files))
                })
                .await
        }
        (Writer::One(by), [file]) => {
            let input = streams::open(core, caller, file).await?;
            work.outputs
                .make((name, file.name.as_str()), |output| {
                    archive::compress(input, output, by)
                })
                .await
                .map(drop)
        }
        // No file, no archive of one.
        (Writer::One(_), _) => Ok(()),
    }
}

enum Writer {
    Many(Format),
    One(Compression),
}

fn writer(format: ArchiveFormat) -> Writer {
    match format {
        ArchiveFormat::Zip => Writer::Many(Format::Zip),
        ArchiveFormat::Tar => Writer::Many(Format::Tar(None)),
        ArchiveFormat::TarGz => Writer::Many(Format::Tar(Some(Compression::Gzip))),
        ArchiveFormat::TarZst => Writer::Many(Format::Tar(Some(Compression::Zstd))),
        ArchiveFormat::Gzip => Writer::One(Compression::Gzip),
        ArchiveFormat::Zstd => Writer::One(Compression::Zstd),
    }
}

async fn packed(
    output: DuplexStream,
    format: Format,
    (core, caller, files): (&Core, &Caller, &[FlowFile]),
) -> ContentResult<()> {
    let mut packer = Packer::start(output, format);
    for file in files {
        let input = streams::read(core, caller, file).await;
        let input = input.map_err(|error| ContentError::Read(io::Error::other(error)))?;
        let entry = NewEntry {
            name: file.name.to_string(),
            is_folder: false,
            size_bytes: file.size_bytes,
            // The same files make the same archive, whenever that is.
            modified: Some(file.file_id.made_at()),
        };
        packer.add(entry, input).await?;
    }
    packer.finish().await
}

pub(super) async fn extract(work: &mut Work<'_>, step: &ExtractStep) -> Result<(), StepFault> {
    let is_alone = work.files.len() == 1;
    for file in work.files {
        let told = ArchiveFormat::of_name(file.name.as_str());
        let Some(format) = step.format.or(told.map(|(format, _)| format)) else {
            let detail = format!(
                "{}: its name does not tell what kind of archive it is; say it by `format`.",
                file.name
            );
            return Err(StepFault::permanent("archive_unknown", detail));
        };
        let stem = told.map_or(file.name.as_str(), |(_, stem)| stem);
        let below = if is_alone {
            String::new()
        } else {
            format!("{stem}/")
        };
        unpack(work, file, (format, step, &below)).await?;
    }
    Ok(())
}

async fn unpack(
    work: &mut Work<'_>,
    file: &FlowFile,
    (format, step, below): (ArchiveFormat, &ExtractStep, &str),
) -> Result<(), StepFault> {
    let caps = caps(step);
    let (core, caller) = (work.core, work.caller);
    let entries = match format {
        ArchiveFormat::Zip => {
            let input = streams::open_random(core, caller, file).await?;
            extract_zip(input, caps)
        }
        ArchiveFormat::Tar | ArchiveFormat::TarGz | ArchiveFormat::TarZst => {
            let compression = match format {
                ArchiveFormat::TarGz => Some(Compression::Gzip),
                ArchiveFormat::TarZst => Some(Compression::Zstd),
                _ => None,
            };
            let input = streams::open(core, caller, file).await?;
            extract_tar(input, compression, caps)
        }
        ArchiveFormat::Gzip | ArchiveFormat::Zstd => {
            let by = match format {
                ArchiveFormat::Gzip => Compression::Gzip,
                _ => Compression::Zstd,
            };
            let input = streams::open(core, caller, file).await?;
            let name = ArchiveFormat::of_name(file.name.as_str());
            let name = name.map_or(file.name.as_str(), |(_, stem)| stem);
            return work
                .outputs
                .make((name, file.name.as_str()), |output| {
                    archive::decompress(input, output, by, caps)
                })
                .await
                .map(drop);
        }
    };
    take(&mut work.outputs, file, (entries, below)).await
}

/// The step's own caps, within those of the library.
fn caps(step: &ExtractStep) -> Caps {
    let most = Caps::default();
    let within = |wish: Option<u64>, most: u64| wish.map_or(most, |wish| wish.min(most));
    Caps {
        bytes_max: within(step.max_bytes, most.bytes_max),
        ratio_max: within(step.max_ratio, most.ratio_max),
        entries_max: within(step.max_files, most.entries_max),
        name_bytes_max: most.name_bytes_max,
    }
}

/// Makes a file of each entry that is one. Folders come with their files.
async fn take(
    outputs: &mut Outputs<'_>,
    file: &FlowFile,
    (mut entries, below): (Entries, &str),
) -> Result<(), StepFault> {
    let fault = |error: &ContentError| of_content(&file.name, error);
    let mut next = entries.next().await;
    loop {
        match next {
            Some(Ok(Event::Entry(entry))) if !entry.is_folder => {
                let name = format!("{below}{}", entry.name);
                let from = &mut entries;
                next = outputs
                    .make((&name, file.name.as_str()), |output| pieces(from, output))
                    .await?;
            }
            Some(Ok(Event::Entry(_) | Event::Piece(_))) => next = entries.next().await,
            Some(Ok(Event::End(_))) => return Ok(()),
            Some(Err(error)) => return Err(fault(&error)),
            None => return Err(fault(&ContentError::Abandoned)),
        }
    }
}

/// Writes the pieces of one entry; answers what comes after them.
async fn pieces(
    entries: &mut Entries,
    mut output: DuplexStream,
) -> ContentResult<Option<ContentResult<Event>>> {
    loop {
        match entries.next().await {
            Some(Ok(Event::Piece(piece))) => {
                output
                    .write_all(&piece)
                    .await
                    .map_err(ContentError::Write)?;
            }
            // Of an archive that is broken, what came so far is no file.
            Some(Err(error)) => return Err(error),
            other => {
                output.shutdown().await.map_err(ContentError::Write)?;
                return Ok(other);
            }
        }
    }
}
