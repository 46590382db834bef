//! What README.md says, done: its files written, its commands run in one shell, one after the other,
//! as a reader would, and what they print compared with what is shown.

mod page;
mod shell;

use std::{fs, path::Path, sync::Arc, time::Duration};

use actionfleet_broker::amqp::{Amqp, AmqpConfig};
use actionfleet_local::{Misbehaviour, Rabbit, Standin};
use actionfleet_producer::{Producer, ProducerConfig};
use actionfleet_proto::{Input, Job, JobResult, Status};
use serde_json::json;

use self::{
    page::{Block, Step, blocks, steps},
    shell::Shell,
};
use crate::harness::{Rig, actionfleet};

const PAGE: &str = include_str!("../../README.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn block_of(kind: &str) -> impl Iterator<Item = Block<'static>> {
    blocks(PAGE).into_iter().filter(move |block| block.kind == kind)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_commands_print_what_it_shows() {
    let url = Rabbit::shared().await.unwrap().vhost().await.unwrap();
    let standin = Standin::start(Misbehaviour::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("deploy"), folder.path().join("deploy")).unwrap();
    let admin = free_address();
    let stands_for = |text: &str| {
        text.replace("https://api.openai.com", &standin.url())
            .replace("gpt-4o-mini", "stand-in-1")
            .replace("https://httpbin.org/anything", &format!("{}/inspect", standin.url()))
            .replace("https://httpbin.org/status/", &format!("{}/faults/status-", standin.url()))
            .replace("127.0.0.1:9464", &admin)
    };
    for Block { file, text, .. } in blocks(PAGE) {
        let Some(file) = file.filter(|file| !root().join(file).exists()) else { continue };
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, stands_for(text)).unwrap();
    }
    let settings = [
        ("ACTIONFLEET__BROKER__URL", url.as_str()),
        ("ACTIONFLEET__ADMIN__LISTEN", &admin),
        ("ACTIONFLEET__HTTP__ALLOW_NETWORKS", "127.0.0.0/8"),
        ("NO_PROXY", "127.0.0.1"),
        ("no_proxy", "127.0.0.1"),
    ];
    let mut shell = Shell::start(folder.path(), &settings);
    for step in block_of("sh").flat_map(|block| steps(block.text)) {
        let step = Step { command: stands_for(&step.command), ..step };
        shell.take(&step).await;
    }
}

/// Below the ports that systems hand out by themselves, so that nobody gets it before the worker.
fn free_address() -> String {
    let ports = (0..10_000).map(|number| 20_000 + (std::process::id() + number) % 10_000);
    let mut addresses = ports.map(|port| format!("127.0.0.1:{port}"));
    addresses.find(|address| std::net::TcpListener::bind(address).is_ok()).unwrap()
}

#[tokio::test]
async fn its_files_are_all_used() {
    let named: Vec<_> = blocks(PAGE).into_iter().filter_map(|block| block.file).collect();
    assert!(named.len() > 8, "{named:?}");
    for file in named {
        assert!(PAGE.contains(&format!("`{file}`")), "readers are not told of {file}");
    }
    let kinds = ["sh", "text", "yaml", "json", "toml", "rust"];
    for Block { kind, file, text } in blocks(PAGE) {
        assert!(kinds.contains(&kind), "a block of {kind:?} is not run: {text}");
        let is_file = ["yaml", "json", "toml"].contains(&kind);
        assert!(!is_file || file.is_some(), "a file without a name is not used: {text}");
    }
}

#[tokio::test]
async fn its_producer_gets_a_result() {
    let rig = Rig::start().await;
    let result = refine(&rig.url, "x").await.unwrap();
    // this fleet has no provider: that the job came back is what is asked
    assert_eq!((result.status, result.action.as_deref()), (Status::Failed, Some("refine_text")));
    let shown = block_of("rust").find(|block| block.file.is_none()).unwrap().text;
    let (_, function) = shown.split_once("async fn").unwrap();
    assert!(include_str!("readme.rs").contains(function), "not what is tested:{function}");
}

async fn refine(url: &str, text: &str) -> anyhow::Result<JobResult> {
    let broker = Amqp::connect(AmqpConfig::new(url), Some(Duration::from_secs(10))).await?;
    let producer = Producer::new(Arc::new(broker), ProducerConfig::default());
    let job = Job::new("refine_text", Input::text(text));
    Ok(producer.submit_and_wait(job, "default", Duration::from_secs(60)).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_handler_answers() {
    let shown = block_of("rust").find_map(|block| Some((block.file?, block.text)));
    let (file, shown) = shown.unwrap();
    let source = fs::read_to_string(root().join(file)).unwrap();
    assert!(source.contains(shown), "not what {file} says:\n{shown}");
    assert!(source.lines().count() <= 40, "{file} is longer than promised");

    let mut rig = Rig::start().await;
    rig.stop_softly();
    rig.stopped().await;
    let name = Path::new(file).file_stem().unwrap().to_str().unwrap();
    let mut fleet = example(name).arg(&rig.url).kill_on_drop(true).spawn().unwrap();
    let result = rig.run("x", &json!({"action": "shout", "input": {"text": "help"}})).await;
    assert_eq!(serde_json::to_value(result.output).unwrap(), json!({"text": ["HELP"]}));
    fleet.kill().await.unwrap();
}

/// Tests of the whole workspace have built it; those of this package alone have not.
fn example(name: &str) -> tokio::process::Command {
    let mut build = std::process::Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--workspace", "--locked", "--example", name]);
    assert!(build.current_dir(root()).status().unwrap().success());
    let binary = Path::new(env!("CARGO_BIN_EXE_actionfleet"));
    tokio::process::Command::new(binary.with_file_name("examples").join(name))
}

#[tokio::test]
async fn its_exit_codes_are_those_of_the_program() {
    let help = actionfleet().arg("--help").output().await.unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, told) = help.split_once("Exit codes:\n").unwrap();
    let told: Vec<_> = told.lines().filter_map(|line| line.trim().split_once("  ")).collect();
    let (_, section) = PAGE.split_once("| Code | Meaning |\n|---:|---|\n").unwrap();
    let rows = section
        .lines()
        .map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    assert_eq!(rows.collect::<Vec<_>>(), told);
}
