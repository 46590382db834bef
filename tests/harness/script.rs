//! One handler whose jobs say what it shall do: `{"action": "script", "input": {"json": […]}}`,
//! a step for each attempt.

use std::{sync::Arc, time::Duration};

use actionfleet_proto::{Code, Input, Output};
use actionfleet_worker::handler::{Action, Completion, Context, Handler, HandlerError};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// Tells the test that a job entered, and holds the job until the test lets it go.
#[derive(Debug, Clone)]
pub struct Gate {
    entered: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { entered: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }
}

impl Gate {
    /// Waits until a job entered.
    pub async fn entered(&self) {
        let entered = tokio::time::timeout(super::PATIENCE, self.entered.acquire()).await;
        entered.expect("a job enters the gate").unwrap().forget();
    }

    /// Lets one job go.
    pub fn open(&self) {
        self.open.add_permits(1);
    }

    async fn pass(&self) {
        self.entered.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }
}

pub struct Script {
    pub gate: Gate,
}

#[async_trait::async_trait]
impl Handler for Script {
    fn id(&self) -> &'static str {
        "script"
    }

    fn supports(&self, action: &Action) -> bool {
        assert_ne!(action.identifier, "panic", "as the script says");
        action.identifier.starts_with("script")
    }

    async fn handle(&self, context: &Context) -> Result<Completion, HandlerError> {
        let Input::Json(Value::Array(steps)) = &*context.input else {
            return Err(HandlerError::invalid_input("input.json", "give a list of steps"));
        };
        let index = usize::try_from(context.attempt - 1).unwrap();
        let step = steps.get(index).unwrap_or(&Value::Null).clone();
        self.take(&step, context).await
    }
}

impl Script {
    async fn take(&self, step: &Value, context: &Context) -> Result<Completion, HandlerError> {
        let code = || -> Code { step["code"].as_str().unwrap_or("backend_error").parse().unwrap() };
        let millis = |key: &str| step[key].as_u64().map(Duration::from_millis);
        match step["do"].as_str().unwrap_or("succeed") {
            "fail" => Err(HandlerError::permanent(code(), "as the script says")),
            "retry" => {
                Err(HandlerError::retryable(code(), "as the script says").after(millis("after")))
            }
            "throttle" => {
                let after = millis("after").unwrap();
                Err(HandlerError::throttled(Code::LimitExceeded, after, "not now"))
            }
            "panic" => panic!("as the script says"),
            "hang" => std::future::pending().await,
            "block" => {
                // a handler that never yields, for as long as it is told
                std::thread::sleep(millis("for").unwrap());
                Ok(done(context))
            }
            "gate" => {
                self.gate.pass().await;
                Ok(done(context))
            }
            "linger" => {
                self.gate.entered.add_permits(1);
                context.cancel.cancelled().await;
                self.gate.pass().await;
                Ok(done(context))
            }
            _ => Ok(done(context)),
        }
    }
}

fn done(context: &Context) -> Completion {
    Output::Json(json!({"attempt": context.attempt, "tenant": context.tenant})).into()
}
