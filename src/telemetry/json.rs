//! A log line as one JSON object: `timestamp`, `level`, `target`, `message`, and the event's fields.
//!
//! The line of each job is written here, so it is written straight into one buffer.

use std::fmt;

use actionfleet_proto::Timestamp;
use serde::Serialize;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// The format of lines for programs.
pub(super) struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Line(Vec::with_capacity(512));
        line.add("timestamp", &Timestamp::now());
        line.add("level", event.metadata().level().as_str());
        event.record(&mut line);
        line.add("target", event.metadata().target());
        line.0.extend_from_slice(b"}\n");
        writer.write_str(std::str::from_utf8(&line.0).map_err(|_| fmt::Error)?)
    }
}

/// JSON as it grows; each key is one of the source's own names.
struct Line(Vec<u8>);

impl Line {
    fn add(&mut self, key: &str, value: &(impl Serialize + ?Sized)) {
        let start = self.0.len();
        self.0.push(if start == 0 { b'{' } else { b',' });
        let key = serde_json::to_writer(&mut self.0, key);
        self.0.push(b':');
        // a value that cannot be written leaves no half behind
        if key.and_then(|()| serde_json::to_writer(&mut self.0, value)).is_err() {
            self.0.truncate(start);
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use serde_json::{Value, json};
    use tracing_subscriber::{layer::SubscriberExt, registry};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_object() {
        let sink = Sink::default();
        let writer = sink.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(Lines)
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(registry().with(layer), || {
            let (none, error) = (None::<&str>, "a \"b\"\n{c}");
            tracing::warn!(id = "x", n = -1, f = f64::NAN, yes = true, none, %error, "two\nlines");
        });
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let mut line: Value = serde_json::from_str(&text).unwrap();
        let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
        time.as_str().unwrap().parse::<Timestamp>().unwrap();
        assert_eq!(
            line,
            json!({
                "level": "WARN", "message": "two\nlines", "id": "x", "n": -1, "f": null,
                "yes": true, "error": "a \"b\"\n{c}", "target": module_path!(),
            })
        );
    }
}
