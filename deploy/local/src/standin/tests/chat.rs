use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{get, post};
use crate::standin::{Misbehaviour, Standin};

const PATH: &str = "/v1/chat/completions";
const KEY: &[(&str, &str)] = &[("authorization", "Bearer any")];

fn asking(text: &str) -> String {
    json!({ "model": "stand-in-1", "messages": [{ "role": "user", "content": text }] }).to_string()
}

async fn standin() -> Standin {
    Standin::start(Misbehaviour::default()).await.unwrap()
}

#[tokio::test]
async fn answers_as_openai_does() {
    let standin = standin().await;
    let answer = post(PATH, &asking("the the  end")).with(KEY).send(standin.port()).await;
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], "stand-in-1");
    assert_eq!(answer["system_fingerprint"], "stand-in");
    assert_eq!(answer["choices"][0]["message"]["role"], "assistant");
    assert_eq!(answer["choices"][0]["message"]["content"], "The end");
    let models = get("/v1/models").with(KEY).send(standin.port()).await.json();
    assert_eq!(models["data"][0]["id"], "stand-in-1");
}

#[tokio::test]
async fn refuses_as_openai_does() {
    let standin = standin().await;
    let user = json!([{ "role": "user", "content": "a" }]);
    let picture = json!([{ "role": "user", "content": [
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } },
    ]}]);
    for (request, status, code, param) in [
        ("{".to_owned(), 400, None, None),
        (json!({ "messages": user }).to_string(), 400, None, Some("model")),
        (json!({ "model": 1 }).to_string(), 400, Some("invalid_type"), None),
        (
            json!({ "model": "stand-in-1" }).to_string(),
            400,
            Some("missing_required_parameter"),
            Some("messages"),
        ),
        (
            json!({ "model": "stand-in-1", "messages": [] }).to_string(),
            400,
            Some("empty_array"),
            Some("messages"),
        ),
        (
            json!({ "model": "stand-in-1", "messages": [{ "role": "boss", "content": "a" }] })
                .to_string(),
            400,
            Some("invalid_value"),
            Some("messages[0].role"),
        ),
        (
            json!({ "model": "stand-in-1", "messages": user, "temperature": 3 }).to_string(),
            400,
            Some("decimal_out_of_range"),
            Some("temperature"),
        ),
        (
            json!({ "model": "stand-in-1", "messages": user, "stream": true }).to_string(),
            400,
            Some("unsupported_value"),
            Some("stream"),
        ),
        (
            json!({ "model": "gpt-9", "messages": user }).to_string(),
            404,
            Some("model_not_found"),
            Some("model"),
        ),
        (
            json!({ "model": "stand-in-1", "messages": picture }).to_string(),
            400,
            Some("image_parse_error"),
            None,
        ),
    ] {
        let answer = post(PATH, &request).with(KEY).send(standin.port()).await;
        assert_eq!(answer.status, status, "{request}");
        let error = &answer.json()["error"];
        assert_eq!(error["type"], "invalid_request_error", "{request}");
        assert_eq!((&error["code"], &error["param"]), (&json!(code), &json!(param)), "{request}");
    }
}

#[tokio::test]
async fn wants_a_key() {
    let standin = standin().await;
    for headers in [&[][..], &[("authorization", "Basic a")], &[("authorization", "Bearer ")]] {
        let answer = post(PATH, &asking("a")).with(headers).send(standin.port()).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["error"]["code"], "invalid_api_key");
    }
}

#[tokio::test]
async fn misbehaves_the_same_over_every_run() {
    let misbehaviour =
        Misbehaviour { seed: 7, rate_limited: 0.2, unavailable: 0.1, ..Misbehaviour::default() };
    let mut runs = Vec::new();
    for _ in 0..2 {
        let standin = Standin::start(misbehaviour.clone()).await.unwrap();
        let mut statuses = Vec::new();
        for _ in 0..100 {
            let answer = post(PATH, &asking("a")).with(KEY).send(standin.port()).await;
            assert_eq!(answer.header("retry-after"), (answer.status == 429).then_some("1"));
            statuses.push(answer.status);
        }
        runs.push((statuses, standin.stats().answers));
    }
    assert_eq!(runs[0], runs[1]);
    let by_status = &runs[0].1;
    assert_eq!(by_status.keys().copied().collect::<Vec<_>>(), [200, 429, 503]);
    assert!((10..30).contains(&by_status[&429]), "{by_status:?}");
}

#[tokio::test]
async fn is_late_on_demand() {
    let latency = Duration::from_millis(50);
    let slow = Misbehaviour { latency, slow: 1.0, slow_by: latency, ..Misbehaviour::default() };
    let standin = Standin::start(slow).await.unwrap();
    let began = Instant::now();
    let answer = post(PATH, &asking("a")).with(KEY).send(standin.port()).await;
    assert_eq!(answer.status, 200);
    assert!(began.elapsed() >= 2 * latency);
}

#[tokio::test]
async fn can_be_out_of_money() {
    let broke = Misbehaviour { quota_exhausted: true, ..Misbehaviour::default() };
    let standin = Standin::start(broke).await.unwrap();
    let answer = post(PATH, &asking("a")).with(KEY).send(standin.port()).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.json()["error"]["code"], "insufficient_quota");
}

#[tokio::test]
async fn refuses_shares_that_make_no_sense() {
    for (rate_limited, slow) in [(-0.1, 0.0), (f64::NAN, 0.0), (1.1, 0.0), (0.6, 0.6)] {
        let senseless = Misbehaviour { rate_limited, slow, ..Misbehaviour::default() };
        assert!(Standin::start(senseless).await.is_err());
    }
}
