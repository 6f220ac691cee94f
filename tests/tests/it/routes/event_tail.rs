//! `bailee event tail` and `bailee webhook listen`: the feed followed from a terminal, over a server that comes and goes.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Child;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::kit::{
    LOOK_EVERY, PATIENCE, Received, Receiver, Server, body_signature, standard_signature,
};

/// A command that runs until somebody ends it, and what it has printed.
struct Running {
    child: Child,
    out: PathBuf,
    _folder: tempfile::TempDir,
}

impl Running {
    fn start(server: &Server, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let mut command = server.client_command(&server.admin(), words);
        command.stdout(File::create(&out).unwrap());
        Self {
            child: command.spawn().unwrap(),
            out,
            _folder: folder,
        }
    }

    /// Waits until it has printed this many lines.
    async fn lines(&mut self, count: usize) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let text = fs::read_to_string(&self.out).unwrap();
            let lines: Vec<_> = text.split_inclusive('\n').collect();
            if lines.len() >= count && text.ends_with('\n') {
                return lines
                    .into_iter()
                    .map(|line| line.trim_end().to_owned())
                    .collect();
            }
            assert_eq!(self.child.try_wait().unwrap(), None, "it ended: {text}");
            assert!(begun.elapsed() < PATIENCE, "{text}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Ctrl-C; answers the exit code.
    fn interrupt(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn upload(server: &Server, names: &[&str], file_ids: &mut Vec<Value>) {
    for name in names {
        let file = server.admin().upload(&format!("/t/{name}"), b"x").await;
        file_ids.push(file["file_id"].clone());
    }
}

/// Stops it in good order and starts it again; then once more as after a power cut.
async fn restart(server: &mut Server) {
    server.stop();
    server.start_again().await;
    server.kill();
    server.start_again().await;
}

#[tokio::test]
async fn a_tail_tells_each_event_once_over_a_restart() {
    let mut server = Server::start().await;
    let mut uploaded = Vec::new();
    upload(&server, &["1", "2"], &mut uploaded).await;
    let words = "event tail -o jsonl --type file.uploaded --path-prefix /t";
    let words: Vec<_> = words.split(' ').collect();
    let mut tail = Running::start(&server, &words);
    tail.lines(2).await;
    server.admin().upload("/elsewhere/a", b"x").await;
    upload(&server, &["3", "4"], &mut uploaded).await;
    tail.lines(4).await;
    restart(&mut server).await;
    upload(&server, &["5", "6"], &mut uploaded).await;
    let lines = tail.lines(6).await;
    let events = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told: Vec<_> = events.map(|event| event["file_id"].clone()).collect();
    assert_eq!(told, uploaded);
    assert_eq!(tail.interrupt(), Some(130));
}

#[tokio::test]
async fn a_tail_from_a_number_begins_behind_it_and_may_end_by_itself() {
    let server = Server::start().await;
    let mut uploaded = Vec::new();
    upload(&server, &["1", "2", "3"], &mut uploaded).await;
    let mut tail = Running::start(
        &server,
        &["event", "tail", "--type", "file.*", "--after", "0"],
    );
    let lines = tail.lines(3).await;
    for (line, file_id) in lines.iter().zip(&uploaded) {
        assert!(line.ends_with(file_id.as_str().unwrap()), "{line}");
    }
    assert_eq!(tail.interrupt(), Some(130));
    let first = lines[0].split(' ').next().unwrap();
    let words = [
        "event",
        "tail",
        "--no-follow",
        "--type",
        "file.*",
        "--after",
        first,
    ];
    let done = server
        .client_command(&server.admin(), &words)
        .output()
        .unwrap();
    assert!(done.status.success());
    let rest = String::from_utf8(done.stdout).unwrap();
    assert_eq!(rest.lines().collect::<Vec<_>>(), lines[1..]);
}

#[tokio::test]
async fn a_listener_forwards_each_event_once_and_signed_over_a_restart() {
    let mut server = Server::start().await;
    let receiver = Receiver::start();
    let mut uploaded = Vec::new();
    // What was before is not forwarded.
    server.admin().upload("/t/0", b"x").await;
    let types = "/events?after=0&type=file.uploaded&wait=10";
    server.admin().get(types).send().await.is(200);
    let words = [
        "webhook",
        "listen",
        "--type",
        "file.uploaded",
        "--forward-to",
    ];
    let words = [&words[..], &[&receiver.url]].concat();
    let mut listen = Running::start(&server, &words);
    let secret = listen.lines(1).await[0].replace("secret ", "");
    // What the receiver answers is told, and no reason to come again.
    receiver.answer_with(&[200, 500]);
    upload(&server, &["1", "2"], &mut uploaded).await;
    let lines = listen.lines(3).await;
    assert!(
        lines[1].ends_with("200") && lines[2].ends_with("500"),
        "{lines:?}"
    );
    restart(&mut server).await;
    upload(&server, &["3"], &mut uploaded).await;
    listen.lines(4).await;
    let received = receiver.received();
    let told = |one: &Received| one.json()["file_id"].clone();
    assert_eq!(received.iter().map(told).collect::<Vec<_>>(), uploaded);
    for one in &received {
        assert_eq!(
            one.header("webhook-signature"),
            standard_signature(&secret, one)
        );
        assert_eq!(
            one.header("x-signature"),
            body_signature(&secret, &one.body)
        );
    }
    assert_eq!(listen.interrupt(), Some(130));
}
