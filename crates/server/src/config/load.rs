use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::{Table, Value};

use super::error::ConfigError;
use super::keys::{self, SECRETS};
use super::origin::Origin;
use super::section::Config;
use super::{DEFAULTS, bounds};

/// Read when no file is named and it exists.
pub const USUAL_FILE: &str = "/etc/bailee/bailee.toml";

const ENVIRONMENT_PREFIX: &str = "BAILEE__";
const ENVIRONMENT_SEPARATOR: &str = "__";
const REDACTED: &str = "(secret)";

/// The places beside the defaults.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// A file that must exist; `None` reads none.
    pub file: Option<PathBuf>,
    /// The environment of the process. Only `BAILEE__…` is looked at; an empty variable counts as unset.
    pub environment: Vec<(String, String)>,
    /// Values of `--set`, each `section.key=value`; the last of a key wins.
    pub flags: Vec<String>,
}

impl LoadOptions {
    /// [`USUAL_FILE`] when it is there.
    pub fn usual_file() -> Option<PathBuf> {
        let path = Path::new(USUAL_FILE);
        path.exists().then(|| path.to_owned())
    }
}

/// Settings and where each came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    values: Values,
}

/// One line of `bailee config show --origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// `section.key`
    pub key: String,
    /// As TOML; a secret is replaced by a placeholder.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

type Values = BTreeMap<String, (Value, Origin)>;

impl Loaded {
    /// Reads and merges all places, and refuses what is unknown, of a wrong type, out of bounds or a secret in clear.
    pub fn load(options: LoadOptions) -> Result<Self, ConfigError> {
        let defaults = defaults()?;
        let mut values = defaults.clone();
        if let Some(path) = &options.file {
            let origin = Origin::File(path.clone());
            for (key, value) in read_file(path)? {
                take(&mut values, key, value, origin.clone())?;
            }
        }
        for (name, text) in &options.environment {
            let Some(rest) = name
                .strip_prefix(ENVIRONMENT_PREFIX)
                .filter(|_| !text.is_empty())
            else {
                continue;
            };
            let key = rest.to_lowercase().replacen(ENVIRONMENT_SEPARATOR, ".", 1);
            let value = value_of(text, defaults.get(&key));
            take(&mut values, key, value, Origin::Environment(name.clone()))?;
        }
        for flag in &options.flags {
            let (key, text) = flag.split_once('=').ok_or(ConfigError::FlagShape)?;
            let value = value_of(text, defaults.get(key));
            take(&mut values, key.to_owned(), value, Origin::Flag)?;
        }
        refuse_doubled_secrets(&values)?;
        refuse_out_of_bounds(&values)?;
        let config =
            Config::deserialize(table(&values)).map_err(|_| culprit(&defaults, &values))?;
        // From here on a secret lives in its own type only.
        for key in SECRETS {
            if let Some((value, _)) = values.get_mut(key) {
                *value = Value::String(REDACTED.to_owned());
            }
        }
        Ok(Self { config, values })
    }

    /// Every setting that has a value, by key.
    pub fn values(&self) -> Vec<Shown> {
        let shown = |(key, (value, origin)): (&String, &(Value, Origin))| Shown {
            key: key.clone(),
            value: value.to_string(),
            origin: origin.clone(),
        };
        self.values.iter().map(shown).collect()
    }
}

fn defaults() -> Result<Values, ConfigError> {
    let entries = parse(DEFAULTS, Path::new("bailee.default.toml"))?;
    Ok(entries
        .into_iter()
        .map(|(key, value)| (key, (value, Origin::Default)))
        .collect())
}

fn read_file(path: &Path) -> Result<Vec<(String, Value)>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, path)
}

/// The entries of a document as `section.key`. What is not in a section keeps its bare name, which no known key has.
fn parse(text: &str, path: &Path) -> Result<Vec<(String, Value)>, ConfigError> {
    let document: Table = text.parse().map_err(|error: toml::de::Error| {
        // Only the number of the line: the line itself may hold a secret.
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        ConfigError::Syntax {
            path: path.to_owned(),
            line,
            problem: error.message().to_owned(),
        }
    })?;
    let mut entries = Vec::new();
    for (section, content) in document {
        match content {
            Value::Table(content) => {
                entries.extend(
                    content
                        .into_iter()
                        .map(|(key, value)| (format!("{section}.{key}"), value)),
                );
            }
            other => entries.push((section, other)),
        }
    }
    Ok(entries)
}

