//! Steps that make content of content. Bytes stream from Bailee through the content library back to Bailee; what is plain
//! never rests outside of the vault.
//!
//! A run of a step begins with an empty folder and ends with all of its files there, or with none: whatever an earlier try left
//! is removed first, and what a failed one made at its end. So a step can be run again after a crash.

mod archives;
mod checksums;
mod fault;
mod outputs;
mod pgp;
mod streams;
#[cfg(test)]
mod tests;
mod validation;

use bailee_core::model::{ContentOut, ContentStep, FlowFile, StepFault};
use bailee_core::{Caller, Core};

use self::outputs::Outputs;

/// What a step works with.
struct Work<'a> {
    core: &'a Core,
    caller: &'a Caller,
    files: &'a [FlowFile],
    outputs: Outputs<'a>,
}

/// Does a step on `files`; answers the files that it puts out.
pub(crate) async fn run(
    core: &Core,
    caller: &Caller,
    step: &ContentStep,
    files: &[FlowFile],
    out: &ContentOut,
) -> Result<Vec<FlowFile>, StepFault> {
    let outputs = Outputs::begin(core, caller, out).await?;
    let mut work = Work {
        core,
        caller,
        files,
        outputs,
    };
    let done = match step {
        ContentStep::PgpEncrypt(step) => pgp::encrypt(&mut work, step).await,
        ContentStep::PgpDecrypt(step) => pgp::decrypt(&mut work, step).await,
        ContentStep::PgpSign(step) => pgp::sign(&mut work, step).await,
        ContentStep::PgpVerify(step) => pgp::verify(&mut work, step).await,
        ContentStep::Compress(step) => archives::compress(&mut work, step).await,
        ContentStep::Extract(step) => archives::extract(&mut work, step).await,
        ContentStep::Validate(step) => validation::validate(&mut work, step).await,
        ContentStep::Checksum(step) => checksums::run(&mut work, step).await,
    };
    match done {
        Ok(()) => Ok(work.outputs.finish()),
        Err(fault) => {
            work.outputs.undo().await;
            Err(fault)
        }
    }
}
