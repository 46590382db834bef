use std::sync::Mutex;

use actionfleet_proto::{Output, Usage};
use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::{Value, json};

use super::*;
use crate::{
    handler::{Advice, Options},
    handlers::testing::{backends, context_for, secrets, serve},
};

type Seen = Arc<Mutex<Vec<Value>>>;

/// Answers every call alike, or in capitals where `answer` is null, and keeps what it saw.
async fn service(status: u16, answer: Value) -> (Value, Seen) {
    let seen = Seen::default();
    let kept = seen.clone();
    let complete = move |headers: HeaderMap, Json(mut request): Json<Value>| async move {
        let said = request["messages"].as_array().unwrap().last().unwrap()["content"].clone();
        request["authorization"] = headers["authorization"].to_str().unwrap().into();
        kept.lock().unwrap().push(request);
        let answer = if answer.is_null() {
            completion(&json!(said.as_str().unwrap_or("A red bird.").to_uppercase()), "stop")
        } else {
            answer
        };
        (StatusCode::from_u16(status).unwrap(), Json(answer))
    };
    let address = serve(Router::new().route("/v1/chat/completions", post(complete))).await;
    let provider = json!({
        "kind": "provider", "identifier": "local", "base_url": format!("http://{address}/v1/"),
        "api_key": "API_KEY", "default_model": "m", "default_temperature": 0.5,
        "models": {"m": {"max_tokens": 100, "price": {
            "input_per_million": "0.15", "output_per_million": "0.60", "currency": "USD"
        }}}
    });
    (provider, seen)
}

fn completion(content: &Value, finish: &str) -> Value {
    json!({
        "id": "x", "object": "chat.completion", "model": "m-2026",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content},
                     "finish_reason": finish, "logprobs": null}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    })
}

async fn refine(
    provider: &Value,
    input: Value,
    options: Value,
) -> Result<Completion, HandlerError> {
    let mut context =
        context_for("refine_text", json!({"text": input}), std::slice::from_ref(provider));
    let handler = serde_json::from_value(options).unwrap();
    context.options = Arc::new(Options { handler, ..Options::default() });
    TextToText::new(backends(), secrets()).handle(&context).await
}

#[tokio::test]
async fn a_text_is_refined() {
    let (provider, seen) = service(200, Value::Null).await;
    let options = json!({"prompt": "In British English.", "max_tokens": 50, "extra": {"seed": 7}});
    let completion = refine(&provider, json!("hello\n\"you\""), options).await.unwrap();
    assert_eq!(completion.output, Output::Text(vec!["HELLO\n\"YOU\"".into()]));
    let usage = completion.usage.unwrap();
    assert_eq!((usage.model.as_str(), usage.input_tokens, usage.output_tokens), ("m-2026", 10, 5));
    assert_eq!(usage.cost.unwrap().amount, "0.0000045");

    let request = seen.lock().unwrap().remove(0);
    assert_eq!(request["authorization"], "Bearer k&y=1");
    assert_eq!(
        (&request["model"], &request["temperature"], &request["max_tokens"], &request["seed"]),
        (&json!("m"), &json!(0.5), &json!(50), &json!(7))
    );
    let system = request["messages"][0]["content"].as_str().unwrap();
    assert!(system.starts_with("Improve the text") && system.ends_with("\n\nIn British English."));
    assert_eq!(request["messages"][1], json!({"role": "user", "content": "hello\n\"you\""}));
}

#[tokio::test]
async fn a_list_yields_a_list_in_order() {
    let (provider, seen) = service(200, Value::Null).await;
    let texts: Vec<_> = (0..9).map(|n| format!("text {n}")).collect();
    let completion = refine(&provider, json!(texts), json!({})).await.unwrap();
    let expected = texts.iter().map(|text| text.to_uppercase()).collect();
    assert_eq!(completion.output, Output::Text(expected));
    let Usage { input_tokens, output_tokens, .. } = completion.usage.unwrap();
    assert_eq!((input_tokens, output_tokens, seen.lock().unwrap().len()), (90, 45, 9));
}

#[tokio::test]
async fn no_call_is_paid_for_once_the_answers_do_not_fit() {
    let (provider, seen) = service(200, completion(&json!("\"a\""), "stop")).await;
    let answered = Output::Text(vec!["\"a\"".into(); 9]);
    let size = serde_json::to_vec(&answered).unwrap().len();
    let texts: Vec<_> = (0..1_000).map(|n| format!("text {n}")).collect();
    for (texts, most, fits) in [(&texts[..9], size, true), (&texts[..], size - 1, false)] {
        seen.lock().unwrap().clear();
        let input = json!({"text": texts});
        let mut context = context_for("refine_text", input, std::slice::from_ref(&provider));
        context.output_bytes = most;
        let result = TextToText::new(backends(), secrets()).handle(&context).await;
        if fits {
            assert_eq!(result.unwrap().output, answered);
        } else {
            let error = result.unwrap_err();
            assert_eq!((error.code, error.advice), (Code::ResponseTooLarge, Advice::Permanent));
            assert!(error.message.contains("fewer texts"), "{error}");
        }
        // the ninth answer was one too many; three more calls were in flight
        let seen = seen.lock().unwrap().len();
        assert!((9..=12).contains(&seen), "{seen}");
    }
}

