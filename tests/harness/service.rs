//! `actionfleet worker` as a process that is watched: what it logs, and what it answers.

use std::{process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{PATIENCE, actionfleet};

/// Between two looks: the worker needs the processors, too.
const LOOK: Duration = Duration::from_millis(10);

/// How much of a log a failed test shows.
const TAIL_LINES: usize = 40;

pub struct Service {
    child: Child,
    admin: String,
    log: watch::Receiver<String>,
}

impl Service {
    /// Starts a worker; it tells in its log where it answers.
    pub async fn start(url: &str, settings: &[&str]) -> Self {
        Self::run(actionfleet(), url, settings).await
    }

    /// The same by a command that ends with the program.
    pub async fn run(mut command: Command, url: &str, settings: &[&str]) -> Self {
        command.args(["worker", "--log-format", "json"]);
        command.args(["--set", &format!("broker.url={url}"), "--set", "admin.listen=127.0.0.1:0"]);
        command.args(settings.iter().flat_map(|setting| ["--set", setting]));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (written, log) = watch::channel(String::new());
        // a pipe that nobody reads would hold the worker up
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                written.send_modify(|log| *log += &(line + "\n"));
            }
        });
        let mut service = Self { child, admin: String::new(), log };
        let log = service.says("the admin server answers").await;
        service.admin = log.lines().find_map(admin).expect("an address");
        service
    }

    /// Waits until the log has these words; all of it.
    pub async fn says(&self, words: &str) -> String {
        let mut log = self.log.clone();
        let said = timeout(PATIENCE, log.wait_for(|log| log.contains(words))).await;
        match said {
            Ok(Ok(log)) => log.clone(),
            _ => panic!("{words:?} is not in {}", self.log()),
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.borrow().clone()
    }

    pub async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.admin).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    /// Asks until the answer is as it should be.
    pub async fn until(&self, path: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let response = self.get(path).await;
            if holds(&response) {
                return response;
            }
            assert!(Instant::now() < deadline, "{path}: {response}");
            sleep(LOOK).await;
        }
    }

    pub async fn is_ready(&self) {
        self.until("/readyz", |response| response.starts_with("HTTP/1.1 200")).await;
    }

    /// Waits until it says that it is not, for a reason with these words.
    pub async fn is_unready(&self, reason: &str) {
        let unready =
            |response: &str| response.starts_with("HTTP/1.1 503") && response.contains(reason);
        self.until("/readyz", unready).await;
    }

    pub fn pid(&self) -> Pid {
        self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())).unwrap()
    }

    pub fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    pub async fn ended(mut self) -> Option<i32> {
        timeout(PATIENCE, self.child.wait()).await.expect("an end").unwrap().code()
    }

    /// SIGTERM; the exit code.
    pub async fn stop(self) -> Option<i32> {
        self.terminate();
        self.ended().await
    }
}

impl Drop for Service {
    /// A test that fails shows how its worker was.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (log, ended) = (self.log(), self.child.try_wait());
            let skip = log.lines().count().saturating_sub(TAIL_LINES);
            eprintln!("the worker's end: {ended:?}, its log:");
            log.lines().skip(skip).for_each(|line| eprintln!("{line}"));
        }
    }
}

fn admin(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).expect("a log in JSON");
    line.get("address").and_then(Value::as_str).map(str::to_owned)
}
