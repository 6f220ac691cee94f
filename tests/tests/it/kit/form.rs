//! Bodies of `multipart/form-data`, written by hand: tests decide order, names and mistakes.

use super::{Answer, Api};

const BOUNDARY: &str = "bailee-test-5f1d";

/// A form; parts stand in the order in which they were added.
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a text field.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        self.0.extend_from_slice(part.as_bytes());
        self
    }

    /// Adds the part `file`.
    pub(crate) fn file(mut self, filename: &str, content: &[u8]) -> Self {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(crate) fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The finished body.
    pub(crate) fn body(mut self) -> Vec<u8> {
        self.0
            .extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }

    /// Posts it as an upload.
    pub(crate) async fn upload(self, api: &Api) -> Answer {
        api.post("/files/upload")
            .header("content-type", &Self::content_type())
            .body(self.body())
            .send()
            .await
    }
}
