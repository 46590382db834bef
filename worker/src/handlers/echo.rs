use actionfleet_proto::{Code, Input, Output};
use async_trait::async_trait;
use serde_json::Value;

use crate::handler::{Action, Completion, Context, Handler, HandlerError};

/// Gives its input back: to see that jobs go through, and how fast.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

#[async_trait]
impl Handler for Echo {
    fn id(&self) -> &'static str {
        "echo"
    }

    fn supports(&self, action: &Action) -> bool {
        action.definition.is_none() && action.identifier == "echo"
    }

    async fn handle(&self, context: &Context) -> Result<Completion, HandlerError> {
        let output = match &*context.input {
            Input::Text(texts) => Output::Text(texts.clone()),
            Input::Json(value) => Output::Json(value.clone()),
            Input::Arguments(arguments) => Output::Json(Value::Object(arguments.clone())),
            Input::Image(_) | Input::Audio(_) => {
                let message = "echo takes text, json or arguments";
                return Err(HandlerError::of(Code::UnsupportedInput, message));
            }
        };
        Ok(output.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::handlers::testing::context;

    #[tokio::test]
    async fn gives_its_input_back() {
        for (input, output) in [
            (json!({"text": ["a", "b"]}), Output::Text(vec!["a".into(), "b".into()])),
            (json!({"json": [1]}), Output::Json(json!([1]))),
            (json!({"arguments": {"a": 1}}), Output::Json(json!({"a": 1}))),
        ] {
            assert_eq!(Echo.handle(&context(input)).await.unwrap().output, output);
        }
        let error = Echo.handle(&context(json!({"image": "AA=="}))).await.unwrap_err();
        assert_eq!(error.code, Code::UnsupportedInput);
    }
}
