use std::time::Duration;

use actionfleet_proto::{Code, Output, Span};
use async_trait::async_trait;
use serde_json::Value;

use crate::{
    handler::{Action, Completion, Context, Handler, HandlerError},
    template::arguments,
};

/// Takes its time and gives `null`: a stand-in for slow work. The duration is the argument or
/// the handler option `duration`, such as `"2s"`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sleep;

#[async_trait]
impl Handler for Sleep {
    fn id(&self) -> &'static str {
        "sleep"
    }

    fn supports(&self, action: &Action) -> bool {
        action.definition.is_none() && action.identifier == "sleep"
    }

    async fn handle(&self, context: &Context) -> Result<Completion, HandlerError> {
        let duration = duration(context)?;
        match context.cancel.run_until_cancelled(tokio::time::sleep(duration)).await {
            Some(()) => Ok(Output::Json(Value::Null).into()),
            None => Err(HandlerError::of(Code::Cancelled, "woken up before its time")),
        }
    }
}

fn duration(context: &Context) -> Result<Duration, HandlerError> {
    let arguments = arguments(&context.input);
    let given = arguments.get("duration").or_else(|| context.options.handler.get("duration"));
    let text = given
        .and_then(Value::as_str)
        .ok_or_else(|| HandlerError::invalid_input("duration", "must be a text such as \"2s\""))?;
    let span: Span =
        text.parse().map_err(|problem: String| HandlerError::invalid_input("duration", problem))?;
    Ok(span.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::time::Instant;

    use super::*;
    use crate::handlers::testing::context;

    #[tokio::test(start_paused = true)]
    async fn takes_its_time() {
        let start = Instant::now();
        let context = context(json!({"arguments": {"duration": "1m 5s"}}));
        Sleep.handle(&context).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 65);
    }

    #[tokio::test]
    async fn wakes_up_when_cancelled_and_refuses_nonsense() {
        let hour = context(json!({"arguments": {"duration": "1h"}}));
        hour.cancel.cancel();
        assert_eq!(Sleep.handle(&hour).await.unwrap_err().code, Code::Cancelled);
        for arguments in [json!({}), json!({"duration": 2}), json!({"duration": "soon"})] {
            let error = Sleep.handle(&context(json!({"arguments": arguments}))).await.unwrap_err();
            assert!(error.field_errors.contains_key("duration"), "{error}");
        }
    }
}