/// Puts a value over those of earlier places, if its key is known and may come from there.
fn take(values: &mut Values, key: String, value: Value, origin: Origin) -> Result<(), ConfigError> {
    if !keys::known().contains(&key) {
        return Err(ConfigError::UnknownKey {
            nearest: keys::nearest(&key),
            key,
            origin,
        });
    }
    if SECRETS.contains(&key.as_str()) && !matches!(origin, Origin::Environment(_)) {
        return Err(ConfigError::SecretInClear { key, origin });
    }
    values.insert(key, (value, origin));
    Ok(())
}

/// Text from the environment or a flag as the type that the setting has. Text that does not fit stays text, and is
/// refused with the others of a wrong type.
fn value_of(text: &str, default: Option<&(Value, Origin)>) -> Value {
    let as_text = || Value::String(text.to_owned());
    match default.map(|(value, _)| value) {
        Some(Value::Integer(_)) => text
            .trim()
            .parse()
            .map_or_else(|_| as_text(), Value::Integer),
        Some(Value::Boolean(_)) => text
            .trim()
            .parse()
            .map_or_else(|_| as_text(), Value::Boolean),
        Some(Value::Array(_)) if text.trim_start().starts_with('[') => {
            let document: Result<Table, _> = format!("list = {text}").parse();
            document
                .ok()
                .and_then(|mut document| document.remove("list"))
                .unwrap_or_else(as_text)
        }
        Some(Value::Array(_)) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        _ => as_text(),
    }
}

fn refuse_doubled_secrets(values: &Values) -> Result<(), ConfigError> {
    match SECRETS
        .iter()
        .find(|key| values.contains_key(**key) && values.contains_key(&format!("{key}_file")))
    {
        Some(key) => Err(ConfigError::SecretTwice {
            key: (*key).to_owned(),
        }),
        None => Ok(()),
    }
}

fn refuse_out_of_bounds(values: &Values) -> Result<(), ConfigError> {
    for (key, (value, origin)) in values {
        if let Some(problem) = value
            .as_integer()
            .and_then(|number| bounds::problem(key, number))
        {
            return Err(ConfigError::Value {
                key: key.clone(),
                origin: origin.clone(),
                problem,
            });
        }
    }
    Ok(())
}

/// Finds the value that does not fit: the one that also spoils the defaults when it alone replaces them.
fn culprit(defaults: &Values, values: &Values) -> ConfigError {
    for (key, (value, origin)) in values {
        let mut alone = defaults.clone();
        alone.insert(key.clone(), (value.clone(), origin.clone()));
        if let Err(error) = Config::deserialize(table(&alone)) {
            let problem = error.message().to_owned();
            return ConfigError::Value {
                key: key.clone(),
                origin: origin.clone(),
                problem,
            };
        }
    }
    let problem = "the values do not fit together".to_owned();
    ConfigError::Value {
        key: String::new(),
        origin: Origin::Default,
        problem,
    }
}

