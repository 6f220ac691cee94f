//! strace on a running server, to end it at a system call.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start programs beside the server"
)]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::{LOOK_EVERY, PATIENCE, Server};

impl Server {
    /// Has strace watch the running server, killing it at a system call; answers once every thread is watched, or the server has
    /// come to that call already.
    pub(crate) async fn attach_strace(&mut self, arguments: &[&str]) -> Strace {
        let pid = self.process_id();
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-p", &pid.to_string()]);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        let tracer = Strace(command.spawn().unwrap());
        let begun = Instant::now();
        while !is_traced(pid) && !self.has_ended() {
            assert!(
                begun.elapsed() < PATIENCE,
                "strace does not attach; is it installed and allowed to?"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
        tracer
    }
}

/// A running strace; it lets go when dropped.
pub(crate) struct Strace(Child);

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

fn is_traced(pid: u32) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    tasks.flatten().all(|task| {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        !status.contains("TracerPid:\t0\n")
    })
}
