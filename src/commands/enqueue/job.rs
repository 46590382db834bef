//! One job from the command line.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use actionfleet_proto::{Input, Job, Span};
use serde::{Deserialize, de::IgnoredAny};

use super::{EnqueueArgs, media::media};
use crate::exit::{Exit, Failure};

pub(super) fn build(args: &EnqueueArgs, max: usize) -> Result<Job, Failure> {
    let input = if !args.text.is_empty() {
        Input::Text(args.text.clone())
    } else if !args.image.is_empty() {
        Input::Image(args.image.iter().map(|of| media(of, max)).collect::<Result<_, _>>()?)
    } else if !args.audio.is_empty() {
        Input::Audio(args.audio.iter().map(|of| media(of, max)).collect::<Result<_, _>>()?)
    } else {
        let path = args.input.as_deref().unwrap_or(Path::new("-"));
        let text = read(path, max)?;
        let job = parse(&text, args.action.as_deref(), args.delay).map_err(|problem| {
            Failure::message(Exit::Data, format!("{}: {problem}", path.display()))
        })?;
        return Ok(Job { id: args.id.clone().or(job.id), ..job });
    };
    let Some(action) = args.action.clone() else {
        return Err(Failure::message(Exit::Usage, "name the ACTION to execute"));
    };
    Ok(Job { id: args.id.clone(), delay: args.delay, ..Job::new(action, input) })
}

/// A whole job, or, where the action is known, its input.
pub(super) fn parse(text: &[u8], action: Option<&str>, delay: Option<Span>) -> Result<Job, String> {
    let mut job = match action {
        None => Job::from_slice(text).map_err(|error| error.to_string())?,
        Some(action) => with_action(text, action)?,
    };
    if delay.is_some() {
        job.delay = delay;
        job.not_before = None;
    }
    Ok(job)
}

fn with_action(text: &[u8], action: &str) -> Result<Job, String> {
    #[derive(Deserialize)]
    struct Probe {
        action: Option<IgnoredAny>,
        input: Option<IgnoredAny>,
    }
    let probe: Probe = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match probe {
        Probe { input: None, .. } => {
            let input: Input = serde_json::from_slice(text).map_err(|error| error.to_string())?;
            Ok(Job::new(action, input))
        }
        Probe { action: Some(_), .. } => Job::from_slice(text).map_err(|error| error.to_string()),
        Probe { action: None, .. } => {
            let job: Job = serde_json::from_slice(text).map_err(|error| error.to_string())?;
            Ok(Job { action: Some(action.to_owned()), ..job })
        }
    }
}

/// A file, or standard input, of at most `max` bytes.
fn read(path: &Path, max: usize) -> Result<Vec<u8>, Failure> {
    let problem =
        |error: &io::Error| Failure::message(Exit::NoInput, format!("{}: {error}", path.display()));
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| problem(&error))?)
    };
    let mut text = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    source.take(limit).read_to_end(&mut text).map_err(|error| problem(&error))?;
    if text.len() > max {
        let text = format!("{}: more than {max} bytes (limits.job_bytes)", path.display());
        return Err(Failure::message(Exit::Data, text));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_job_or_an_input() {
        let whole = br#"{"action": "a", "input": {"text": "x"}}"#;
        let anonymous = br#"{"input": {"text": "x"}}"#;
        let input = br#"{"text": "x"}"#;
        let action = |text: &[u8], action| parse(text, action, None).map(|job| job.action.unwrap());
        assert_eq!(action(whole, None).unwrap(), "a");
        assert_eq!(action(whole, Some("b")).unwrap(), "a");
        assert_eq!(action(anonymous, Some("b")).unwrap(), "b");
        assert_eq!(action(input, Some("b")).unwrap(), "b");
        assert!(action(anonymous, None).unwrap_err().contains("action: missing"));
        assert!(action(input, None).unwrap_err().contains("missing field `input`"));
        assert!(action(b"[]", Some("b")).is_err());
        assert!(action(b"{}", Some("b")).unwrap_err().contains("exactly one of"));
    }

    #[test]
    fn the_delay_of_the_command_line_wins() {
        let text =
            br#"{"action": "a", "input": {"text": "x"}, "not_before": "2027-01-01T00:00:00Z"}"#;
        let job = parse(text, None, Some("5s".parse().unwrap())).unwrap();
        assert_eq!(job.validate(), Ok(()));
        assert_eq!(job.delay, Some("5s".parse().unwrap()));
    }
}
