//! A value that is shown nowhere: never an argument, which others could see.

use std::io::{self, IsTerminal, Read};

use secrecy::{ExposeSecret, SecretString};

use crate::exit::{Exit, Failure, OrExit};

/// Beyond what the store takes, so that it is the one to refuse it.
const MOST: u64 = 128 * 1024;

/// From a prompt that shows nothing, asked twice; or all of standard input, without its last line
/// break.
pub(super) fn read(name: &str) -> Result<SecretString, Failure> {
    if !io::stdin().is_terminal() {
        return piped();
    }
    let ask = |text: String| rpassword::prompt_password(text).map(SecretString::from);
    let value = ask(format!("{name}: ")).or_exit(Exit::NoInput)?;
    let again = ask(format!("{name}, again: ")).or_exit(Exit::NoInput)?;
    if value.expose_secret() != again.expose_secret() {
        return Err(Failure::message(Exit::Data, "the two differ; nothing was changed"));
    }
    Ok(value)
}

fn piped() -> Result<SecretString, Failure> {
    let mut text = String::new();
    io::stdin().lock().take(MOST).read_to_string(&mut text).map_err(|error| {
        Failure::message(Exit::Data, format!("the value on standard input: {error}"))
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text.into())
}
