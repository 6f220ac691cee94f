//! Giving the copy the time of its source: `preserve_time`.
//!
//! A file that arrived whole is not refused for its time: where that cannot be kept, a note says so.

use bailee_connect::RemotePath;

use super::attempt::Attempt;
use super::far::Far;
use super::fault::Halt;
use super::source::Source;

impl Attempt<'_> {
    /// Gives the file at `place` the time of the source, before it gets its name.
    pub(super) async fn keep_time(
        &mut self,
        far: &Far,
        source: &Source,
        place: &RemotePath,
    ) -> Result<(), Halt> {
        if !self.transfer.preserve_time {
            return Ok(());
        }
        let Some(modified) = source.modified() else {
            self.transfer.note(
                "The source does not tell when it was changed, so the copy has a time of its own.",
            );
            return Ok(());
        };
        if !far.capabilities().can_set_time {
            self.tell_time_is_lost();
            return Ok(());
        }
        let Err(fault) = far.set_modified(place, modified).await? else {
            return Ok(());
        };
        match far.halt(&fault) {
            Halt::Trouble(trouble) if !trouble.is_transient => {
                let why = &trouble.fault.message;
                self.transfer
                    .note(format!("The time of the source could not be kept. {why}"));
                Ok(())
            }
            halt => Err(halt),
        }
    }

    /// Notes that the destination has times of its own only.
    pub(super) fn tell_time_is_lost(&mut self) {
        if self.transfer.preserve_time {
            self.transfer.note(
                "The destination keeps no times of others: the copy has the time at which it came there.",
            );
        }
    }
}
