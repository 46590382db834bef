//! What no key can know alone.

use std::time::Duration;

use super::{Origin, Settings, values::Values};

const HEARTBEAT: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(3600);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const RABBITMQ_ONLY: [&str; 4] =
    ["broker.tls_ca", "broker.heartbeat", "broker.consumer_timeout", "broker.publish_window"];

pub(super) fn check(settings: &Settings, values: &mut Values) {
    let Settings { broker, worker, lanes, limits, .. } = settings;
    if !HEARTBEAT.contains(&broker.heartbeat.0) {
        values.refuse("broker.heartbeat", format!("{} is not from 1s to 1h", broker.heartbeat));
    }
    if limits.timeout.0.is_zero() {
        values.refuse("limits.timeout", "must be longer than nothing");
    }
    if limits.timeout > limits.max_timeout {
        let problem = format!(
            "{} is longer than limits.max_timeout ({}); lower it or raise the other",
            limits.timeout, limits.max_timeout
        );
        values.refuse("limits.timeout", problem);
    }
    if broker.url.folder().is_some() {
        for key in RABBITMQ_ONLY {
            if values.origin(key) != Origin::Default {
                values.refuse(key, "is for RabbitMQ, and broker.url is a folder; leave it out");
            }
        }
    } else if limits.max_timeout.0.saturating_add(worker.grace.0) >= broker.consumer_timeout.0 {
        let problem = format!(
            "{} and worker.grace ({}) reach broker.consumer_timeout ({}), after which RabbitMQ \
             delivers a running job again; lower them, or raise `consumer_timeout` in \
             rabbitmq.conf and here",
            limits.max_timeout, worker.grace, broker.consumer_timeout
        );
        values.refuse("limits.max_timeout", problem);
    }
    for lane in &worker.lanes.0 {
        if !lanes.0.contains_key(lane) {
            let known: Vec<&str> = lanes.0.keys().map(String::as_str).collect();
            let problem = format!(
                "there is no lane {lane:?} among {}; add `lanes.{lane}.weight`",
                known.join(", ")
            );
            values.refuse("worker.lanes", problem);
        }
    }
    check_store(settings, values);
}

fn check_store(settings: &Settings, values: &mut Values) {
    let store = &settings.store;
    if store.retention.0 < DAY {
        values.refuse("store.retention", format!("{} is shorter than 1day", store.retention));
    }
    for (key, span) in [("store.timeout", store.timeout), ("store.poll", store.poll)] {
        if span.0.is_zero() {
            values.refuse(key, "must be longer than nothing");
        }
    }
    if store.keys.is_some() && store.keys_file.is_some() {
        values.refuse("store.keys_file", "store.keys is set, too; leave one of them out");
    }
}
