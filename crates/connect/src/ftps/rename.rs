//! Giving files other names.

use super::control::Control;
use super::{error, stat};
use crate::connector::EntryKind;
use crate::fault::{FaultKind, Result};
use crate::path::RemotePath;

/// Gives `from` the name `to`, in place of a file that has it. On most servers that is one step.
pub(super) async fn replace(
    control: &mut Control,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<()> {
    let Err(fault) = rename(control, from, to).await else {
        return Ok(());
    };
    let may_be_taken = matches!(
        fault.kind(),
        FaultKind::Io | FaultKind::Exists | FaultKind::PermissionDenied
    );
    if !may_be_taken || !control.is_ready() || stat::stat(control, from).await?.is_none() {
        return Err(fault);
    }
    match stat::stat(control, to).await? {
        Some(taken) if taken.kind == EntryKind::File => {}
        _ => return Err(fault),
    }
    // A moment without a file; the capabilities say so.
    remove(control, to).await?;
    rename(control, from, to).await
}

/// Gives `from` the name `to`, which must be free. The protocol leaves it open what servers do to a file that has it, so
/// it is looked for first.
pub(super) async fn to_free(
    control: &mut Control,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<()> {
    if stat::stat(control, to).await?.is_some() {
        return Err(error::exists(to));
    }
    rename(control, from, to).await
}

async fn rename(control: &mut Control, from: &RemotePath, to: &RemotePath) -> Result<()> {
    let command = format!("RNFR {}", control.far(from));
    let reply = control.command(&command).await?;
    if !reply.wants_more() {
        let fault = error::refusal(&reply, "to rename");
        return Err(stat::clarified(control, fault, from).await);
    }
    let command = format!("RNTO {}", control.far(to));
    match control.command(&command).await?.done("the new name") {
        Ok(_) => Ok(()),
        Err(fault) => Err(stat::clarified_new(control, fault, to).await),
    }
}

/// Removes the file `path`.
pub(super) async fn remove(control: &mut Control, path: &RemotePath) -> Result<()> {
    let command = format!("DELE {}", control.far(path));
    match control.command(&command).await?.done("to remove the file") {
        Ok(_) => Ok(()),
        Err(fault) => Err(stat::clarified(control, fault, path).await),
    }
}
