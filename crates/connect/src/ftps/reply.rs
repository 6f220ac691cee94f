//! The control connection's two sides: a command is one line, a reply is one line or several within bounds.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::error;
use crate::fault::{Fault, FaultKind, Result};
use crate::limit;

/// A server's answer: three digits and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// Without the code on the first line and the last.
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// A transfer has begun, or something else comes before the answer proper.
    pub(super) fn is_preliminary(&self) -> bool {
        self.code / 100 == 1
    }

    pub(super) fn is_done(&self) -> bool {
        self.code / 100 == 2
    }

    /// The server wants the next command of a sequence.
    pub(super) fn wants_more(&self) -> bool {
        self.code / 100 == 3
    }

    /// The command is not known, or not in this form.
    pub(super) fn is_unknown_command(&self) -> bool {
        matches!(self.code, 500..=504 | 522)
    }

    pub(super) fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// The reply if it says that all is done, or the refusal.
    pub(super) fn done(self, what: &str) -> Result<Self> {
        if self.is_done() {
            Ok(self)
        } else {
            Err(error::refusal(&self, what))
        }
    }
}

/// Puts the lines of a reply together.
#[derive(Debug, Default)]
struct Assembly {
    code: Option<u16>,
    lines: Vec<String>,
    bytes: usize,
}

impl Assembly {
    /// Takes a line without its end; the reply with its last line.
    fn take(&mut self, line: &[u8]) -> Result<Option<Reply>> {
        self.bytes += line.len() + 2;
        if self.bytes > limit::FTPS_REPLY_BYTES_MAX {
            return Err(Fault::protocol("the FTP server's reply does not end"));
        }
        let text = String::from_utf8_lossy(line);
        let (is_last, said) = match (self.code, coded(&text)) {
            (None, None) => return Err(Fault::protocol("what answered is not an FTP server")),
            (None, Some((code, is_last, said))) => {
                self.code = Some(code);
                (is_last, said)
            }
            (Some(begun), Some((code, true, said))) if begun == code => (true, said),
            (Some(_), _) => (false, text.as_ref()),
        };
        self.lines.push(said.to_owned());
        Ok(self.code.filter(|_| is_last).map(|code| Reply {
            code,
            lines: std::mem::take(&mut self.lines),
        }))
    }
}

/// The code of a line, whether the reply ends with it, and the rest.
fn coded(line: &str) -> Option<(u16, bool, &str)> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let code = digits
        .parse()
        .ok()
        .filter(|code| (100..600).contains(code))?;
    match rest.bytes().next() {
        None => Some((code, true, rest)),
        Some(b' ') => Some((code, true, rest.get(1..)?)),
        Some(b'-') => Some((code, false, rest.get(1..)?)),
        Some(_) => None,
    }
}

