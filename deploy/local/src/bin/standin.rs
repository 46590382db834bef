//! Runs the stand-in by itself, for the demo and the benchmark.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use actionfleet_local::{Misbehaviour, Standin};
use clap::Parser;

/// An offline stand-in for an AI service, in OpenAI's protocol. No model is behind it: it
/// corrects text by rule, describes pictures by their colours, and misbehaves on demand.
///
/// Prints its URL on one line, then serves until it is ended.
#[derive(Debug, Parser)]
#[command(name = "standin", version)]
struct Arguments {
    /// Where to listen; port 0 is a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Which requests are misbehaved at
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Before every answer, as in 200ms or 1s
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    latency: Duration,

    /// The share of requests answered with 429, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    rate_limited: f64,

    /// The share of requests answered with 503, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    unavailable: f64,

    /// The share of requests answered late, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    slow: f64,

    /// How late
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = humantime::parse_duration)]
    slow_by: Duration,

    /// Answer only that the account has no money left
    #[arg(long)]
    quota_exhausted: bool,

    /// End when standard input ends, and so with the process that holds it
    #[arg(long)]
    until_stdin_ends: bool,
}

fn share(written: &str) -> Result<f64, String> {
    let share = written.parse().map_err(|error| format!("{error}"))?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("a share goes from 0 to 1".to_owned())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let misbehaviour = Misbehaviour {
        seed: arguments.seed,
        latency: arguments.latency,
        rate_limited: arguments.rate_limited,
        unavailable: arguments.unavailable,
        slow: arguments.slow,
        slow_by: arguments.slow_by,
        quota_exhausted: arguments.quota_exhausted,
    };
    let standin = Standin::listen(arguments.listen, misbehaviour).await?;
    writeln!(io::stdout(), "{}", standin.url())?;
    if arguments.until_stdin_ends {
        // nothing else runs on this thread
        io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    } else {
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
}
