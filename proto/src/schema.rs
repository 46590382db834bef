//! JSON Schemas and the AsyncAPI 3 document, generated from the types.

use schemars::{JsonSchema, schema_for};
use serde_json::{Value, json};

use crate::{
    Control, Job, JobResult, Names, Notification, WorkerReport,
    definition::{ActionType, HttpAction, Provider},
};

/// File name and content of everything that is generated.
pub fn documents() -> Vec<(&'static str, Value)> {
    vec![
        ("job.v1.schema.json", schema::<Job>()),
        ("result.v1.schema.json", schema::<JobResult>()),
        ("notification.v1.schema.json", schema::<Notification>()),
        ("control.v1.schema.json", schema::<Control>()),
        ("report.v1.schema.json", schema::<WorkerReport>()),
        ("provider.schema.json", schema::<Provider>()),
        ("action_type.schema.json", schema::<ActionType>()),
        ("http_action.schema.json", schema::<HttpAction>()),
        ("asyncapi.json", asyncapi()),
    ]
}

fn schema<T: JsonSchema>() -> Value {
    schema_for!(T).to_value()
}

fn asyncapi() -> Value {
    let names = Names::default();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Actionfleet",
            "version": "1",
            "description": "Jobs in, results and notifications out, over AMQP 0-9-1."
        },
        "defaultContentType": "application/json",
        "channels": {
            "jobs": channel(&names.lane("{lane}"), "Jobs of one lane, `default` or `bulk` unless configured otherwise.", "job", &queue_binding(&names.lane("{lane}"))),
            "replies": channel("{reply_to}", "The queue that a job names in `reply` or in the AMQP property `reply_to`.", "result", &queue_binding("{reply_to}")),
            "results": channel(&format!("{}/{{tenant}}.{{action}}.{{status}}", names.results()), "Every final result; bind a queue to receive them.", "result", &exchange_binding(&names.results(), "topic")),
            "notifications": channel(&format!("{}/{{tenant}}.{{action}}.{{status}}", names.notifications()), "started, progress, retrying, completed, failed.", "notification", &exchange_binding(&names.notifications(), "topic")),
            "control": channel(&names.control(), "Cancellations, changes of the catalog, and the question what is in execution; to every worker.", "control", &exchange_binding(&names.control(), "fanout")),
            "reports": channel("{reply_to}", "The queue that a control message `report` names in the AMQP property `reply_to`.", "report", &queue_binding("{reply_to}")),
        },
        "operations": {
            "executeJob": operation("receive", "jobs"),
            "sendReply": operation("send", "replies"),
            "sendResult": operation("send", "results"),
            "sendNotification": operation("send", "notifications"),
            "receiveControl": operation("receive", "control"),
            "sendReport": operation("send", "reports"),
        },
        "components": {
            "messages": {
                "job": message("job.v1.schema.json", "properties: message_id, correlation_id, reply_to, timestamp; headers: traceparent, tracestate, x-actionfleet-tenant. Not expiration: what RabbitMQ takes off a lane by it is not answered; give expires_in"),
                "result": message("result.v1.schema.json", "properties: message_id = job id, correlation_id = the job's, type = actionfleet.result.v1"),
                "notification": message("notification.v1.schema.json", "property: type = actionfleet.notification.v1"),
                "control": message("control.v1.schema.json", "properties: type = actionfleet.control.v1; of a `report` also reply_to, and correlation_id if wanted"),
                "report": message("report.v1.schema.json", "properties: type = actionfleet.report.v1, correlation_id = that of the question; expires after a minute"),
            }
        }
    })
}

fn channel(address: &str, description: &str, message: &str, binding: &Value) -> Value {
    let parameters: serde_json::Map<_, _> = ["lane", "reply_to", "tenant", "action", "status"]
        .into_iter()
        .filter(|name| address.contains(&format!("{{{name}}}")))
        .map(|name| (name.to_owned(), json!({})))
        .collect();
    let mut channel = json!({
        "address": address,
        "description": description,
        "messages": {message: {"$ref": format!("#/components/messages/{message}")}},
        "bindings": {"amqp": binding},
    });
    if let (false, Value::Object(channel)) = (parameters.is_empty(), &mut channel) {
        channel.insert("parameters".into(), Value::Object(parameters));
    }
    channel
}

fn queue_binding(queue: &str) -> Value {
    json!({"is": "queue", "queue": {"name": queue, "durable": true}, "bindingVersion": "0.3.0"})
}

fn exchange_binding(exchange: &str, kind: &str) -> Value {
    json!({"is": "routingKey", "exchange": {"name": exchange, "type": kind, "durable": true}, "bindingVersion": "0.3.0"})
}

fn operation(action: &str, channel: &str) -> Value {
    json!({"action": action, "channel": {"$ref": format!("#/channels/{channel}")}})
}

fn message(schema: &str, description: &str) -> Value {
    json!({"payload": {"$ref": schema}, "contentType": "application/json", "description": description})
}
