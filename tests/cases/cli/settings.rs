//! What can be written down, checked and looked up.

use super::Cli;

fn cli() -> Cli {
    Cli::on(String::new())
}

#[tokio::test]
async fn check_names_what_is_wrong_in_every_file() {
    let cli = cli();
    cli.write(
        "definitions/weather.yaml",
        "kind: http_action\nidentifier: get_weather\nmethod: GET\n\
         url: https://weather.example.com/{{ city }}\ntiemout: 10s\n",
    );
    cli.write(
        "definitions/nested/openai.json",
        "{\"kind\": \"provider\", \"identifier\": \"openai\",\n\"base_url\": \"api.openai.com\",\n\
         \"models\": {\"gpt-4o-mini\": {}},\n\"default_model\": \"gpt-4o\"}\n",
    );
    cli.write(
        "definitions/summarize.toml",
        "kind = \"action_type\"\nidentifier = \"summarize\"\ninput = \"txt\"\noutput = \"text\"\n",
    );
    cli.write("definitions/README.md", "This is no definition.\n");
    let said = cli.run_with(&[], &["check"]).await;
    assert_eq!((said.exit, said.err.as_str()), (Some(1), ""));
    insta::assert_snapshot!("check", said.out);
    let said = cli.run_with(&[], &["check", "definitions", "--json"]).await;
    assert_eq!(said.exit, Some(1));
    insta::assert_json_snapshot!("check_json", said.json());

    cli.write("good/echo.yaml", "kind: action_type\nidentifier: e\ninput: text\noutput: text\n");
    let said = cli.run_with(&[], &["check", "good"]).await.done();
    assert_eq!(said, "nothing is wrong in good\n");
    cli.run_with(&[], &["check", "nowhere"]).await.failed(66, "nowhere: No such file");
}

#[tokio::test]
async fn config_says_where_every_value_came_from_and_hides_the_password() {
    let cli = cli();
    cli.write("actionfleet.toml", "[worker]\npermits = 64\n[lanes.night]\nweight = 2\n");
    let variables = [
        ("ACTIONFLEET__BROKER__URL", "amqp://fleet:secret@rabbit.example.com/jobs"),
        ("ACTIONFLEET__WORKER__GRACE", "1m"),
    ];
    let arguments = ["config", "--set", "worker.permits=32", "--log-format", "json"];
    let said = cli.run_with(&variables, &arguments).await.done();
    assert!(!said.contains("secret"));
    insta::assert_snapshot!("config", said);
    let said = cli.run_with(&variables, &["config", "--json"]).await;
    let [list] = said.json().try_into().unwrap();
    let url = list.as_array().unwrap().iter().find(|value| value["key"] == "broker.url").unwrap();
    assert_eq!(url["value"], "amqp://fleet:***@rabbit.example.com/jobs");
    assert_eq!(url["origin"], "ACTIONFLEET__BROKER__URL");
}

#[tokio::test]
async fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let cli = cli();
    cli.write("fleet.toml", "[broker]\nheartbeet = \"5s\"\n");
    let arguments = ["worker", "--config", "fleet.toml", "--set", "worker.permit=64"];
    let said = cli.run_with(&[("ACTIONFLEET_BROKER_URL", "amqp://h")], &arguments).await;
    said.failed(78, "the configuration cannot be used:");
    for problem in [
        "broker.heartbeet: there is no such key; did you mean `broker.heartbeat`? (from fleet.toml)",
        "worker.permit: there is no such key; did you mean `worker.permits`? (from --set)",
        "write ACTIONFLEET__BROKER__URL (from ACTIONFLEET_BROKER_URL)",
    ] {
        said.failed(78, problem);
    }
}

#[tokio::test]
async fn explain_knows_every_code() {
    let cli = cli();
    let list = cli.run_with(&[], &["explain"]).await.done();
    assert_eq!(list.lines().count(), actionfleet_proto::Code::ALL.len() + 1);
    let page = cli.run_with(&[], &["explain", "backend_rate_limited"]).await.done();
    assert!(page.starts_with("# backend_rate_limited\n") && page.contains("## What to do"));
    let said = cli.run_with(&[], &["explain", "backend_rate_limit"]).await;
    said.failed(1, "is not an error code; did you mean `backend_rate_limited`?");
}
