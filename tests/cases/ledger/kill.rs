//! Workers killed at every stage of the pipeline: one outcome per job id, whatever happens.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use actionfleet_broker::{Address, Broker, Message, Properties, Source};
use actionfleet_local::{Postgres, Rabbit};
use actionfleet_proto::{JobResult, Output, Status};
use actionfleet_store::{JobStatus, Store, StoreConfig};
use actionfleet_worker::{
    Fleet, Stage,
    config::WorkerConfig,
    handler::{Action, Completion, Context, Handler, HandlerError},
};
use bytes::Bytes;
use futures::StreamExt;
use prometheus::Registry;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::harness::{PATIENCE, broker};

const QUEUE: &str = "ACTIONFLEET_TEST_QUEUE";
const STORE: &str = "ACTIONFLEET_TEST_STORE";
const BACKEND: &str = "ACTIONFLEET_TEST_BACKEND";
const STAGE: &str = "ACTIONFLEET_TEST_STAGE";
const JOBS: u32 = 10_000;
const REPLIES: &str = "kill.replies";
const PERMITS: u16 = 32;
/// Jobs that pass the stage before the worker dies there, on the average.
const LIFE: u32 = 300;

/// Pays: every call is a line with the job's id, and one comes back.
struct Paying {
    backend: String,
}

#[async_trait::async_trait]
impl Handler for Paying {
    fn id(&self) -> &'static str {
        "paying"
    }

    fn supports(&self, action: &Action) -> bool {
        action.identifier == "pay"
    }

    async fn handle(&self, context: &Context) -> Result<Completion, HandlerError> {
        let failed =
            |error: std::io::Error| HandlerError::invalid_input("backend", error.to_string());
        let mut stream = TcpStream::connect(&self.backend).await.map_err(failed)?;
        let line = format!("{} {}\n", context.job_id, context.attempt);
        stream.write_all(line.as_bytes()).await.map_err(failed)?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).await.map_err(failed)?;
        Ok(Output::Text(vec![answer.trim().to_owned()]).into())
    }
}

#[test]
#[ignore = "started by the other tests"]
fn child() {
    let read = |name| std::env::var(name).ok();
    let (Some(queue), Some(store), Some(backend)) = (read(QUEUE), read(STORE), read(BACKEND))
    else {
        return;
    };
    let stage = read(STAGE).unwrap();
    let deadly = Stage::ALL.into_iter().find(|it| format!("{it:?}") == stage);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async move {
        let store = actionfleet_store::open(StoreConfig::new(store)).await.unwrap();
        let lanes = [("default".to_owned(), PERMITS)].into();
        let config = WorkerConfig { lanes, ..WorkerConfig::default() };
        let fleet = Fleet::new(config, broker(&queue).await, Some(store), Registry::new()).unwrap();
        let fleet = fleet.handler(Paying { backend }).unwrap().observe(move |stage, _| {
            if Some(stage) == deadly && fastrand::u32(..LIFE) == 0 {
                let own = rustix::process::getpid();
                let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
            }
        });
        fleet.run(CancellationToken::new(), CancellationToken::new()).await.unwrap();
    });
}

fn start(queue: &str, store: &str, backend: &str, stage: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["cases::ledger::kill::child", "--exact", "--ignored"])
        .envs([(QUEUE, queue), (STORE, store), (BACKEND, backend), (STAGE, stage)])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[derive(Debug, Default)]
struct Paid {
    calls: HashMap<String, u32>,
    /// Calls of jobs whose outcome was on record: there must be none.
    too_late: Vec<String>,
}

/// Counts the calls, and looks at each further one of a job whether it had to be.
async fn backend(listener: TcpListener, store: Store, paid: Arc<Mutex<Paid>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (store, paid) = (store.clone(), paid.clone());
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let id = line.split(' ').next().unwrap().to_owned();
            let count = {
                let mut paid = paid.lock().unwrap();
                let count = paid.calls.entry(id.clone()).or_default();
                *count += 1;
                *count
            };
            if count > 1 {
                let row = store.ledger.get(&id).await.unwrap();
                if row.is_some_and(|row| matches!(row.status, JobStatus::Finished(_))) {
                    paid.lock().unwrap().too_late.push(id);
                }
            }
            // each call is answered otherwise: a second outcome would show
            let _ = stream.write_all(format!("receipt {}\n", fastrand::u64(..)).as_bytes()).await;
        });
    }
}

