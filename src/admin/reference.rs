//! The table of all metrics as a page of Markdown.

use std::{collections::BTreeMap, fmt::Write};

use prometheus::{core::Collector, proto::MetricType};

const HEAD: &str = "\
# Metrics reference

Made by `actionfleet metrics`. Served by a worker at `/metrics` of `admin.listen`, in the text
format of Prometheus. Times are in seconds, sizes in bytes. Labels come from closed sets.

| Metric | Type | Labels | Meaning |
|---|---|---|---|
";

/// Collectors tell of their metrics before these have a value.
pub(crate) fn metrics_reference<'a>(
    collectors: impl IntoIterator<Item = &'a Box<dyn Collector>>,
) -> String {
    let mut rows = BTreeMap::new();
    for collector in collectors {
        let families = collector.collect();
        for desc in collector.desc() {
            let kind = families
                .iter()
                .find(|family| family.name() == desc.fq_name)
                .map_or("gauge", |family| name(family.get_field_type()));
            let constant = desc.const_label_pairs.iter().map(|pair| pair.name().to_owned());
            let labels: Vec<String> = constant
                .chain(desc.variable_labels.iter().cloned())
                .map(|label| format!("`{label}`"))
                .collect();
            rows.insert(
                desc.fq_name.clone(),
                format!("{kind} | {} | {}", labels.join(", "), desc.help),
            );
        }
    }
    let mut page = HEAD.to_owned();
    for (name, row) in rows {
        let _ = writeln!(page, "| `{name}` | {row} |");
    }
    page
}

const fn name(kind: MetricType) -> &'static str {
    match kind {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::SUMMARY => "summary",
        MetricType::HISTOGRAM => "histogram",
        MetricType::UNTYPED => "untyped",
    }
}
