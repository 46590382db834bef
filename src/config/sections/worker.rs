use std::num::NonZeroU16;

use actionfleet_proto::Span;

use crate::config::{
    section::section,
    setting::{LaneList, Setting},
};

section! {
    /// How much a worker does at once, and how it stops.
    Worker "worker" {
        /// Jobs in execution at once, shared among the lanes that name no `permits` of their own, by weight.
        permits: NonZeroU16 = "256",
        /// The lanes that this worker serves; all where empty.
        lanes: LaneList = "",
        /// What jobs in flight get to finish before they are cancelled when the worker stops.
        grace: Span = "30s",
        /// Who gets a result: `all`, its reply address and the exchange of all results; or `replies`, its reply address alone, which saves a publish a job.
        results: ResultsChoice = "all",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultsChoice {
    All,
    Replies,
}

impl Setting for ResultsChoice {
    const KIND: &'static str = "`all` or `replies`";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "replies" => Ok(Self::Replies),
            _ => Err(format!("{text:?} is neither \"all\" nor \"replies\"")),
        }
    }
}