async fn submit(broker: &dyn Broker) {
    let body = Bytes::from(json!({"action": "pay", "input": {"text": "x"}}).to_string());
    let sends = (0..JOBS).map(|number| {
        let properties = Properties {
            message_id: Some(format!("job-{number}")),
            reply_to: Some(REPLIES.to_owned()),
            ..Properties::default()
        };
        let message = Message { body: body.clone(), properties };
        async move { broker.publish(&Address::Lane("default".into()), message).await.unwrap() }
    });
    futures::stream::iter(sends).buffer_unordered(500).collect::<Vec<_>>().await;
}

async fn kill_at_every_stage(queue: &str, store_url: &str) {
    let store = actionfleet_store::open(StoreConfig::new(store_url)).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let paid = Arc::new(Mutex::new(Paid::default()));
    tokio::spawn(backend(listener, store.clone(), paid.clone()));
    let broker = broker(queue).await;
    let mut replies = broker.consume(Source::Replies(REPLIES.into()), 1_000).await.unwrap();
    submit(&*broker).await;

    let mut results: BTreeMap<String, (u32, HashSet<Bytes>)> = BTreeMap::new();
    let (mut kills, mut stages) = (0_u32, Stage::ALL.iter().cycle());
    let stage = |stage: Option<&Stage>| format!("{:?}", stage.unwrap());
    let mut worker = start(queue, store_url, &address, &stage(stages.next()));
    while results.len() < usize::try_from(JOBS).unwrap() {
        tokio::select! {
            ended = worker.wait() => {
                ended.unwrap();
                kills += 1;
                worker = start(queue, store_url, &address, &stage(stages.next()));
            }
            reply = timeout(PATIENCE, replies.next()) => {
                let reply = reply.unwrap_or_else(|_| panic!("{} results, {kills} kills", results.len()));
                let reply = reply.unwrap();
                let result: JobResult = serde_json::from_slice(&reply.body).unwrap();
                assert_eq!(result.status, Status::Succeeded, "{result:?}");
                let (count, bodies) = results.entry(result.id).or_default();
                *count += 1;
                bodies.insert(reply.body.clone());
                reply.ack().await.unwrap();
            }
        }
    }
    worker.kill().await.unwrap();
    let paid = paid.lock().unwrap();
    let twice = paid.calls.values().filter(|calls| **calls > 1).count();
    let repeated: u32 = results.values().map(|(count, _)| count - 1).sum();
    eprintln!("{JOBS} jobs, {kills} kills, {twice} paid twice, {repeated} results repeated");
    let distinct = results.iter().find(|(_, (_, bodies))| bodies.len() != 1);
    assert_eq!(distinct, None, "one distinct result per id");
    assert_eq!(paid.too_late, [""; 0], "no call once the outcome is on record");
    assert_eq!(paid.calls.len(), usize::try_from(JOBS).unwrap());
    assert!(kills >= 14, "every stage has killed twice at least: {kills}");
    // what was in a call when its worker died, and no more
    assert!(twice <= usize::try_from(kills).unwrap() * usize::from(PERMITS), "{twice}");
}

fn sqlite(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("store.db").display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_kill_pays_after_the_record_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let queue = format!("embedded:{}", folder.path().display());
    let store = sqlite(folder.path());
    let run = kill_at_every_stage(&queue, &store);
    timeout(Duration::from_secs(240), run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_kill_pays_after_the_record_on_servers() {
    let queue = Rabbit::shared().await.unwrap().vhost().await.unwrap();
    let store = Postgres::shared().await.unwrap().database().await.unwrap();
    let run = kill_at_every_stage(&queue, &store);
    timeout(Duration::from_secs(240), run).await.unwrap();
}
