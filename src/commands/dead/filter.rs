//! Which dead letters.

use actionfleet_producer::Filter;
use actionfleet_proto::{Code, Span};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};

/// All that are given must hold.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// Only of this job
    #[arg(long, group = "which")]
    id: Option<String>,
    /// Only with this error code
    #[arg(long, group = "which", value_parser = code_parser(), hide_possible_values = true)]
    code: Option<Code>,
    /// Only of this action
    #[arg(long, group = "which")]
    action: Option<String>,
    /// Only of this lane
    #[arg(long, group = "which")]
    lane: Option<String>,
    /// Only dead for at least this long, such as `1h`
    #[arg(long, group = "which", value_name = "DURATION")]
    older_than: Option<Span>,
}

impl FilterArgs {
    pub(super) fn into_filter(self, limit: Option<usize>) -> Filter {
        Filter {
            job_id: self.id,
            code: self.code,
            action: self.action,
            lane: self.lane,
            older_than: self.older_than.map(|span| span.0),
            limit,
        }
    }
}

pub(in crate::commands) fn code_parser() -> impl TypedValueParser<Value = Code> {
    PossibleValuesParser::new(Code::ALL.iter().map(|code| code.as_str()))
        .try_map(|name| name.parse::<Code>())
}