#[tokio::test]
async fn a_picture_is_described_within_its_length() {
    let (provider, seen) = service(200, Value::Null).await;
    let png = "iVBORw0KGgo=";
    let images = json!({"image": [png, "https://h.example/b.jpg"]});
    let mut context = context_for("generate_alt_text", images, std::slice::from_ref(&provider));
    let action_type = serde_json::from_value(json!({"max_lenght": 7})).unwrap();
    context.options = Arc::new(Options { action_type, ..Options::default() });
    let handler = ImageToText::new(backends(), secrets());
    assert!(handler.supports(&context.action));
    let completion = handler.handle(&context).await.unwrap();
    assert_eq!(completion.output, Output::Text(vec!["A RED".into(), "A RED".into()]));
    let mut urls: Vec<_> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|request| {
            let part = &request["messages"][1]["content"][0];
            assert_eq!(part["type"], "image_url");
            part["image_url"]["url"].as_str().unwrap().to_owned()
        })
        .collect();
    urls.sort();
    assert_eq!(urls, [format!("data:image/png;base64,{png}"), "https://h.example/b.jpg".into()]);

    let context = context_for("generate_alt_text", json!({"image": [png, "?"]}), &[provider]);
    let error = handler.handle(&context).await.unwrap_err();
    assert!(error.field_errors.contains_key("input.image[1]"), "{error}");
}

#[tokio::test]
async fn what_is_no_answer_is_no_success() {
    let refusal = json!({"choices": [{"message": {"content": null, "refusal": "I cannot."}}]});
    for (status, answer, code, message) in [
        (200, json!({"hello": 1}), Code::BackendInvalidResponse, "no choices"),
        (200, json!({"choices": []}), Code::BackendInvalidResponse, "no choices"),
        (200, json!([1]), Code::BackendInvalidResponse, "no chat completion"),
        (200, completion(&json!(null), "stop"), Code::BackendInvalidResponse, "no text"),
        (200, completion(&json!(" \n"), "stop"), Code::BackendInvalidResponse, "no text"),
        (200, completion(&json!(""), "length"), Code::BackendInvalidResponse, "raise max_tokens"),
        (200, refusal, Code::BackendInvalidResponse, "the model refused: I cannot."),
        (
            200,
            completion(&json!("half an ans"), "content_filter"),
            Code::BackendContentFiltered,
            "stopped the answer",
        ),
        (
            429,
            json!({"error": {"code": "insufficient_quota"}}),
            Code::BackendQuotaExhausted,
            "no credit",
        ),
        (401, json!({"error": {"code": "invalid_api_key"}}), Code::BackendUnauthorized, "401"),
        (503, json!({}), Code::BackendOverloaded, "503"),
    ] {
        let (provider, _) = service(status, answer.clone()).await;
        let error = refine(&provider, json!("x"), json!({})).await.unwrap_err();
        assert_eq!(error.code, code, "{answer}: {error}");
        assert!(error.message.contains(message), "{error}");
        assert_eq!(error.service.as_deref(), Some("local"));
        assert_eq!(error.service_response.unwrap().status, status);
    }
}

#[tokio::test]
async fn other_shapes_of_an_answer() {
    let parts = json!([{"type": "text", "text": "one "}, {"type": "other"}, {"text": "two"}]);
    for (content, finish, expected) in
        [(json!(" cut o"), "length", "cut o"), (parts, "stop", "one two")]
    {
        let mut answer = completion(&content, finish);
        answer.as_object_mut().unwrap().remove("usage");
        let (provider, _) = service(200, answer).await;
        let completion = refine(&provider, json!("x"), json!({})).await.unwrap();
        assert_eq!(completion.output, Output::Text(vec![expected.into()]));
        assert_eq!(completion.usage, None);
    }
}

#[tokio::test]
async fn the_provider_is_chosen() {
    let (local, _) = service(200, Value::Null).await;
    let (openai, _) = service(200, completion(&json!("from openai"), "stop")).await;
    let openai = {
        let mut openai = openai;
        openai["identifier"] = "openai".into();
        openai
    };
    let action = json!({
        "kind": "action_type", "identifier": "shout", "input": "text", "output": "text",
        "provider": "local"
    });
    for (definitions, action, options, expected) in [
        (vec![&local], "refine_text", json!({}), Ok("X")),
        (vec![&local, &openai], "refine_text", json!({}), Ok("from openai")),
        (vec![&local, &openai, &action], "shout", json!({}), Ok("X")),
        (vec![&local, &openai, &action], "shout", json!({"provider": "openai"}), Ok("from openai")),
        (vec![&local, &openai], "refine_text", json!({"provider": "opnai"}), Err("openai")),
        (vec![], "refine_text", json!({}), Err("no provider is chosen")),
    ] {
        let definitions: Vec<_> = definitions.into_iter().cloned().collect();
        let mut context = context_for(action, json!({"text": "x"}), &definitions);
        let handler = serde_json::from_value(options).unwrap();
        context.options = Arc::new(Options { handler, ..Options::default() });
        let result = TextToText::new(backends(), secrets()).handle(&context).await;
        match (result, expected) {
            (Ok(completion), Ok(text)) => {
                assert_eq!(completion.output, Output::Text(vec![text.into()]));
            }
            (Err(error), Err(text)) => assert!(error.message.contains(text), "{error}"),
            (result, expected) => panic!("{result:?} in place of {expected:?}"),
        }
    }
}