/// One end of a control connection, before TLS or with it.
#[derive(Debug)]
pub(super) struct Talk<S> {
    stream: S,
    /// What came and was not looked at yet.
    heard: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            heard: Vec::new(),
        }
    }

    /// Sends one command. Its text holds no line ends: paths have none, and the rest was checked.
    pub(super) async fn send(&mut self, command: &str, within: Duration) -> Result<()> {
        if command.contains(['\r', '\n', '\0']) {
            return Err(Fault::new(
                FaultKind::Invalid,
                "a command may not hold line ends",
            ));
        }
        let line = format!("{command}\r\n");
        let send = async {
            self.stream.write_all(line.as_bytes()).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(within, send).await {
            Ok(sent) => sent.map_err(|error| error::line(error, "the control connection")),
            Err(_) => Err(Fault::timeout("sending a command to the FTP server")),
        }
    }

    /// The next reply; all of it must come `within` this time.
    pub(super) async fn reply(&mut self, within: Duration) -> Result<Reply> {
        match tokio::time::timeout(within, self.hear()).await {
            Ok(reply) => reply,
            Err(_) => Err(Fault::timeout("the FTP server's reply")),
        }
    }

    async fn hear(&mut self) -> Result<Reply> {
        let mut assembly = Assembly::default();
        let mut looked_bytes = 0;
        loop {
            let end = self
                .heard
                .iter()
                .skip(looked_bytes)
                .position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let line: Vec<u8> = self.heard.drain(..=looked_bytes + end).collect();
                looked_bytes = 0;
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                if let Some(reply) = assembly.take(line.strip_suffix(b"\r").unwrap_or(line))? {
                    return Ok(reply);
                }
                continue;
            }
            looked_bytes = self.heard.len();
            if looked_bytes > limit::FTPS_LINE_BYTES_MAX {
                return Err(Fault::protocol("a line of the FTP server does not end"));
            }
            let got = self.stream.read_buf(&mut self.heard).await;
            if got.map_err(|error| error::line(error, "the control connection"))? == 0 {
                return Err(error::ended());
            }
        }
    }

    /// Whether nothing was said that nobody asked for, such as a good-bye. Takes no time.
    pub(super) async fn is_quiet(&mut self) -> bool {
        self.heard.is_empty()
            && tokio::time::timeout(Duration::ZERO, self.stream.read_buf(&mut self.heard))
                .await
                .is_err()
    }

    /// The stream, to be secured. Fails if the server said anything beyond its last reply: whoever put it there could
    /// have it taken for something that was said under TLS.
    pub(super) fn into_stream(self) -> Result<S> {
        if self.heard.is_empty() {
            Ok(self.stream)
        } else {
            Err(Fault::protocol("the FTP server spoke on before TLS began"))
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    async fn hear(said: &'static [u8]) -> Result<Reply> {
        let (near, mut far) = tokio::io::duplex(200_000);
        far.write_all(said).await.unwrap();
        drop(far);
        Talk::new(near).reply(SOON).await
    }

    #[tokio::test]
    async fn replies_of_one_line_and_of_several_are_read() {
        let one = hear(b"220 hi there\r\nmore").await.unwrap();
        assert_eq!((one.code, one.text().as_str()), (220, "hi there"));
        assert_eq!(hear(b"226\n").await.unwrap().code, 226);
        let several =
            hear(b"250-begin\r\n type=file; /a\r\n226 not the end\r\n250-nor this\r\n250 end\r\n")
                .await;
        let lines = several.unwrap().lines;
        assert_eq!(
            lines,
            [
                "begin",
                " type=file; /a",
                "226 not the end",
                "250-nor this",
                "end"
            ]
        );
    }

    #[tokio::test]
    async fn what_is_no_reply_is_refused() {
        for said in [
            &b"SSH-2.0-x\r\n"[..],
            b"\r\n",
            b"22 x\r\n",
            b"999 x\r\n",
            b"099 x\r\n",
            b"220x\r\n",
            b"\xff\xff\xff 1\r\n",
        ] {
            assert_eq!(hear(said).await.unwrap_err().kind(), &FaultKind::Protocol);
        }
        for said in [&b""[..], b"220 half", b"220-half\r\n"] {
            assert_eq!(
                hear(said).await.unwrap_err().kind(),
                &FaultKind::ConnectionLost
            );
        }
    }

    #[tokio::test]
    async fn endless_replies_are_cut() {
        let line: &'static [u8] = vec![b'2'; 100_000].leak();
        assert_eq!(hear(line).await.unwrap_err().kind(), &FaultKind::Protocol);
        let lines: &'static [u8] = b"220-x\r\n".repeat(20_000).leak();
        assert_eq!(hear(lines).await.unwrap_err().kind(), &FaultKind::Protocol);
    }

    #[tokio::test]
    async fn words_before_tls_are_refused() {
        let (near, mut far) = tokio::io::duplex(1_000);
        far.write_all(b"234 go\r\n230 signed in\r\n").await.unwrap();
        let mut talk = Talk::new(near);
        assert_eq!(talk.reply(SOON).await.unwrap().code, 234);
        assert!(!talk.is_quiet().await);
        assert_eq!(talk.into_stream().unwrap_err().kind(), &FaultKind::Protocol);
    }
}
