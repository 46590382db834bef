//! The table at the end.

use std::io::Write;

use comfy_table::{Table, presets::NOTHING};

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<[String; 5]>,
}

impl Report {
    /// A figure of both contenders; `goal` is the ratio to reach.
    pub(crate) fn compare(&mut self, what: &str, unit: &str, bare: f64, fleet: f64, goal: Goal) {
        let ratio = fleet / bare;
        let verdict = goal.verdict(ratio, "");
        self.add(
            what,
            format!("{bare:.1} {unit}"),
            format!("{fleet:.1} {unit}"),
            format!("{ratio:.2}"),
            verdict,
        );
    }

    /// A figure of both contenders that explains others.
    pub(crate) fn inform(&mut self, what: &str, unit: &str, bare: f64, fleet: f64) {
        let ratio = format!("{:.2}", fleet / bare);
        let (bare, fleet) = (format!("{bare:.1} {unit}"), format!("{fleet:.1} {unit}"));
        self.add(what, bare, fleet, ratio, String::new());
    }

    /// A figure of the fleet alone.
    pub(crate) fn alone(&mut self, what: &str, unit: &str, fleet: f64, goal: Goal) {
        let verdict = goal.verdict(fleet, unit);
        self.add(what, String::new(), format!("{fleet:.1} {unit}"), String::new(), verdict);
    }

    /// A figure of the fleet alone that explains others.
    pub(crate) fn tell(&mut self, what: &str, unit: &str, fleet: f64) {
        self.add(what, String::new(), format!("{fleet:.1} {unit}"), String::new(), String::new());
    }

    fn add(&mut self, what: &str, bare: String, fleet: String, ratio: String, verdict: String) {
        say(&format!("  {what}: {bare} | {fleet} | {ratio} {verdict}"));
        self.rows.push([what.to_owned(), bare, fleet, ratio, verdict]);
    }

    pub(crate) fn print(self) -> anyhow::Result<()> {
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(["", "bare", "fleet", "ratio", "goal"]);
        for row in self.rows {
            table.add_row(row);
        }
        writeln!(std::io::stdout(), "\n{table}")?;
        Ok(())
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn verdict(self, value: f64, unit: &str) -> String {
        let (words, limit, met) = match self {
            Self::AtLeast(limit) => ("at least", limit, value >= limit),
            Self::AtMost(limit) => ("at most", limit, value <= limit),
        };
        let word = if met { "met" } else { "MISSED" };
        format!("{words} {limit:.2} {unit}: {word}").replace(" :", ":")
    }
}

/// Progress for whoever watches; a closed pipe is nobody watching.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
