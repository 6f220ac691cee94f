//! The multipart form of a small upload (RFC 7578), written by hand: it is whole in memory, so that it can be sent again.

use bailee_model::Chance;
use bytes::{BufMut, Bytes, BytesMut};
use reqwest::header::CONTENT_TYPE;

use crate::Result;
use crate::call::Call;

/// Fields of `POST /files/upload`.
pub(crate) struct Form<'a> {
    pub(crate) folder: &'a str,
    pub(crate) name: &'a str,
    pub(crate) overwrite: bool,
    pub(crate) hash: &'a str,
}

/// Whether a file name can stand in the head of a form field as it is. Servers differ in how they read escapes, so names
/// that would need one go another way.
pub(crate) fn can_carry(name: &str) -> bool {
    !name
        .chars()
        .any(|c| c == '"' || c == '\\' || c == '%' || c.is_control())
}

impl Form<'_> {
    pub(crate) fn call(&self, content: &Bytes, chance: &dyn Chance) -> Result<Call> {
        let mut bytes = [0u8; 16];
        chance.fill(&mut bytes);
        let boundary = format!("bailee-{}", hex::encode(bytes));
        let call = Call::post("/files/upload").bytes(self.body(content, &boundary));
        call.header(
            CONTENT_TYPE,
            &format!("multipart/form-data; boundary={boundary}"),
        )
    }

    /// The small fields come first, so that the server can refuse before it reads the file.
    fn body(&self, content: &Bytes, boundary: &str) -> Bytes {
        let overwrite = if self.overwrite { "true" } else { "false" };
        let mut body = BytesMut::with_capacity(content.len() + 1024);
        for (name, value) in [
            ("destination", self.folder),
            ("overwrite", overwrite),
            ("hash", self.hash),
        ] {
            let field = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.put_slice(field.as_bytes());
        }
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\r\n",
            self.name
        );
        body.put_slice(head.as_bytes());
        body.put_slice(content);
        body.put_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        body.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_as_in_the_standard() {
        let form = Form {
            folder: "/in",
            name: "ü a.csv",
            overwrite: false,
            hash: "00",
        };
        let body = form.body(&Bytes::from_static(b"x\r\ny"), "B");
        let wanted = "--B\r\nContent-Disposition: form-data; name=\"destination\"\r\n\r\n/in\r\n\
            --B\r\nContent-Disposition: form-data; name=\"overwrite\"\r\n\r\nfalse\r\n\
            --B\r\nContent-Disposition: form-data; name=\"hash\"\r\n\r\n00\r\n\
            --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"ü a.csv\"\r\n\r\nx\r\ny\r\n--B--\r\n";
        assert_eq!(body, wanted.as_bytes());
    }

    #[test]
    fn names_that_need_escapes_go_by_parts() {
        assert!(can_carry("Bericht – März.csv"));
        for name in ["a\"b", "a\\b", "a\rb", "100%22"] {
            assert!(!can_carry(name), "{name}");
        }
    }
}
