//! What became of the jobs: a table, two samples, and a verdict.

use std::{collections::HashSet, fmt};

use actionfleet_proto::{JobResult, Next, Output, Status};
use anyhow::bail;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets::NOTHING};

use crate::{
    material::{Material, Passage},
    submit::Finished,
};

/// The width of the samples, for a terminal that is not wide.
const WIDTH: u16 = 88;

/// Failed jobs that the verdict quotes.
const QUOTED: usize = 5;

pub(crate) struct Report(Vec<Finished>);

impl Report {
    pub(crate) fn of(mut finished: Vec<Finished>) -> Self {
        // sorted once, for the quantiles
        finished.sort_by_key(|job| job.took);
        Self(finished)
    }

    /// An error where a job did not succeed.
    pub(crate) fn verdict(&self) -> anyhow::Result<()> {
        let problems: Vec<String> = self.0.iter().filter_map(problem).collect();
        if problems.is_empty() {
            return Ok(());
        }
        let quoted: Vec<_> = problems.iter().take(QUOTED).map(String::as_str).collect();
        let more = if problems.len() > QUOTED { "\n  …" } else { "" };
        let (failed, all, quoted) = (problems.len(), self.0.len(), quoted.join("\n  "));
        bail!("{failed} of {all} jobs did not succeed:\n  {quoted}{more}")
    }

    fn counts(&self) -> Table {
        let mut table = Table::new();
        let head = ["", "jobs", "succeeded", "retried", "dead", "p50", "p99"];
        table.load_style(NOTHING).set_header(head);
        for action in Material::ACTIONS {
            let jobs = self.0.iter().filter(|job| job.material.action() == action);
            table.add_row(counts(action, &jobs.collect::<Vec<_>>()));
        }
        table.add_row(counts("all", &self.0.iter().collect::<Vec<_>>()));
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        flush_left(&mut table);
        table
    }

    fn samples(&self) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING).set_width(WIDTH);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if let Some((Passage { text, author, source, .. }, refined)) = self.passage() {
            table.add_row(["passage", &format!("{author}, {source}")]);
            table.add_row(["before", text]);
            table.add_row(["after", &printable(refined)]);
        }
        if let Some((file, described)) = self.picture() {
            table.add_row(["picture", file]);
            table.add_row(["alt text", &printable(described)]);
        }
        flush_left(&mut table);
        table
    }

    /// The passage of which the largest share was changed.
    fn passage(&self) -> Option<(&Passage, &str)> {
        let passages = self.0.iter().filter_map(|job| match &job.material {
            // verses would fill the screen
            Material::Passage(passage) if !passage.text.contains('\n') => {
                Some((passage, text(job)?))
            }
            _ => None,
        });
        passages.max_by_key(|(passage, refined)| changed_per_mille(&passage.text, refined))
    }

    /// The picture of which most was said.
    fn picture(&self) -> Option<(&str, &str)> {
        let pictures = self.0.iter().filter_map(|job| match &job.material {
            Material::Picture(picture) => Some((picture.file, text(job)?)),
            Material::Passage(_) => None,
        });
        pictures.max_by_key(|(file, described)| (described.len(), *file))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}\n", self.counts().trim_fmt())?;
        writeln!(f, "Retried: more than one attempt. p50 and p99: from enqueue to result.")?;
        let samples = self.samples();
        if samples.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{}", samples.trim_fmt())
    }
}

fn flush_left(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
}

/// A row for some of the jobs, the fastest first.
fn counts(name: &str, jobs: &[&Finished]) -> [String; 7] {
    let results: Vec<_> =
        jobs.iter().filter_map(|job| Some((job.took, job.result.as_ref().ok()?))).collect();
    let count = |is: fn(&JobResult) -> bool| {
        results.iter().filter(|(_, result)| is(result)).count().to_string()
    };
    // nearest rank: the least time that so many percent of the jobs took at most
    let quantile = |percent: usize| {
        let rank = (results.len() * percent).div_ceil(100);
        let (took, _) = results.get(rank.checked_sub(1)?)?;
        Some(format!("{:.2} s", took.as_secs_f64()))
    };
    [
        name.to_owned(),
        jobs.len().to_string(),
        count(|result| result.status == Status::Succeeded),
        count(|result| result.attempts.len() > 1),
        count(|result| result.error.as_ref().is_some_and(|e| e.next == Next::DeadLettered)),
        quantile(50).unwrap_or_default(),
        quantile(99).unwrap_or_default(),
    ]
}

fn problem(job: &Finished) -> Option<String> {
    let name = job.material.name();
    match &job.result {
        Ok(JobResult { status: Status::Succeeded, .. }) => None,
        Ok(JobResult { error: Some(error), .. }) => {
            Some(format!("{name}: {}: {}", error.code, printable(&error.message)))
        }
        Ok(result) => Some(format!("{name}: {}: {}", result.status.as_str(), result.message)),
        // names the job
        Err(error) => Some(error.to_string()),
    }
}

fn text(job: &Finished) -> Option<&str> {
    match &job.result.as_ref().ok()?.output {
        Some(Output::Text(texts)) => texts.first().map(String::as_str),
        _ => None,
    }
}

/// Words that are not in the text as it was.
fn changed_per_mille(before: &str, after: &str) -> usize {
    let known: HashSet<&str> = before.split_whitespace().collect();
    let words = after.split_whitespace().count().max(1);
    after.split_whitespace().filter(|word| !known.contains(word)).count() * 1000 / words
}

/// What a model wrote must not move the cursor.
fn printable(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}
