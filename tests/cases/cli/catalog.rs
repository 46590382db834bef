//! The catalog of definitions, as its operators see it.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use super::Said;
use crate::harness::{PATIENCE, actionfleet};

const PROVIDER: &str = "kind: provider
identifier: openai
base_url: https://api.openai.com/v1
api_key: OPENAI_API_KEY
models: {small: {max_tokens: 100}}
default_model: small
";

const ACTION: &str = "kind: action_type
identifier: proofread
names: {eng-GB: Proofread, deu-DE: Korrekturlesen}
descriptions: {eng-GB: Corrects spelling.}
input: text
output: text
base_prompt: Correct spelling.
provider: openai
";

const PING: &str = "kind: http_action
identifier: ping
method: GET
url: https://h.example/
";

struct Operator(TempDir);

impl Operator {
    /// With a folder of three definitions.
    fn new() -> Self {
        let operator = Self(TempDir::new().unwrap());
        for (name, text) in [("a.yaml", PROVIDER), ("b.yaml", ACTION), ("c.yaml", PING)] {
            operator.write(name, text);
        }
        operator
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder().join("drafts").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    async fn run(&self, arguments: &[&str]) -> Said {
        let mut command = actionfleet();
        command.current_dir(self.folder()).arg("catalog").args(arguments);
        command.args(["--set", "store.url=sqlite:store.db"]);
        timeout(PATIENCE, command.output()).await.unwrap().unwrap().into()
    }

    /// What is printed, without what differs from run to run.
    async fn printed(&self, arguments: &[&str]) -> String {
        let text = self.run(arguments).await.done();
        let words = text.split_inclusive([' ', '\n']).map(|word| {
            let is_time = word.starts_with("20") && word.trim_end().ends_with('Z');
            if is_time { word.replacen(word.trim_end(), "<time>", 1) } else { word.to_owned() }
        });
        format!("$ actionfleet catalog {}\n{}\n", arguments.join(" "), words.collect::<String>())
    }
}

#[tokio::test]
async fn a_folder_is_applied_compared_pruned_and_looked_at() {
    let operator = Operator::new();
    let mut shown = String::new();
    for arguments in [
        ["apply", "drafts", "--dry-run"].as_slice(),
        &["apply", "drafts"],
        &["apply", "drafts"],
        &["list"],
    ] {
        shown += &operator.printed(arguments).await;
    }
    operator
        .write("b.yaml", &(ACTION.replace("Correct spelling.", "Correct all.") + "timeout: 20s\n"));
    std::fs::remove_file(operator.folder().join("drafts/c.yaml")).unwrap();
    for arguments in [
        ["apply", "drafts", "--prune"].as_slice(),
        &["disable", "action_type", "proofread"],
        &["disable", "action_type", "proofread"],
        &["apply", "drafts"],
        &["list", "--name", "korrektur", "--language", "deu-DE", "--disabled"],
        &["show", "action_type", "proofread", "--version", "1"],
        &["history", "action_type", "proofread"],
        &["history", "http_action", "ping"],
        &["export", "out"],
        &["apply", "out", "--tenant", "acme"],
        &["list", "--kind", "action_type", "--sort", "id", "--descending"],
    ] {
        shown += &operator.printed(arguments).await;
    }
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn nothing_is_changed_where_anything_is_wrong() {
    let operator = Operator::new();
    operator.run(&["apply", "drafts"]).await.done();
    let delete = operator.run(&["delete", "provider", "openai"]).await;
    delete.failed(
        65,
        "nothing was changed:\n  provider openai of tenant default: .: is named by action_type \
         proofread of tenant default; change or delete that first",
    );
    // also of another tenant
    std::fs::remove_file(operator.folder().join("drafts/a.yaml")).unwrap();
    operator.run(&["apply", "drafts", "--tenant", "acme"]).await.done();
    operator.run(&["delete", "action_type", "proofread"]).await.done();
    operator.run(&["delete", "provider", "openai"]).await.failed(65, "proofread of tenant acme");
    operator.run(&["apply", "drafts", "--prune"]).await.failed(65, "proofread of tenant acme");

    operator.write("c.yaml", &PING.replace("http_action", "action_type"));
    operator.write("d.yaml", "kind: provider\nidentifier: x\n");
    let bad = operator.run(&["apply", "drafts"]).await;
    bad.failed(65, "nothing was changed:\n  drafts/c.yaml:");
    bad.failed(65, "\n  drafts/d.yaml: base_url: is required");
    std::fs::remove_file(operator.folder().join("drafts/d.yaml")).unwrap();
    operator.write("c.yaml", &ACTION.replace("proofread", "ping"));
    let double = operator.run(&["apply", "drafts"]).await;
    double.failed(65, "identifier: is taken by http_action ping of tenant default; delete that");
    let handler = ACTION.replace("provider: openai", "handler: shout").replace("proofread", "own");
    operator.write("c.yaml", &handler);
    operator.run(&["apply", "drafts"]).await.failed(65, "no handler is called \"shout\"");
    operator.run(&["apply", "drafts", "--handler", "shout", "--dry-run"]).await.done();

    std::fs::create_dir(operator.folder().join("empty")).unwrap();
    for (arguments, exit, said) in [
        (["apply", "nowhere"].as_slice(), 66, "nowhere: No such file"),
        (&["apply", "empty", "--prune"], 65, "--prune would delete all that tenant default has"),
        (&["apply", "drafts", "--tenant", "a b"], 2, "an identifier has 1 to 128 characters"),
        (&["show", "http_action", "pong"], 1, "there is no http_action pong of tenant default"),
        (&["show", "http_action", "ping", "--version", "7"], 1, "there is no version 7 of"),
        (&["history", "http_action", "pong"], 1, "there is no http_action pong"),
        (&["delete", "http_action", "pong"], 1, "there is no http_action pong"),
        (&["enable", "http_action", "pong"], 1, "there is no http_action pong"),
        (&["export", "drafts"], 74, "drafts: is not empty; name another folder"),
        (&["list", "--limit", "0"], 65, "limit is 0"),
        (&["list", "--language", "?"], 0, ""),
        (&["list", "--name", "x", "--language", "?"], 65, "language \"?\" does not fit"),
        (&["delete", "thing", "x"], 2, "possible values: provider, action_type, http_action"),
    ] {
        operator.run(arguments).await.failed(exit, said);
    }
}

#[tokio::test]
async fn programs_are_told_in_json() {
    let operator = Operator::new();
    let [applied] = operator.run(&["apply", "drafts", "--json"]).await.json().try_into().unwrap();
    assert_eq!((&applied["applied"], &applied["created"]), (&json!(true), &json!(3)));
    operator.write("c.yaml", &PING.replace("h.example/", "h.example/ping"));
    let dry = operator.run(&["apply", "drafts", "--dry-run", "--json"]).await.json();
    let fields = json!([{
        "field": "url", "before": "https://h.example/", "after": "https://h.example/ping",
    }]);
    assert_eq!((&dry[0]["applied"], &dry[0]["changes"][0]["fields"]), (&json!(false), &fields));

    let list = operator.run(&["list", "--limit", "2", "--json"]).await;
    let names: Vec<Value> = list.json().iter().map(|entry| entry["identifier"].clone()).collect();
    assert_eq!(names, ["openai", "ping"]);
    let [shown] =
        operator.run(&["show", "http_action", "ping", "--json"]).await.json().try_into().unwrap();
    assert_eq!(shown["definition"]["url"], "https://h.example/");
    let [history] = operator
        .run(&["history", "http_action", "ping", "--json"])
        .await
        .json()
        .try_into()
        .unwrap();
    assert_eq!((&history[0]["version"], &history[0]["deleted_at"]), (&json!(1), &json!(null)));
    let [deleted] =
        operator.run(&["delete", "http_action", "ping", "--json"]).await.json().try_into().unwrap();
    assert_eq!(deleted["deleted"], true);
}
