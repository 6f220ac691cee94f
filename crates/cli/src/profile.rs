//! The servers that this machine knows: `config.toml` for addresses, `credentials.toml`, readable for its owner alone, for
//! API keys.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::args::Global;

/// One server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its address.
    pub url: String,
    /// Authorities to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// No Debug: it holds API keys.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsFile {
    #[serde(default)]
    api_keys: BTreeMap<String, String>,
}

/// What the environment says. Read once, so that tests need none.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `BAILEE_CONFIG`: path of the configuration file.
    pub config: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub state_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process.
    pub fn read() -> Self {
        let path = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            config: path("BAILEE_CONFIG"),
            config_home: path("XDG_CONFIG_HOME"),
            state_home: path("XDG_STATE_HOME"),
            home: path("HOME"),
        }
    }

    fn config_file(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.config {
            return Ok(path.clone());
        }
        let home = self
            .config_home
            .clone()
            .or_else(|| Some(self.home.as_ref()?.join(".config")));
        match home {
            Some(home) => Ok(home.join("bailee/config.toml")),
            None => Err(Failure::usage(
                "no place for the configuration",
                "Set HOME, XDG_CONFIG_HOME or BAILEE_CONFIG.",
            )),
        }
    }

    /// Where interrupted uploads are remembered; `None` when there is no home.
    pub fn uploads_folder(&self) -> Option<PathBuf> {
        let home = self
            .state_home
            .clone()
            .or_else(|| Some(self.home.as_ref()?.join(".local/state")))?;
        Some(home.join("bailee/uploads"))
    }
}

/// All profiles of this machine.
pub struct Profiles {
    config_path: PathBuf,
    credentials_path: PathBuf,
    config: ConfigFile,
    credentials: CredentialsFile,
}

impl Profiles {
    /// Reads them; files that do not exist are empty.
    pub fn load(environment: &Environment) -> Result<Self, Failure> {
        let config_path = environment.config_file()?;
        let credentials_path = config_path.with_file_name("credentials.toml");
        Ok(Self {
            config: read(&config_path)?,
            credentials: read(&credentials_path)?,
            config_path,
            credentials_path,
        })
    }

    /// Names and profiles, and whether each is the current one.
    pub fn list(&self) -> impl Iterator<Item = (&str, &Profile, bool)> {
        let current = self.config.current.as_deref();
        self.config
            .profiles
            .iter()
            .map(move |(name, profile)| (name.as_str(), profile, current == Some(name)))
    }

    /// The named profile, or the current one, with its name.
    pub fn find(&self, name: Option<&str>) -> Result<Option<(&str, &Profile)>, Failure> {
        let Some(name) = name.or(self.config.current.as_deref()) else {
            return Ok(None);
        };
        match self.config.profiles.get_key_value(name) {
            Some((name, profile)) => Ok(Some((name, profile))),
            None => Err(unknown(name)),
        }
    }

    /// The API key of a profile.
    pub fn api_key(&self, name: &str) -> Option<&str> {
        self.credentials.api_keys.get(name).map(String::as_str)
    }

    /// Adds or replaces a profile and its key, and makes it current when there is no other.
    pub fn add(&mut self, name: &str, profile: Profile, api_key: String) {
        self.config.profiles.insert(name.to_owned(), profile);
        self.credentials.api_keys.insert(name.to_owned(), api_key);
        self.config.current.get_or_insert_with(|| name.to_owned());
    }

    /// Makes a profile current.
    pub fn choose(&mut self, name: &str) -> Result<(), Failure> {
        if !self.config.profiles.contains_key(name) {
            return Err(unknown(name));
        }
        self.config.current = Some(name.to_owned());
        Ok(())
    }

    /// Forgets a profile and its key.
    pub fn remove(&mut self, name: &str) -> Result<(), Failure> {
        self.credentials.api_keys.remove(name);
        if self.config.profiles.remove(name).is_none() {
            return Err(unknown(name));
        }
        if self.config.current.as_deref() == Some(name) {
            self.config.current = None;
        }
        Ok(())
    }

    /// Writes both files, each whole or not at all.
    pub fn save(&self) -> Result<(), Failure> {
        write(&self.config_path, &self.config)?;
        write(&self.credentials_path, &self.credentials)
    }
}

/// Saves a profile under `name` and makes it current if there is none. For `bailee serve --dev`.
pub fn save_profile(
    environment: &Environment,
    name: &str,
    profile: Profile,
    api_key: &str,
) -> Result<(), Failure> {
    let mut profiles = Profiles::load(environment)?;
    profiles.add(name, profile, api_key.to_owned());
    profiles.save()
}

/// Which server, trusted how, with which key.
pub struct Target {
    /// Its address.
    pub url: String,
    /// Authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The credential; `None` when nobody gave one.
    pub api_key: Option<String>,
}

