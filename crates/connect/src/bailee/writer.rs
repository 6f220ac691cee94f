//! Writing by a part session: parts one after the other, each streamed, joined at the end.

use async_trait::async_trait;
use bytes::Bytes;

use super::api::{Api, OpenUpload, Session};
use super::parts::{Last, Plan, Prefix, Token};
use crate::connector::{RemoteWriter, Replace, WriteOptions};
use crate::fault::{Fault, FaultKind, Result};
use crate::http::Sending;

pub(super) struct Writer {
    api: Api,
    token: Token,
    size_bytes: Option<u64>,
    confirmed_bytes: u64,
    /// How many parts those are.
    parts: u32,
    /// Parts that an earlier writer sent behind what it was told to keep; they must all be sent anew.
    parts_held: u32,
    part: Option<PartUnderWay>,
    /// A part failed: what was sent of it is lost.
    is_broken: bool,
}

struct PartUnderWay {
    sending: Sending,
    full_bytes: u64,
    sent_bytes: u64,
}

impl Writer {
    /// Opens a session for the file `name` in `folder`.
    pub(super) async fn begin(
        api: &Api,
        (folder, name): (&str, &str),
        options: &WriteOptions,
    ) -> Result<Self> {
        let plan = Plan::of(options.size_hint);
        let wish = OpenUpload {
            destination: folder,
            filename: name,
            overwrite: options.replace == Replace::Yes,
            part_size: plan.part_bytes(0),
            size: options.size_hint,
        };
        let session = api.open_upload(&wish).await?.id;
        Ok(Self {
            api: api.clone(),
            token: Token { session, plan },
            size_bytes: options.size_hint,
            confirmed_bytes: 0,
            parts: 0,
            parts_held: 0,
            part: None,
            is_broken: false,
        })
    }

    /// Goes on with a session at an offset that an earlier writer had confirmed.
    pub(super) async fn go_on(api: &Api, options: &WriteOptions) -> Result<Self> {
        let token = options
            .token
            .as_deref()
            .ok_or_else(|| lost("no session is known"))?;
        let token = read(token)?;
        let session = api.upload(&token.session).await?.ok_or_else(ended)?;
        let held = token
            .plan
            .parts_to(options.offset)
            .ok_or_else(|| lost("the offset is beyond every part"))?;
        match session.state.as_str() {
            "open" => holds(&session, held, options.offset)?,
            // Joined already: the writer finishes once more, and hears the same.
            "completed" => is_joined(api, &token.session, options.offset).await?,
            _ => return Err(ended()),
        }
        Ok(Self {
            api: api.clone(),
            token,
            size_bytes: options.size_hint,
            confirmed_bytes: options.offset,
            parts: held.parts,
            parts_held: session.received.last().map_or(0, |last| last + 1),
            part: None,
            is_broken: held.last == Last::Short,
        })
    }

    /// The part that takes the next bytes.
    fn part(&mut self) -> Result<&mut PartUnderWay> {
        if self.part.is_none() {
            if self.is_broken {
                return Err(lost("a part is incomplete"));
            }
            let full = self.token.plan.part_bytes(u64::from(self.parts));
            let left = self
                .size_bytes
                .map(|size| size.saturating_sub(self.confirmed_bytes));
            if left == Some(0) {
                let message = "the file was announced with fewer bytes than are given";
                return Err(Fault::new(FaultKind::Invalid, message));
            }
            let full_bytes = left.map_or(full, |left| left.min(full));
            let length = left.map(|_| full_bytes);
            self.part = Some(PartUnderWay {
                sending: self.api.begin_part(&self.token.session, self.parts, length),
                full_bytes,
                sent_bytes: 0,
            });
        }
        self.part.as_mut().ok_or_else(ended)
    }

    /// Ends the part under way and waits until it is durable there.
    async fn end_part(&mut self) -> Result<()> {
        let Some(part) = self.part.take() else {
            return Ok(());
        };
        self.is_broken = true;
        let held = Api::part(part.sending.end().await?).await?;
        if held.size != part.sent_bytes {
            return Err(Fault::protocol(format!(
                "Bailee holds {} bytes of a part of {}",
                held.size, part.sent_bytes
            )));
        }
        self.is_broken = false;
        self.confirmed_bytes += part.sent_bytes;
        self.parts += 1;
        Ok(())
    }
}

/// Whether the session has become a file of `offset` bytes. It tells of its parts no more, but completing it again of
/// the file.
async fn is_joined(api: &Api, session_id: &str, offset: u64) -> Result<()> {
    let file = api.complete(session_id).await?;
    if file.state == "deleted" {
        return Err(ended());
    }
    if file.size != offset {
        return Err(lost("the session was completed with another size"));
    }
    Ok(())
}

/// Whether the session holds the parts `held`, which have `offset` bytes.
fn holds(session: &Session, held: Prefix, offset: u64) -> Result<()> {
    let numbers = session.received.iter().take(held.parts as usize).copied();
    if !numbers.eq(0..held.parts) || session.bytes_received < offset {
        return Err(lost("it holds less than was confirmed"));
    }
    // A part that is not full is the last, so the session ends with it.
    if held.last == Last::Short && session.bytes_received != offset {
        return Err(lost("the offset lies inside a part"));
    }
    Ok(())
}

pub(super) fn read(token: &str) -> Result<Token> {
    serde_json::from_str(token)
        .map_err(|error| Fault::new(FaultKind::Invalid, "the token is not ours").because(error))
}

fn lost(why: &str) -> Fault {
    Fault::new(
        FaultKind::OffsetBeyondEnd,
        format!("the upload cannot go on from there: {why}"),
    )
}

fn ended() -> Fault {
    Fault::new(FaultKind::NotFound, "the upload session has ended")
}

#[async_trait]
impl RemoteWriter for Writer {
    async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            let part = self.part()?;
            let room = part.full_bytes - part.sent_bytes;
            let piece = bytes
                .split_to(usize::try_from(room).map_or(bytes.len(), |room| room.min(bytes.len())));
            part.sent_bytes += piece.len() as u64;
            let is_taken = part.sending.give(piece).await?;
            if !is_taken || part.sent_bytes == part.full_bytes {
                self.end_part().await?;
            }
        }
        Ok(())
    }

    fn confirmed_bytes(&self) -> u64 {
        self.confirmed_bytes
    }

    fn token(&self) -> Option<String> {
        serde_json::to_string(&self.token).ok()
    }

    /// Keeps an incomplete part: it can only grow on.
    async fn flush(&mut self) -> Result<u64> {
        Ok(self.confirmed_bytes)
    }

    async fn finish(mut self: Box<Self>) -> Result<u64> {
        self.end_part().await?;
        if self.parts_held > self.parts {
            // They would become part of the file.
            return Err(lost("it holds parts behind the file's end"));
        }
        if self
            .size_bytes
            .is_some_and(|size| size != self.confirmed_bytes)
        {
            let message = "the file was announced with more bytes than were given";
            return Err(Fault::new(FaultKind::Invalid, message));
        }
        let file = self.api.complete(&self.token.session).await?;
        if file.size != self.confirmed_bytes {
            return Err(Fault::protocol(format!(
                "{} bytes were written, but Bailee's file has {}",
                self.confirmed_bytes, file.size
            )));
        }
        if file.state == "deleted" {
            return Err(ended());
        }
        Ok(file.size)
    }
}
