use bailee_api::{CompleteUpload, File, OpenUpload, UploadPart, UploadSession};
use bailee_model::UploadId;
use bytes::Bytes;
use reqwest::header::HeaderName;

use super::resource;
use crate::call::Call;
use crate::digest::Digest;
use crate::{Listing, Result};

resource! {
    /// Uploads by parts. [`crate::Client::upload_file`] does all of it.
    Uploads, uploads
}

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

impl Uploads<'_> {
    /// Opens a part session.
    pub async fn create(&self, upload: &OpenUpload) -> Result<UploadSession> {
        self.0.json(Call::post("/uploads").json(upload)?).await
    }

    /// Own open sessions, newest first.
    pub fn list(&self) -> Listing<UploadSession> {
        Listing::new(self.0, Call::get("/uploads"))
    }

    /// What a session holds.
    pub async fn status(&self, session: UploadId) -> Result<UploadSession> {
        self.0.json(Call::get(format!("/uploads/{session}"))).await
    }

    /// Sends part `number`, counted from 0, with its digest. A held part is replaced.
    pub async fn put_part(
        &self,
        session: UploadId,
        number: u32,
        part: Bytes,
    ) -> Result<UploadPart> {
        let digest = Digest::of(&part);
        let call = Call::put(format!("/uploads/{session}/parts/{number}"))
            .header(CONTENT_DIGEST, &digest.header())?
            .bytes(part);
        self.0.json(call).await
    }

    /// Joins the parts. `hash` is the whole's SHA-256 in hex, checked before anything is visible.
    pub async fn complete(&self, session: UploadId, hash: Option<String>) -> Result<File> {
        let call =
            Call::post(format!("/uploads/{session}/complete")).json(&CompleteUpload { hash })?;
        self.0.json(call).await
    }

    /// Gives a session up; its parts are forgotten.
    pub async fn abort(&self, session: UploadId) -> Result<()> {
        self.0
            .gone(Call::delete(format!("/uploads/{session}")))
            .await
    }
}
