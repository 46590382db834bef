//! `actionfleet explain`

use actionfleet_proto::{Code, Retried};
use clap::Args;
use serde_json::json;

use crate::{
    cli::Global,
    exit::{Exit, Failure},
    output::table,
};

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// An error code, such as `backend_rate_limited`; all in one line each without it
    code: Option<String>,
}

impl ExplainArgs {
    pub(super) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Some(name) = self.code else {
            list(global)?;
            return Ok(Exit::Done);
        };
        let code: Code = name.parse().map_err(|_| unknown(&name))?;
        let page = json!({"code": code, "kind": code.kind(), "page": code.page()});
        global.output().answer(&page, || code.page().to_owned())?;
        Ok(Exit::Done)
    }
}

fn list(global: &Global) -> Result<(), Failure> {
    let codes: Vec<_> = Code::ALL
        .iter()
        .map(|code| json!({"code": code, "kind": code.kind(), "retried": retried(*code)}))
        .collect();
    global.output().answer(&codes, || {
        let rows = Code::ALL.iter().map(|code| {
            let kind = serde_json::to_value(code.kind()).unwrap_or_default();
            [
                code.to_string(),
                kind.as_str().unwrap_or_default().to_owned(),
                retried(*code).to_owned(),
                summary(code.page()).to_owned(),
            ]
        });
        table(["CODE", "KIND", "RETRIED", "MEANING"], rows)
    })
}

const fn retried(code: Code) -> &'static str {
    match code.retried() {
        Retried::Never => "no",
        Retried::Backoff => "yes",
        Retried::Once => "once",
        Retried::Waits => "waits",
    }
}

/// The first line below the title.
fn summary(page: &str) -> &str {
    page.lines().skip(1).find(|line| !line.is_empty()).unwrap_or_default()
}

fn unknown(name: &str) -> Failure {
    let alike = |code: &&Code| strsim::normalized_damerau_levenshtein(name, code.as_str());
    let near = Code::ALL
        .iter()
        .filter(|code| alike(code) > 0.5)
        .max_by(|a, b| alike(a).total_cmp(&alike(b)));
    let hint = match near {
        Some(code) => format!("did you mean `{code}`?"),
        None => "`actionfleet explain` lists all codes".to_owned(),
    };
    Failure::message(Exit::Failed, format!("{name:?} is not an error code; {hint}"))
}
