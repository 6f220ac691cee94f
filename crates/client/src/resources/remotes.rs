use bailee_api::{
    ChangeRemote, CreateRemote, NewSshKey, Remote, RemoteChild, RemoteHealth, RemoteTest,
    RemoteUserList, TrustHostKey,
};
use bailee_model::RemoteId;

use super::resource;
use crate::call::Call;
use crate::{Listing, Result};

resource! {
    /// Remotes: far systems.
    Remotes, remotes
}

impl Remotes<'_> {
    /// Registers a far system.
    pub async fn create(&self, remote: &CreateRemote) -> Result<Remote> {
        self.0.json(Call::post("/remotes").json(remote)?).await
    }

    /// All remotes, newest first.
    pub fn list(&self) -> Listing<Remote> {
        Listing::new(self.0, Call::get("/remotes"))
    }

    /// One of them.
    pub async fn get(&self, remote: RemoteId) -> Result<Remote> {
        self.0.json(Call::get(format!("/remotes/{remote}"))).await
    }

    /// The one with this name, if there is one.
    pub async fn by_name(&self, name: &str) -> Result<Option<Remote>> {
        let mut remotes = self.list();
        while let Some(remote) = remotes.next().await? {
            if remote.name == name {
                return Ok(Some(remote));
            }
        }
        Ok(None)
    }

    /// Changes address, credential or limits.
    pub async fn change(&self, remote: RemoteId, change: &ChangeRemote) -> Result<Remote> {
        let call = Call::patch(format!("/remotes/{remote}")).json(change)?;
        self.0.json(call).await
    }

    /// Puts another configuration in its place.
    pub async fn replace(&self, remote: RemoteId, new: &CreateRemote) -> Result<Remote> {
        let call = Call::put(format!("/remotes/{remote}")).json(new)?;
        self.0.json(call).await
    }

    /// Tries it out, step by step.
    pub async fn test(&self, remote: RemoteId) -> Result<RemoteTest> {
        self.0
            .json(Call::post(format!("/remotes/{remote}/test")))
            .await
    }

    /// What is in a folder of it, by name; where paths begin when there is no `path`.
    pub fn children(&self, remote: RemoteId, path: Option<&str>) -> Listing<RemoteChild> {
        let call = Call::get(format!("/remotes/{remote}/children"));
        Listing::new(self.0, call.maybe("path", path))
    }

    /// How it fares, as its transfers and its watch found it.
    pub async fn health(&self, remote: RemoteId) -> Result<RemoteHealth> {
        self.0
            .json(Call::get(format!("/remotes/{remote}/health")))
            .await
    }

    /// Lets transfers go to it again at once.
    pub async fn reset_circuit(&self, remote: RemoteId) -> Result<RemoteHealth> {
        let call = Call::post(format!("/remotes/{remote}/reset-circuit"));
        self.0.json(call).await
    }

    /// What uses it.
    pub async fn used_by(&self, remote: RemoteId) -> Result<RemoteUserList> {
        self.0
            .json(Call::get(format!("/remotes/{remote}/used-by")))
            .await
    }

    /// Pins the host key with this fingerprint.
    pub async fn trust(&self, remote: RemoteId, fingerprint: &str) -> Result<Remote> {
        let body = TrustHostKey {
            fingerprint: fingerprint.to_owned(),
        };
        let call = Call::post(format!("/remotes/{remote}/trust")).json(&body)?;
        self.0.json(call).await
    }

    /// Makes a key pair of SSH for it; the answer has the public half.
    pub async fn new_ssh_key(&self, remote: RemoteId, wish: &NewSshKey) -> Result<Remote> {
        let call = Call::post(format!("/remotes/{remote}/ssh-key")).json(wish)?;
        self.0.json(call).await
    }

    /// Removes it.
    pub async fn delete(&self, remote: RemoteId) -> Result<()> {
        self.0
            .gone(Call::delete(format!("/remotes/{remote}")))
            .await
    }
}
