//! The closed list of error codes: everything that can be said of a job that did not succeed.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose fault an error is, in three words that a caller can switch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The caller's input; status code 400.
    Validation,
    /// The backend answered and said no; status code 500.
    Service,
    /// The call could not be made or finished, or this fleet is at fault; status code 500.
    Execution,
}

impl Kind {
    pub const fn status_code(self) -> u16 {
        match self {
            Self::Validation => 400,
            Self::Service | Self::Execution => 500,
        }
    }
}

/// What the fleet does by itself about an error of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    Never,
    /// Up to the policy's `max_attempts`, with exponential backoff.
    Backoff,
    /// One more time, whatever the policy allows.
    Once,
    /// The job waits; no attempt is spent.
    Waits,
}

macro_rules! codes {
    ($($variant:ident $name:literal $kind:ident $retried:ident,)+) => {
        /// Why a job did not succeed. A code is never renamed and never changes its meaning.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
        )]
        pub enum Code {
            $(#[serde(rename = $name)] $variant,)+
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)+ }
            }

            pub const fn retried(self) -> Retried {
                match self { $(Self::$variant => Retried::$retried,)+ }
            }

            /// The page of this code in Markdown: what it means, who can fix it, and how.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("codes/", $name, ".md")),)+ }
            }
        }
    };
}

codes! {
    InvalidJob "invalid_job" Validation Never,
    UnknownAction "unknown_action" Validation Never,
    UnknownConfiguration "unknown_configuration" Validation Never,
    ConfigurationDisabled "configuration_disabled" Validation Never,
    UnknownHandler "unknown_handler" Validation Never,
    UnsupportedInput "unsupported_input" Validation Never,
    InvalidInput "invalid_input" Validation Never,
    NotAllowed "not_allowed" Validation Never,
    PayloadTooLarge "payload_too_large" Validation Never,
    MissingSecret "missing_secret" Execution Never,
    BackendUnauthorized "backend_unauthorized" Service Never,
    BackendRejected "backend_rejected" Service Never,
    BackendQuotaExhausted "backend_quota_exhausted" Service Never,
    BackendContextTooLong "backend_context_too_long" Service Never,
    BackendContentFiltered "backend_content_filtered" Service Never,
    BackendRateLimited "backend_rate_limited" Service Backoff,
    BackendOverloaded "backend_overloaded" Service Backoff,
    BackendError "backend_error" Service Backoff,
    BackendTimeout "backend_timeout" Execution Backoff,
    BackendUnreachable "backend_unreachable" Execution Backoff,
    BackendInvalidResponse "backend_invalid_response" Execution Once,
    ResponseTooLarge "response_too_large" Execution Never,
    BlockedAddress "blocked_address" Execution Never,
    MappingFailed "mapping_failed" Execution Never,
    CircuitOpen "circuit_open" Execution Waits,
    LimitExceeded "limit_exceeded" Execution Waits,
    BudgetExhausted "budget_exhausted" Execution Waits,
    HandlerPanicked "handler_panicked" Execution Backoff,
    WorkerLost "worker_lost" Execution Never,
    DeadlineExceeded "deadline_exceeded" Execution Never,
    Cancelled "cancelled" Execution Never,
    Internal "internal" Execution Backoff,
}

impl Code {
    pub const fn is_retryable(self) -> bool {
        !matches!(self.retried(), Retried::Never)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an error code")]
pub struct UnknownCode(String);

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_the_code_its_kind_and_a_way_out() {
        for code in Code::ALL {
            let page = code.page();
            assert!(page.starts_with(&format!("# {code}\n")), "{code}: title");
            for part in
                ["- Kind:", "- Retried:", "- Who can fix it:", "## What happened", "## What to do"]
            {
                assert!(page.contains(part), "{code}: {part} is missing");
            }
            let kind =
                format!("- Kind: {}", serde_json::to_value(code.kind()).unwrap().as_str().unwrap());
            assert!(page.contains(&kind), "{code}: the page names another kind");
            assert_eq!(
                page.contains("- Retried: no"),
                code.retried() == Retried::Never,
                "{code}: retried"
            );
        }
    }

    #[test]
    fn a_code_reads_back_from_its_name() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        assert!("no_such_code".parse::<Code>().is_err());
    }
}
