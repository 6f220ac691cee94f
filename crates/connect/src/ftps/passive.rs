//! The ports that a server opens for data. Addresses are not read: they may lead anywhere.

use super::reply::Reply;
use crate::fault::{Fault, Result};

/// From the reply to `EPSV`: `(|||port|)`, with any character in place of the bar.
pub(super) fn extended_port(reply: &Reply) -> Result<u16> {
    let text = reply.text();
    let found = (|| {
        let (_, inside) = text.split_once('(')?;
        let (inside, _) = inside.split_once(')')?;
        let bar = inside.chars().next().filter(char::is_ascii_punctuation)?;
        let mut fields = inside.split(bar);
        let empty = fields.by_ref().take(3).all(str::is_empty);
        let port = fields.next()?;
        (empty && fields.next() == Some("") && fields.next().is_none()).then_some(port)
    })();
    found.and_then(number).ok_or_else(unreadable)
}

/// From the reply to `PASV`: six numbers, of which the last two are the port. Brackets are often forgotten.
pub(super) fn port(reply: &Reply) -> Result<u16> {
    let text = reply.text();
    let six = text
        .split(|c: char| !c.is_ascii_digit() && c != ',')
        .map(|word| word.split(',').collect::<Vec<_>>())
        .find(|numbers| numbers.len() == 6)
        .ok_or_else(unreadable)?;
    let numbers: Vec<u8> = six.iter().filter_map(|n| n.parse().ok()).collect();
    match numbers.as_slice() {
        [_, _, _, _, high, low] if (*high, *low) != (0, 0) => Ok(u16::from_be_bytes([*high, *low])),
        _ => Err(unreadable()),
    }
}

fn number(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| is_plain && *port > 0)
}

fn unreadable() -> Fault {
    Fault::protocol("the FTP server names no port for data")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply {
        Reply {
            code: 227,
            lines: vec![text.to_owned()],
        }
    }

    #[test]
    fn ports_are_read_and_nothing_else() {
        let extended = |text| extended_port(&reply(text)).ok();
        assert_eq!(
            extended("Entering Extended Passive Mode (|||6446|)"),
            Some(6446)
        );
        assert_eq!(extended("ok (!!!65535!)."), Some(65535));
        for text in [
            "",
            "(|||0|)",
            "(|||65536|)",
            "(||6446|)",
            "(|||6446)",
            "(|||+5|)",
            "(|||5|6|)",
            "(|1|10.0.0.1|5|)",
            "(222522)",
        ] {
            assert_eq!(extended(text), None, "{text}");
        }
        let passive = |text| port(&reply(text)).ok();
        assert_eq!(passive("Entering Passive Mode (10,0,0,1,4,1)."), Some(1025));
        assert_eq!(
            passive("Entering Passive Mode 127,0,0,1,255,255"),
            Some(65535)
        );
        for text in [
            "",
            "(1,2,3,4,5)",
            "(1,2,3,4,5,256)",
            "(1,2,3,4,0,0)",
            "(1,2,3,4,5,6,7)",
            "(1,2,3,4,,6)",
        ] {
            assert_eq!(passive(text), None, "{text}");
        }
    }
}