/// Flag over environment over profile. A profile's key is never sent to another server than the profile's own.
pub fn target(
    global: &Global,
    env_key: Option<String>,
    environment: &Environment,
) -> Result<Target, Failure> {
    let complete = global.url.is_some() && env_key.is_some() && global.profile.is_none();
    if let (true, Some(url)) = (complete, &global.url) {
        return Ok(Target {
            url: url.clone(),
            ca_file: global.ca_file.clone(),
            api_key: env_key,
        });
    }
    let profiles = Profiles::load(environment)?;
    let found = profiles.find(global.profile.as_deref())?;
    let url = global.url.clone().or_else(|| Some(found?.1.url.clone())).ok_or_else(|| {
        Failure::usage(
            "no server is known",
            "Set BAILEE_URL and BAILEE_API_KEY, or `bailee profile add NAME --url URL --api-key-file FILE`.",
        )
    })?;
    let same =
        found.filter(|(_, profile)| profile.url.trim_end_matches('/') == url.trim_end_matches('/'));
    let from_profile = |(name, _): (&str, &Profile)| profiles.api_key(name).map(str::to_owned);
    Ok(Target {
        api_key: env_key.or_else(|| same.and_then(from_profile)),
        ca_file: global.ca_file.clone().or_else(|| same?.1.ca_file.clone()),
        url,
    })
}

fn unknown(name: &str) -> Failure {
    Failure::usage(
        format!("no profile is named `{name}`"),
        "See `bailee profile list`.",
    )
}

fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(T::default()),
        Err(error) => return Err(Failure::local("read", path)(error)),
    };
    // The parser's own message would quote the line, which may hold a key.
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            text.get(..span.start)
                .unwrap_or_default()
                .lines()
                .count()
                .max(1)
        });
        Failure::usage(
            format!("{} is not readable near line {line}", path.display()),
            "It is TOML; `bailee profile add` writes it.",
        )
    })
}

fn write(path: &Path, content: &impl Serialize) -> Result<(), Failure> {
    let text =
        toml::to_string_pretty(content).map_err(|error| Failure::Other(error.to_string()))?;
    let store = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = path.with_extension("toml.new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    store().map_err(Failure::local("write", path))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn environment(folder: &Path) -> Environment {
        Environment {
            config_home: Some(folder.to_owned()),
            ..Environment::default()
        }
    }

    fn profile(url: &str) -> Profile {
        Profile {
            url: url.to_owned(),
            ca_file: Some("/ca.pem".into()),
        }
    }

    #[test]
    fn profiles_are_kept_and_keys_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path());
        save_profile(
            &environment,
            "dev",
            profile("https://localhost:8443"),
            "secret",
        )
        .unwrap();
        save_profile(&environment, "other", profile("https://other"), "another").unwrap();
        let mut profiles = Profiles::load(&environment).unwrap();
        assert_eq!(profiles.find(None).unwrap().unwrap().0, "dev");
        assert_eq!(profiles.api_key("dev"), Some("secret"));
        profiles.choose("other").unwrap();
        profiles.remove("dev").unwrap();
        profiles.save().unwrap();
        let profiles = Profiles::load(&environment).unwrap();
        assert_eq!(profiles.find(None).unwrap().unwrap().0, "other");
        assert_eq!(profiles.api_key("dev"), None);
        assert!(profiles.find(Some("dev")).is_err());
        let config = fs::read_to_string(folder.path().join("bailee/config.toml")).unwrap();
        assert!(!config.contains("another"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let facts = fs::metadata(folder.path().join("bailee/credentials.toml")).unwrap();
            assert_eq!(facts.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_goes_to_its_own_server_alone() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path());
        save_profile(
            &environment,
            "dev",
            profile("https://localhost:8443"),
            "secret",
        )
        .unwrap();
        let own = target(&Global::default(), None, &environment).unwrap();
        assert_eq!(
            (own.url.as_str(), own.api_key.as_deref()),
            ("https://localhost:8443", Some("secret"))
        );
        let elsewhere = Global {
            url: Some("https://evil.example".to_owned()),
            ..Global::default()
        };
        let target_elsewhere = target(&elsewhere, None, &environment).unwrap();
        assert_eq!(target_elsewhere.api_key, None);
        assert_eq!(target_elsewhere.ca_file, None);
        let with_key = target(&elsewhere, Some("mine".to_owned()), &environment).unwrap();
        assert_eq!(with_key.api_key.as_deref(), Some("mine"));
        assert!(
            target(
                &Global::default(),
                None,
                &Environment {
                    home: Some("/nonexistent".into()),
                    ..Environment::default()
                }
            )
            .is_err()
        );
    }

    #[test]
    fn a_broken_file_is_named_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bailee")).unwrap();
        fs::write(
            folder.path().join("bailee/credentials.toml"),
            "[api_keys]\ndev = verysecret",
        )
        .unwrap();
        let Err(failure) = Profiles::load(&environment(folder.path())) else {
            return assert!(folder.path().exists(), "a broken file was accepted");
        };
        assert!(
            failure.to_string().contains("line 2") && !failure.lines().contains("verysecret"),
            "{failure}"
        );
    }
}
