//! Child processes that end with their guard, and what `/proc` says about them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// `/proc` counts CPU time in hundredths of a second, whatever the kernel's own tick is.
const TICKS_PER_SECOND: f64 = 100.0;
/// How long a server may take to end by itself.
const STOP_WAIT: Duration = Duration::from_secs(20);
/// Between two looks at something that is to happen.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// A command of the given program whose output goes to `log`.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark starts the servers that it measures"
)]
pub fn command(program: &Path, log: &Path) -> Result<Command> {
    let out = std::fs::File::create(log)?;
    let mut command = Command::new(program);
    command
        .stdin(Stdio::piped())
        .stdout(out.try_clone()?)
        .stderr(out);
    Ok(command)
}

/// A child that is stopped when this is dropped.
#[derive(Debug)]
pub struct Guard {
    child: Child,
}

impl Guard {
    /// Starts a command.
    pub fn start(mut command: Command) -> Result<Self> {
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child })
    }

    /// Waits until `is_ready` says so, and tells an early end and a delay apart.
    pub fn wait_until(&mut self, wait: Duration, is_ready: impl Fn() -> bool) -> Result<()> {
        let start = Instant::now();
        while !is_ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended at once ({status})");
            }
            if start.elapsed() > wait {
                bail!("it was not ready after {} s", wait.as_secs());
            }
            pause(LOOK_INTERVAL);
        }
        Ok(())
    }

    /// Asks the process to end, waits, and kills it if it does not.
    pub fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let pid = rustix::process::Pid::from_child(&self.child);
        let asked = rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok();
        let start = Instant::now();
        while asked && start.elapsed() < STOP_WAIT {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            pause(LOOK_INTERVAL);
        }
        // Nothing is left to be done about a child that can be neither killed nor awaited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The process and its children.
    pub fn family(&self) -> Family {
        let pid = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        let mut pids = vec![pid];
        pids.extend(
            children
                .split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
        Family(pids)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits; measuring needs the wall clock.
#[expect(
    clippy::disallowed_methods,
    reason = "no runtime here: a thread of a benchmark may block"
)]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The processes of one server.
#[derive(Clone, Debug)]
pub struct Family(Vec<u32>);

impl Family {
    /// CPU seconds used so far, user and system.
    pub fn cpu_seconds(&self) -> f64 {
        self.0.iter().map(|pid| cpu_seconds(&pid.to_string())).sum()
    }

    /// Memory that is resident now, MiB.
    pub fn resident_mib(&self) -> f64 {
        self.memory_mib("VmRSS:")
    }

    /// The most that was resident since [`Self::forget_peak`], MiB.
    pub fn peak_mib(&self) -> f64 {
        self.memory_mib("VmHWM:")
    }

    /// Lets the peak start again from what is resident now.
    pub fn forget_peak(&self) -> Result<()> {
        for pid in &self.0 {
            std::fs::write(format!("/proc/{pid}/clear_refs"), "5")
                .context("cannot reset the memory peak")?;
        }
        Ok(())
    }

    /// What the processes have read from files so far, page cache included, MiB.
    pub fn read_mib(&self) -> f64 {
        let read = |pid: &u32| {
            let text = std::fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("rchar:"))?;
            line.trim().parse::<u64>().ok()
        };
        let bytes: u64 = self.0.iter().filter_map(read).sum();
        bytes as f64 / (1024.0 * 1024.0)
    }

    fn memory_mib(&self, field: &str) -> f64 {
        let kib: u64 = self.0.iter().filter_map(|pid| status(*pid, field)).sum();
        kib as f64 / 1024.0
    }
}

/// CPU seconds of this program, the load generator.
pub fn own_cpu_seconds() -> f64 {
    cpu_seconds("self")
}

/// CPU seconds that all cores together were busy since the machine started.
pub fn machine_cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let fields = first.split_whitespace().skip(1);
    // The fourth and fifth are idle time; the ninth and tenth are parts of the first two.
    fields
        .take(8)
        .enumerate()
        .filter(|(place, _)| !matches!(place, 3 | 4))
        .filter_map(|(_, ticks)| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS_PER_SECOND
}

fn cpu_seconds(pid: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; user and system time are the 12th and 13th field after it.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS_PER_SECOND
}

fn status(pid: u32, field: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_the_machine_was_busy() {
        let own = Family(vec![std::process::id()]);
        assert!(own.resident_mib() > 0.1);
        assert!(own.peak_mib() >= own.resident_mib() / 2.0);
        assert!(machine_cpu_seconds() > 0.0);
        assert!(own_cpu_seconds() >= 0.0);
    }
}
