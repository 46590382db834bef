//! The binary `actionfleet`: reads the command line and the configuration, builds the parts and
//! runs them.

mod admin;
mod cli;
mod commands;
mod config;
mod connect;
mod data;
mod exit;
mod output;
mod signals;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let outcome = Cli::parse().run();
    telemetry::finish();
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if let Some(error) = failure.error {
                eprintln!("actionfleet: {error:#}");
            }
            failure.exit.into()
        }
    }
}
