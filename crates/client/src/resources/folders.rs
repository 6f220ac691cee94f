use bailee_api::{ChangeFolder, CreateFolder, Folder, FolderEntry};

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Folders: places for files.
    Folders, folders
}

impl Folders<'_> {
    /// The facts about a folder.
    pub async fn stat(&self, path: &str) -> Result<Folder> {
        self.0.json(Call::get("/folders").query("path", path)).await
    }

    /// What a folder holds, by name.
    pub fn children(&self, path: &str) -> Listing<FolderEntry> {
        Listing::new(self.0, Call::get("/folders/children").query("path", path))
    }

    /// Makes a folder, with parents. One that exists is no error.
    pub async fn create(&self, path: &str) -> Result<Folder> {
        let body = CreateFolder {
            path: path.to_owned(),
        };
        self.0.json(Call::post("/folders").json(&body)?).await
    }

    /// Moves a folder with all it holds.
    pub async fn rename(&self, path: &str, to: &str) -> Result<Folder> {
        let body = ChangeFolder {
            path: Some(to.to_owned()),
        };
        let call = Call::patch("/folders").query("path", path).json(&body)?;
        self.0.json(call).await
    }

    /// Deletes an empty folder.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.0
            .gone(Call::delete("/folders").query("path", path))
            .await
    }

    /// Deletes a folder and all it holds.
    pub async fn delete_all(&self, path: &str) -> Result<()> {
        let call = Call::delete("/folders")
            .query("path", path)
            .query("recursive", true);
        self.0.gone(call).await
    }
}