fn table(values: &Values) -> Table {
    let mut document = Table::new();
    for (key, (value, _)) in values {
        let Some((section, name)) = key.split_once('.') else {
            continue;
        };
        let section = document
            .entry(section)
            .or_insert_with(|| Value::Table(Table::new()));
        if let Some(section) = section.as_table_mut() {
            section.insert(name.to_owned(), value.clone());
        }
    }
    document
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::log::LogFormat;

    fn with(
        file: Option<&str>,
        environment: &[(&str, &str)],
        flags: &[&str],
    ) -> Result<Loaded, ConfigError> {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("bailee.toml");
        if let Some(text) = file {
            std::fs::write(&path, text).unwrap();
        }
        Loaded::load(LoadOptions {
            file: file.map(|_| path),
            environment: environment
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        })
    }

    #[test]
    fn the_defaults_file_and_the_structs_say_the_same() {
        let of_file: Table = DEFAULTS.parse().unwrap();
        assert_eq!(of_file, Table::try_from(Config::default()).unwrap());
        let limits = with(None, &[], &[]).unwrap().config.listen_limits();
        assert_eq!(limits, crate::listen::Limits::default());
        // Keys without a default stand in comments, so that an operator sees every key there is.
        for key in keys::known() {
            let (_, name) = key.split_once('.').unwrap();
            let is_explained = DEFAULTS.lines().any(|line| {
                line.trim_start_matches("# ")
                    .starts_with(&format!("{name} = "))
            });
            assert!(
                is_explained || SECRETS.contains(&key.as_str()),
                "{key} is not in the defaults file"
            );
        }
    }

    #[test]
    fn a_later_place_wins_and_is_named() {
        let file = "[rate_limits]\nread = 1\nwrite = 1\nauth = 1\n[log]\nformat = \"text\"\n";
        let environment = [
            ("BAILEE__RATE_LIMITS__WRITE", "2"),
            ("BAILEE__RATE_LIMITS__AUTH", "2"),
            ("BAILEE__EGRESS__ALLOW", "10.0.0.0/8, 192.168.0.0/16"),
            ("BAILEE__LOG__LEVEL", ""),
            ("PATH", "/bin"),
        ];
        let flags = [
            "rate_limits.auth=3",
            "server.hostnames=[\"a.example\"]",
            "metrics.enabled=false",
        ];
        let loaded = with(Some(file), &environment, &flags).unwrap();
        let rates = loaded.config.rate_limits;
        assert_eq!(
            (rates.read, rates.write, rates.auth, rates.status),
            (1, 2, 3, 1800)
        );
        assert_eq!(loaded.config.egress.allow.len(), 2);
        assert_eq!(loaded.config.server.hostnames, ["a.example"]);
        assert!(!loaded.config.metrics.enabled);
        assert_eq!(loaded.config.log.format, LogFormat::Text);
        let shown = loaded.values();
        let origin = |key: &str| {
            shown
                .iter()
                .find(|shown| shown.key == key)
                .unwrap()
                .origin
                .clone()
        };
        assert!(matches!(origin("rate_limits.read"), Origin::File(_)));
        assert_eq!(
            origin("rate_limits.write"),
            Origin::Environment("BAILEE__RATE_LIMITS__WRITE".to_owned())
        );
        assert_eq!(origin("rate_limits.auth"), Origin::Flag);
        assert_eq!(origin("rate_limits.status"), Origin::Default);
        assert_eq!(origin("log.level"), Origin::Default);
    }

    #[test]
    fn an_unknown_key_is_refused_wherever_it_stands() {
        let text = |result: Result<Loaded, ConfigError>| result.unwrap_err().to_string();
        let file = text(with(Some("[tls]\ncertifcate = \"x\"\n"), &[], &[]));
        assert!(
            file.starts_with("unknown key `tls.certifcate` (/"),
            "{file}"
        );
        assert!(file.ends_with("did you mean `tls.certificate`?"), "{file}");
        assert_eq!(
            text(with(None, &[("BAILEE__LOG__LEVLE", "info")], &[])),
            "unknown key `log.levle` (environment BAILEE__LOG__LEVLE); did you mean `log.level`?"
        );
        assert!(text(with(None, &[], &["qqq=1"])).contains("unknown key `qqq` (--set)"));
        assert!(text(with(Some("listen = 1\n"), &[], &[])).contains("unknown key `listen`"));
        assert!(
            text(with(Some("[tls.certificate]\nx = 1\n"), &[], &[])).contains("`tls.certificate`")
        );
        assert!(matches!(
            with(None, &[], &["log.level"]),
            Err(ConfigError::FlagShape)
        ));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place() {
        for (flag, problem) in [
            ("limits.connections=many", "`limits.connections` (--set): "),
            (
                "limits.connections=0",
                "`limits.connections` (--set): 0 is outside 1 to 1000000",
            ),
            ("tls.min_version=1.1", "`tls.min_version` (--set): "),
            ("egress.allow=10.0.0.0", "is not a network"),
            ("server.listen=8443", "`server.listen` (--set): "),
        ] {
            let error = with(None, &[], &[flag]).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        let error = with(Some("[server]\nlisten = \"s3cret\n"), &[], &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2") && !error.contains("s3cret"),
            "{error}"
        );
    }

    #[test]
    fn secrets_come_from_the_environment_and_never_show() {
        let url = "postgres://bailee:pw@db/bailee";
        let loaded = with(None, &[("BAILEE__DATABASE__URL", url)], &[]).unwrap();
        assert_eq!(
            loaded
                .config
                .database
                .url()
                .unwrap()
                .unwrap()
                .expose_secret(),
            url
        );
        let shown = loaded
            .values()
            .into_iter()
            .find(|shown| shown.key == "database.url")
            .unwrap();
        assert_eq!(shown.value, format!("{REDACTED:?}"));
        assert!(!format!("{loaded:?}").contains("pw"));
        let in_file = format!("[database]\nurl = \"{url}\"\n");
        assert!(matches!(
            with(Some(&in_file), &[], &[]),
            Err(ConfigError::SecretInClear { .. })
        ));
        assert!(matches!(
            with(None, &[], &["keys.root_key=x"]),
            Err(ConfigError::SecretInClear { .. })
        ));
        let both = [
            ("BAILEE__KEYS__ROOT_KEY", "x"),
            ("BAILEE__KEYS__ROOT_KEY_FILE", "/x"),
        ];
        assert!(matches!(
            with(None, &both, &[]),
            Err(ConfigError::SecretTwice { .. })
        ));
    }
}
