//! Logs: one JSON object a line for machines, or text for people, on standard error.
//!
//! JSON escapes control characters, so one event stays one line whatever a client sends. Text escapes terminal
//! sequences and is meant for development. The level can change while the server runs.

use std::io::IsTerminal as _;

use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer, Registry, fmt, reload};

/// Who reads the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// Text for a terminal.
    Text,
}

/// Why logs cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is neither a level nor a filter.
    #[error("`log.level` is neither a level nor a filter: {text:?}")]
    Level {
        /// As it was written.
        text: String,
        /// What is wrong.
        #[source]
        source: ParseError,
    },
    /// Logs were set up before in this process.
    #[error("logs are set up already")]
    Installed,
    /// The log is gone; only possible while the process ends.
    #[error("the log is closed")]
    Closed,
}

/// Changes the level of a running log.
#[derive(Clone)]
pub struct LogHandle(reload::Handle<EnvFilter, Registry>);

impl LogHandle {
    /// From now on, log at `level`: a level or a filter. On an error the former level stays.
    pub fn level(&self, level: &str) -> Result<(), LogError> {
        self.0.reload(filter(level)?).map_err(|_| LogError::Closed)
    }
}

/// Sends all logs of the process to standard error. Once in a process.
pub fn install(level: &str, format: LogFormat) -> Result<LogHandle, LogError> {
    let (subscriber, handle) = subscriber(level, format, std::io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Installed)?;
    Ok(handle)
}

fn subscriber<W>(
    level: &str,
    format: LogFormat,
    writer: W,
) -> Result<(impl tracing::Subscriber + Send + Sync, LogHandle), LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(filter(level)?);
    let lines = match format {
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
        LogFormat::Text => fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(writer)
            .boxed(),
    };
    Ok((
        Registry::default().with(filter).with(lines),
        LogHandle(handle),
    ))
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder()
        .parse(level)
        .map_err(|source| LogError::Level {
            text: level.to_owned(),
            source,
        })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Memory {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let memory = Memory::default();
        let writer = memory.clone();
        let (subscriber, _handle) =
            subscriber("info", LogFormat::Json, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(file.name = "a\nb\u{1b}[31m", size_bytes = 7, "received");
        });
        let text = memory.text();
        assert_eq!(text.lines().count(), 1);
        assert!(!text.contains('\u{1b}'));
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event.get("file.name").unwrap(), "a\nb\u{1b}[31m");
        assert_eq!(event.get("size_bytes").unwrap(), 7);
        assert_eq!(event.get("message").unwrap(), "received");
    }

    #[test]
    fn the_level_changes_while_running_and_nonsense_is_refused() {
        let memory = Memory::default();
        let writer = memory.clone();
        let (subscriber, handle) =
            subscriber("warn", LogFormat::Text, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("before");
            handle.level("info").unwrap();
            tracing::info!("after");
            assert!(matches!(handle.level("a=b=c"), Err(LogError::Level { .. })));
            tracing::info!("still");
        });
        let text = memory.text();
        assert!(
            !text.contains("before") && text.contains("after") && text.contains("still"),
            "{text}"
        );
    }
}
