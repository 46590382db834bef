//! `actionfleet dev`

use std::net::SocketAddr;

use super::worker;
use crate::{
    cli::{Global, Role},
    config::Settings,
    data::DataFolder,
    exit::{Exit, Failure},
    output,
};

/// Where all is kept unless `--data` says otherwise.
const USUAL: &str = "actionfleet-data";

pub(super) async fn run(global: &Global) -> Result<Exit, Failure> {
    let (global, data) = global.on_data(USUAL);
    // before the configuration is read, which names the file of the keys
    data.prepare().map_err(|error| {
        let folder = data.path().display();
        let problem = format!(
            "cannot write to {folder}: {error}; give this user the right to, or name another \
             folder with --data"
        );
        Failure::message(Exit::Unavailable, problem)
    })?;
    let settings = global.start(Role::Service)?;
    let started = |settings: &Settings, admin| output::print(&introduction(settings, &data, admin));
    Box::pin(worker::serve(settings, started)).await
}

/// What is where, and what to do next.
fn introduction(settings: &Settings, data: &DataFolder, admin: Option<SocketAddr>) -> String {
    let folder = data.path().display();
    let lanes = settings.permits();
    let lanes: Vec<String> =
        lanes.iter().map(|(lane, permits)| format!("{lane} ({permits} at once)")).collect();
    let definitions = settings.definitions_folder().map_or_else(
        || "built in; more in a folder `definitions`, or by `actionfleet catalog`".to_owned(),
        |folder| format!("built in, and from {}", folder.display()),
    );
    let admin = admin.map_or_else(
        || "off (admin.listen)".to_owned(),
        |address| format!("http://{address}/metrics and http://{address}/readyz"),
    );
    format!(
        "A fleet in one process; all that it keeps is in {folder}\n\
         \n\
         \u{20} queue    {}\n\
         \u{20} store    {}\n\
         \u{20} worker   {}\n\
         \u{20} actions  {definitions}\n\
         \u{20} admin    {admin}\n\
         \n\
         In another terminal, in this folder:\n\
         \n\
         \u{20} actionfleet --data {folder} enqueue echo --text hello --wait\n\
         \u{20} actionfleet --data {folder} jobs list\n\
         \u{20} actionfleet --data {folder} status\n\
         \n\
         Ctrl-C stops it, and loses nothing.\n",
        data.queue().display(),
        data.store().display(),
        lanes.join(", "),
    )
}
