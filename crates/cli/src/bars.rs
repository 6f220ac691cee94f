use std::io::IsTerminal as _;
use std::ops::ControlFlow;
use std::time::Duration;

use bailee_client::OnProgress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

const BYTES: &str =
    "{prefix:24!} {bar:24} {bytes:>11}/{total_bytes:<11} {binary_bytes_per_sec:>12} {eta}";
const UNKNOWN: &str = "{prefix:24!} {spinner} {bytes:>11} {binary_bytes_per_sec:>12}";
/// How often a bar without progress still moves.
const TICK: Duration = Duration::from_millis(200);

/// Progress on stderr; nothing off a terminal or with `-q`.
pub struct Bars(MultiProgress);

impl Bars {
    /// Bars, if somebody looks.
    pub fn new(quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let target = if shown {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        Self(MultiProgress::with_draw_target(target))
    }

    /// A bar for one file.
    pub fn file(&self, name: &str, size: Option<u64>) -> Bar {
        let bar = self.0.add(ProgressBar::new(size.unwrap_or(0)));
        let template = if size.is_some() { BYTES } else { UNKNOWN };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(crate::failure::visible(name));
        bar.enable_steady_tick(TICK);
        Bar(bar)
    }

    /// Runs `print` while the bars are off the screen.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

/// One bar; it goes away when it is dropped.
pub struct Bar(ProgressBar);

impl Bar {
    /// What the SDK tells its progress to.
    pub fn listener(&self) -> OnProgress {
        let bar = self.0.clone();
        Box::new(move |progress| {
            if let Some(total) = progress.total_bytes {
                bar.set_length(total);
            }
            bar.set_position(progress.bytes_committed);
            ControlFlow::Continue(())
        })
    }

    /// Shows another amount.
    pub fn set(&self, done: u64, total: Option<u64>) {
        if let Some(total) = total {
            self.0.set_length(total);
        }
        self.0.set_position(done);
    }

    /// Shows another name.
    pub fn rename(&self, name: &str) {
        self.0.set_prefix(crate::failure::visible(name));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A size for people: `7.0 MB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let (mut amount, mut unit) = (bytes as f64, "B");
    for name in UNITS {
        unit = name;
        if amount < 1000.0 {
            break;
        }
        amount /= 1000.0;
    }
    if unit == "B" {
        format!("{bytes} B")
    } else {
        format!("{amount:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (7_000_000, "7.0 MB"),
            (5_497_558_138_880, "5.5 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
