//! Files of checksums. Bailee knows the SHA-256 of each version, so that nothing is read again.

use std::collections::HashMap;

use bailee_content::Error as ContentError;
use bailee_content::checksum::{Checksum as Line, ChecksumError, format, parse};
use bailee_content::limit::{CHECKSUM_LINE_BYTES_MAX, CHECKSUM_LINES_MAX};
use bailee_core::FileRef;
use bailee_core::model::{ChecksumMode, ChecksumStep, FileName, FlowFile, StepFault};

use super::fault::of_content;
use super::{Work, streams};

/// What a file of checksums may hold: it is read whole.
const MANIFEST_BYTES_MAX: usize = 16 * 1024 * 1024;
const _: () = assert!(MANIFEST_BYTES_MAX <= CHECKSUM_LINES_MAX * CHECKSUM_LINE_BYTES_MAX);

/// What a file's own file of checksums is called.
const SIDECAR_ENDING: &str = ".sha256";

pub(super) async fn run(work: &mut Work<'_>, step: &ChecksumStep) -> Result<(), StepFault> {
    match (step.mode, &step.manifest) {
        (ChecksumMode::Write, Some(manifest)) => {
            let mut lines = Vec::new();
            for file in work.files {
                lines.push(line(file)?);
                work.outputs.pass(file);
            }
            let text = format(&lines).into_bytes();
            work.outputs.write(manifest.as_str(), text).await
        }
        (ChecksumMode::Write, None) => {
            for file in work.files {
                work.outputs.pass(file);
                let text = format(&[line(file)?]).into_bytes();
                let name = format!("{}{SIDECAR_ENDING}", file.name);
                work.outputs.write(&name, text).await?;
            }
            Ok(())
        }
        (ChecksumMode::Check, Some(manifest)) => check_manifest(work, manifest).await,
        (ChecksumMode::Check, None) => check_sidecars(work).await,
    }
}

async fn check_manifest(work: &mut Work<'_>, manifest: &FileName) -> Result<(), StepFault> {
    let Some(list) = work.files.iter().find(|file| file.name == *manifest) else {
        return Err(missing(format!(
            "There is no file {manifest} of checksums."
        )));
    };
    let listed = read(work, list).await?;
    let files: Vec<&FlowFile> = work
        .files
        .iter()
        .filter(|file| file.file_id != list.file_id)
        .collect();
    for name in listed.keys() {
        if !files.iter().any(|file| file.name.as_str() == name) {
            let detail = format!("{manifest}: it names {name}, which did not come.");
            return Err(StepFault::permanent("checksum_file_missing", detail));
        }
    }
    for file in files {
        compare(file, &listed)?;
        work.outputs.pass(file);
    }
    Ok(())
}

async fn check_sidecars(work: &mut Work<'_>) -> Result<(), StepFault> {
    let by_name: HashMap<&str, &FlowFile> = work
        .files
        .iter()
        .map(|file| (file.name.as_str(), file))
        .collect();
    for file in work.files {
        let name = file.name.as_str();
        if let Some(stem) = name.strip_suffix(SIDECAR_ENDING) {
            if by_name.contains_key(stem) {
                continue;
            }
            let detail = format!("{name}: it is about {stem}, which did not come.");
            return Err(StepFault::permanent("checksum_file_missing", detail));
        }
        let sidecar = format!("{name}{SIDECAR_ENDING}");
        let Some(sidecar) = by_name.get(sidecar.as_str()) else {
            return Err(missing(format!("{name}: {sidecar} did not come.")));
        };
        let listed = read(work, sidecar).await?;
        compare(file, &listed)?;
        work.outputs.pass(file);
    }
    Ok(())
}

/// The checksums of a file, by name; names are taken without the folders that a sender had them in.
async fn read(work: &Work<'_>, list: &FlowFile) -> Result<HashMap<String, [u8; 32]>, StepFault> {
    let fault = |error: ChecksumError| of_content(&list.name, &ContentError::from(error));
    let id = FileRef::Id(list.file_id);
    let bytes = streams::small(work.core, work.caller, id, MANIFEST_BYTES_MAX).await?;
    let too_many = ChecksumError::TooManyLines {
        limit: CHECKSUM_LINES_MAX,
    };
    let bytes = bytes.ok_or_else(|| fault(too_many))?;
    let mut listed = HashMap::new();
    for line in parse(&bytes).map_err(fault)? {
        let name = line.name.rsplit('/').next().unwrap_or_default().to_owned();
        match listed.insert(name.clone(), line.sha256) {
            Some(other) if other != line.sha256 => {
                return Err(fault(ChecksumError::Contradiction(name)));
            }
            _ => {}
        }
    }
    Ok(listed)
}

fn compare(file: &FlowFile, listed: &HashMap<String, [u8; 32]>) -> Result<(), StepFault> {
    let name = file.name.to_string();
    let fault = |error: ChecksumError| of_content(&file.name, &ContentError::from(error));
    let Some(expected) = listed.get(&name) else {
        return Err(fault(ChecksumError::NotListed(name)));
    };
    let expected = hex::encode(expected);
    if expected == file.hash {
        return Ok(());
    }
    let found = file.hash.clone();
    Err(fault(ChecksumError::Mismatch {
        name,
        expected,
        found,
    }))
}

fn line(file: &FlowFile) -> Result<Line, StepFault> {
    let mut sha256 = [0; 32];
    let read = hex::decode_to_slice(&file.hash, &mut sha256);
    let broken = |_| {
        let detail = format!("{}: its hash is not known.", file.name);
        StepFault::permanent("internal_error", detail)
    };
    read.map_err(broken)?;
    Ok(Line {
        name: file.name.to_string(),
        sha256,
    })
}

fn missing(detail: String) -> StepFault {
    StepFault::permanent("checksum_missing", detail)
}
