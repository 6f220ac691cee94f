//! What stands at a path: `MLST` where the server has it, otherwise `SIZE` and `MDTM` for files and `CWD` for folders.

use bailee_model::Timestamp;

use super::control::Control;
use super::reply::Reply;
use super::{error, facts, listing};
use crate::connector::{EntryKind, RemoteEntry};
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;
use crate::path::RemotePath;

/// What stands at `path`; `None` if nothing does.
pub(super) async fn stat(control: &mut Control, path: &RemotePath) -> Result<Option<RemoteEntry>> {
    let (far, name) = (control.far(path), path.name().unwrap_or_default());
    if control.offers().has_mlst {
        let reply = control.command(&format!("MLST {far}")).await?;
        if !reply.is_done() {
            return absent(&reply).map(|()| None);
        }
        let found = reply
            .lines
            .iter()
            .filter_map(|line| line.trim_start().split_once(' '));
        let facts = found
            .map(|(facts, _)| facts)
            .find(|facts| facts.contains('='));
        let facts = facts.ok_or_else(|| Fault::protocol("the FTP server tells no facts"))?;
        return Ok(Some(facts::entry(facts, name)));
    }
    let size = control.command(&format!("SIZE {far}")).await?;
    if size.is_done() {
        let modified = if control.offers().has_mdtm {
            let reply = control.command(&format!("MDTM {far}")).await?;
            listing::time(reply.text().trim()).filter(|_| reply.is_done())
        } else {
            None
        };
        return Ok(Some(RemoteEntry {
            name: name.to_owned(),
            kind: EntryKind::File,
            size_bytes: Some(number(&size)?),
            modified,
            version: None,
        }));
    }
    // Paths are always given from the root, so the current folder may be any.
    let folder = control.command(&format!("CWD {far}")).await?;
    if !folder.is_done() {
        return absent(&size).map(|()| None);
    }
    Ok(Some(RemoteEntry {
        name: name.to_owned(),
        kind: EntryKind::Folder,
        size_bytes: None,
        modified: None,
        version: None,
    }))
}

/// Whether a refusal means that nothing is there. Some servers do not say why they refuse.
fn absent(reply: &Reply) -> Result<()> {
    let fault = error::refusal(reply, "to look");
    match fault.kind() {
        FaultKind::NotFound | FaultKind::Io => Ok(()),
        _ => Err(fault),
    }
}

/// The size of the file at `path`; `None` if the server does not tell sizes.
pub(super) async fn size(control: &mut Control, path: &RemotePath) -> Result<Option<u64>> {
    if !control.offers().has_size {
        return Ok(None);
    }
    let command = format!("SIZE {}", control.far(path));
    let reply = control.command(&command).await?;
    if reply.is_unknown_command() {
        return Ok(None);
    }
    match reply.done("to tell the size") {
        Ok(reply) => number(&reply).map(Some),
        Err(fault) => Err(clarified(control, fault, path).await),
    }
}

/// The size of a file once it is the same twice: a server that has not noticed yet that an earlier connection is gone may
/// still be storing what came by it.
pub(super) async fn settled_size(control: &mut Control, path: &RemotePath) -> Result<Option<u64>> {
    let mut last = size(control, path).await?;
    for _ in 0..limit::FTPS_SETTLE_LOOKS_MAX {
        tokio::time::sleep(limit::FTPS_SETTLE_TIME).await;
        let now = size(control, path).await?;
        if now == last {
            return Ok(now);
        }
        last = now;
    }
    let message = "the far file keeps growing: somebody else is writing it";
    Err(Fault::new(FaultKind::Busy, message))
}

fn number(reply: &Reply) -> Result<u64> {
    let text = reply.text();
    let parsed = text.trim().parse();
    parsed.map_err(|_| Fault::protocol("the FTP server tells no size"))
}

/// Says when the file at `path` was changed: `MFMT`, which counts seconds.
pub(super) async fn set_modified(
    control: &mut Control,
    path: &RemotePath,
    modified: Timestamp,
) -> Result<()> {
    let time = listing::written(modified);
    let command = format!("MFMT {time} {}", control.far(path));
    match control.command(&command).await?.done("to set the time") {
        Ok(_) => Ok(()),
        Err(fault) => Err(clarified(control, fault, path).await),
    }
}

/// `fault`, with the reason found out where the server refused to use `path` without giving one.
pub(super) async fn clarified(control: &mut Control, fault: Fault, path: &RemotePath) -> Fault {
    if fault.kind() != &FaultKind::Io || !control.is_ready() {
        return fault;
    }
    match stat(control, path).await {
        Ok(None) => error::not_found(path),
        Ok(Some(_)) => Fault::new(FaultKind::PermissionDenied, fault.message()),
        Err(_) => fault,
    }
}

/// The same where `path` was to be made: its folder may be missing, or the name may be taken.
pub(super) async fn clarified_new(control: &mut Control, fault: Fault, path: &RemotePath) -> Fault {
    let may_be_missing = matches!(fault.kind(), FaultKind::Io | FaultKind::NotFound);
    match path.parent() {
        Some(folder) if may_be_missing => clarified(control, fault, &folder).await,
        _ => fault,
    }
}
