//! From the kernel's errors to faults.

use rustix::io::Errno;

use crate::fault::{Fault, FaultKind};
use crate::path::RemotePath;

/// What `error` means for an operation on `path`.
pub(super) fn fault(error: Errno, path: &RemotePath) -> Fault {
    let (kind, what) = match error {
        Errno::NOENT => (FaultKind::NotFound, "there is no such file or folder"),
        Errno::EXIST => (
            FaultKind::Exists,
            "something with that name is there already",
        ),
        Errno::ACCESS | Errno::PERM | Errno::ROFS => {
            (FaultKind::PermissionDenied, "permission is denied")
        }
        Errno::NOSPC | Errno::DQUOT => (FaultKind::OutOfSpace, "the disk or quota is full"),
        Errno::LOOP | Errno::XDEV => (
            FaultKind::PermissionDenied,
            "symbolic links and other file systems are not followed",
        ),
        Errno::NOTDIR => (FaultKind::NotFound, "a part of the path is not a folder"),
        Errno::ISDIR => (FaultKind::Unsupported, "this is a folder, not a file"),
        Errno::NOSYS => (
            FaultKind::Unsupported,
            "this kernel cannot open files safely beneath a folder",
        ),
        _ => (FaultKind::Io, "the operation failed"),
    };
    Fault::new(kind, format!("`{path}`: {what}")).because(std::io::Error::from(error))
}

/// The same for an error from the standard library.
pub(super) fn io_fault(error: &std::io::Error, path: &RemotePath) -> Fault {
    fault(Errno::from_io_error(error).unwrap_or(Errno::IO), path)
}
