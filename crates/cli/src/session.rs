use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use bailee_client::{Client, ENV_API_KEY};

use crate::args::Global;
use crate::output::Output;
use crate::profile::{Environment, Profiles, target};
use crate::{Failure, failure::visible};

/// Largest secret or body that is read from stdin or a file, in bytes.
const INPUT_BYTES_MAX: u64 = 1024 * 1024;

/// What every command has: the global flags, the environment, and a client when it asks for one.
pub struct Session {
    /// The global flags.
    pub global: Global,
    /// Where results go.
    pub output: Output,
    /// What the environment says.
    pub environment: Environment,
}

impl Session {
    /// The session of this process.
    pub fn new(global: Global) -> Self {
        Self {
            output: Output::new(global.output),
            global,
            environment: Environment::read(),
        }
    }

    /// A client of the server that flags, environment and profile name.
    pub fn client(&self) -> Result<Client, Failure> {
        let env_key = std::env::var(ENV_API_KEY)
            .ok()
            .filter(|key| !key.is_empty());
        let target = target(&self.global, env_key, &self.environment)?;
        let mut builder = Client::builder(target.url)
            .user_agent(concat!("bailee-cli/", env!("CARGO_PKG_VERSION")));
        if let Some(key) = target.api_key {
            builder = builder.api_key(key);
        }
        if let Some(path) = target.ca_file {
            builder = builder.ca_file(path);
        }
        if !self.global.quiet {
            builder = builder.on_retry(|error, delay| {
                let why = visible(&error.to_string());
                eprintln!("trying again in {:.1} s: {why}", delay.as_secs_f64());
            });
        }
        Ok(builder.build()?)
    }

    /// The profiles of this machine.
    pub fn profiles(&self) -> Result<Profiles, Failure> {
        Profiles::load(&self.environment)
    }

    /// Talk, on stderr.
    pub fn say(&self, text: &str) {
        if !self.global.quiet {
            eprintln!("{}", visible(text));
        }
    }

    /// Asks a question whose answer must be yes. Without a terminal nobody can answer: then it fails.
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.global.yes {
            return Ok(());
        }
        let refused = || Failure::NotConfirmed(question.to_owned());
        let input = std::io::stdin();
        if !input.is_terminal() || !std::io::stderr().is_terminal() {
            return Err(refused());
        }
        eprint!("{} [y/N] ", visible(question));
        let mut line = String::new();
        let read = std::io::stderr()
            .flush()
            .and_then(|()| input.lock().read_line(&mut line));
        match read {
            Ok(_) if matches!(line.trim(), "y" | "Y" | "yes") => Ok(()),
            _ => Err(refused()),
        }
    }
}

/// Reads a small file, or stdin for `-`.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = Failure::local("read", path);
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(INPUT_BYTES_MAX)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(INPUT_BYTES_MAX).read_to_end(&mut bytes))
    };
    read.map_err(failed)?;
    Ok(bytes)
}

/// Reads a small text from a file, or from stdin for `-`.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let no_text = |_| std::io::Error::from(std::io::ErrorKind::InvalidData);
    String::from_utf8(read_bytes(path)?)
        .map_err(no_text)
        .map_err(Failure::local("read", path))
}

/// Reads a secret: the text without its line end.
pub fn read_secret(path: &Path) -> Result<String, Failure> {
    let text = read_text(path)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(Failure::usage(
            format!("{} holds no secret", path.display()),
            "Write it to the file, or pipe it in with -.",
        ));
    }
    Ok(secret.to_owned())
}
