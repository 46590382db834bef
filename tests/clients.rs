//! The clients of `deploy/clients` against a fleet and a real RabbitMQ.
//!
//! They have a binary of their own for the sake of its harness: whether a client's interpreter and
//! library are installed shows only at run time, and Rust's own harness cannot ignore a test then.
//! What is missing is listed as ignored, with what it needs; `make test` installs it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode, Output},
    sync::{Arc, LazyLock},
    time::Duration,
};

use actionfleet_broker::amqp::{Amqp, AmqpConfig};
use actionfleet_local::Rabbit;
use actionfleet_worker::{Fleet, config::WorkerConfig};
use libtest_mimic::{Arguments, Trial};
use prometheus::Registry;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = clients().iter().flat_map(trials).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

#[derive(Debug, Clone)]
struct Client {
    name: &'static str,
    interpreter: PathBuf,
    script: PathBuf,
    /// A program that fails where the library is missing.
    probe: [&'static str; 2],
    needs: &'static str,
}

fn clients() -> [Client; 3] {
    let script = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/clients").join(name);
    let python = installed().join("python/bin/python");
    [
        Client {
            name: "python",
            interpreter: if python.exists() { python } else { "python3".into() },
            script: script("python/client.py"),
            probe: ["-c", "import pika"],
            needs: "needs Python with pika",
        },
        Client {
            name: "php",
            interpreter: "php".into(),
            script: script("php/client.php"),
            probe: ["-r", "require 'PhpAmqpLib/autoload.php';"],
            needs: "needs PHP with php-amqplib",
        },
        Client {
            name: "node",
            interpreter: "node".into(),
            script: script("node/client.js"),
            probe: ["-e", "require('amqplib')"],
            needs: "needs Node with amqplib",
        },
    ]
}

/// Where `deploy/setup/install` puts what the clients need from registries of their own.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients")
}

impl Client {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.env("NODE_PATH", installed().join("node/node_modules"));
        command
    }

    fn is_runnable(&self) -> bool {
        let probe = self.command().args(self.probe).output();
        probe.is_ok_and(|output| output.status.success())
    }

    fn run(&self, arguments: [&str; 3]) -> Output {
        self.command().arg(&self.script).args(arguments).output().unwrap()
    }
}

type Case = fn(&Client);

const CASES: [(&str, Case); 3] = [
    ("prints_the_text_that_comes_back", prints_the_text_that_comes_back),
    ("fails_with_the_code_of_the_error", fails_with_the_code_of_the_error),
    ("fails_where_no_queue_takes_the_job", fails_where_no_queue_takes_the_job),
];

fn trials(client: &Client) -> Vec<Trial> {
    let runnable = client.is_runnable();
    let trial = |(name, case): (&str, Case)| {
        let subject = client.clone();
        let test = Trial::test(format!("{}_{name}", client.name), move || {
            case(&subject);
            Ok(())
        });
        test.with_ignored_flag(!runnable).with_kind(if runnable { "" } else { client.needs })
    };
    CASES.map(trial).into()
}

fn prints_the_text_that_comes_back(client: &Client) {
    for text in [
        "Here are the fastest animals on earth: ",
        r#"He said "don't" \ and {{left}} & $HOME #1 ../"#,
        "one\ntwo\r\n\tthree",
        "Žluťoučký kůň 🐎 跑得快",
        &"é".repeat(60_000),
    ] {
        let output = client.run([&STAGE.fleet, text, "echo"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text:.80?}: {errors}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{text}\n"));
    }
}

fn fails_with_the_code_of_the_error(client: &Client) {
    let output = client.run([&STAGE.fleet, "x", "juggle"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.starts_with("unknown_action: "), "{errors}");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

fn fails_where_no_queue_takes_the_job(client: &Client) {
    let output = client.run([&STAGE.nobody, "x", "echo"]);
    assert!(!output.stderr.is_empty());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

/// Started by the first test that needs it.
static STAGE: LazyLock<Stage> = LazyLock::new(Stage::start);

struct Stage {
    _runtime: Runtime,
    /// The URL of a virtual host with a fleet.
    fleet: String,
    /// The URL of a virtual host without.
    nobody: String,
}

impl Stage {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let (fleet, nobody) = runtime.block_on(async {
            let rabbit = Rabbit::shared().await.unwrap();
            (rabbit.vhost().await.unwrap(), rabbit.vhost().await.unwrap())
        });
        let config = AmqpConfig::new(fleet.clone());
        let amqp = runtime.block_on(Amqp::connect(config, Some(Duration::from_secs(30)))).unwrap();
        let workers =
            Fleet::new(WorkerConfig::default(), Arc::new(amqp), None, Registry::new()).unwrap();
        runtime.spawn(workers.run(CancellationToken::new(), CancellationToken::new()));
        Self { _runtime: runtime, fleet, nobody }
    }
}
