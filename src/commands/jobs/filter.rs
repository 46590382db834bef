//! Which jobs.

use actionfleet_proto::{Code, Span, Status, Timestamp};
use actionfleet_store::{JobFilter, JobStatus};
use clap::{Args, ValueEnum};

use crate::commands::dead::code_parser;

/// All that are given must hold.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// Only of this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Only of this action
    #[arg(long)]
    action: Option<String>,
    /// Only in this state
    #[arg(long, value_enum)]
    status: Option<StatusArg>,
    /// Only with this error code
    #[arg(long, value_parser = code_parser(), hide_possible_values = true)]
    code: Option<Code>,
    /// Only first seen within this time, such as `1h`
    #[arg(long, value_name = "DURATION")]
    since: Option<Span>,
    /// Only ended within this time, such as `1h`
    #[arg(long, value_name = "DURATION")]
    ended_since: Option<Span>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StatusArg {
    Running,
    Waiting,
    Succeeded,
    Failed,
    Expired,
    Cancelled,
}

impl FilterArgs {
    pub(super) fn into_filter(self) -> JobFilter {
        JobFilter {
            tenant: self.tenant,
            action: self.action,
            status: self.status.map(|status| match status {
                StatusArg::Running => JobStatus::Running,
                StatusArg::Waiting => JobStatus::Waiting,
                StatusArg::Succeeded => JobStatus::Finished(Status::Succeeded),
                StatusArg::Failed => JobStatus::Finished(Status::Failed),
                StatusArg::Expired => JobStatus::Finished(Status::Expired),
                StatusArg::Cancelled => JobStatus::Finished(Status::Cancelled),
            }),
            code: self.code,
            created_from: self.since.and_then(ago),
            finished_from: self.ended_since.and_then(ago),
            ..JobFilter::default()
        }
    }
}

/// `None` where that lies before all time.
fn ago(span: Span) -> Option<Timestamp> {
    let now = Timestamp::now().unix_seconds();
    now.checked_sub(span.0.as_secs()).and_then(Timestamp::from_unix_seconds)
}

pub(super) fn page_size(left: usize) -> u32 {
    u32::try_from(left).unwrap_or(u32::MAX).clamp(1, JobFilter::LIMIT_MAX)
}
