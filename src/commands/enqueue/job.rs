//! One job from the command line.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use actionfleet_proto::{Input, Job};
use serde::{Deserialize, de::IgnoredAny};

use super::{EnqueueArgs, Given, media::media};
use crate::exit::{Exit, Failure};

/// Characters that an error quotes of what is no JSON object.
const QUOTED: usize = 40;

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
        let job = parse(&text, args.action.as_deref(), &args.given).map_err(|problem| {
            Failure::message(Exit::Data, format!("{}: {problem}", path.display()))
        })?;
        return Ok(Job { id: args.id.clone().or(job.id), ..job });
    };
    let Some(action) = args.action.clone() else {
        return Err(Failure::message(Exit::Usage, "name the ACTION to execute"));
    };
    let mut job = Job { id: args.id.clone(), ..Job::new(action, input) };
    args.given.put_into(&mut job);
    Ok(job)
}

/// A whole job, or, where the action is known, its input.
pub(super) fn parse(text: &[u8], action: Option<&str>, given: &Given) -> Result<Job, String> {
    let job = match action {
        None => Job::from_slice(text).map_err(|error| error.to_string()),
        Some(action) => with_action(text, action),
    };
    let mut job = job.map_err(|problem| no_object(text, action).unwrap_or(problem))?;
    given.put_into(&mut job);
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

/// What to say of a text that is no JSON object: the types would say what they miss in it.
fn no_object(text: &[u8], action: Option<&str>) -> Option<String> {
    let text = text.trim_ascii();
    let problem = match serde_json::from_slice::<IgnoredAny>(text) {
        Ok(_) if text.starts_with(b"{") => return None,
        Ok(_) => "not a JSON object".to_owned(),
        Err(error) => format!("not a JSON object ({error})"),
    };
    // no character has more than four bytes
    let start = String::from_utf8_lossy(text.get(..4 * QUOTED).unwrap_or(text));
    let mut quoted: String = start.chars().take(QUOTED).collect();
    if quoted.len() < text.len() {
        quoted.push('…');
    }
    let job = r#"{"action": "refine_text", "input": {"text": "…"}}"#;
    Some(match action {
        None => format!("{problem}: {quoted:?}; give a job, such as {job}"),
        Some(_) => {
            format!(r#"{problem}: {quoted:?}; give an input, such as {{"text": "…"}}, or a job"#)
        }
    })
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
        let action = |text: &[u8], action| {
            parse(text, action, &Given::default()).map(|job| job.action.unwrap())
        };
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
    fn what_is_no_json_object_is_called_so_and_quoted() {
        let text = format!("hello, {}", "wörld ".repeat(1_000));
        let problem = parse(text.as_bytes(), Some("a"), &Given::default()).unwrap_err();
        let quoted = "\"hello, wörld wörld wörld wörld wörld wör…\"";
        assert!(
            problem.starts_with("not a JSON object (expected value at line 1 column 1): "),
            "{problem}"
        );
        assert!(problem.contains(quoted), "{problem}");
        assert!(
            problem.ends_with(r#"; give an input, such as {"text": "…"}, or a job"#),
            "{problem}"
        );
        for text in ["42", "[]", "\"{}\""] {
            let problem = parse(text.as_bytes(), None, &Given::default()).unwrap_err();
            assert!(
                problem.starts_with(&format!("not a JSON object: {text:?}; give a job")),
                "{problem}"
            );
        }
        assert!(
            parse(b"\xff\xfe", None, &Given::default())
                .unwrap_err()
                .contains("\"\u{fffd}\u{fffd}\"")
        );
        let cut = parse(br#"{"text": "x""#, Some("a"), &Given::default()).unwrap_err();
        assert!(cut.starts_with("not a JSON object (EOF while parsing an object"), "{cut}");
    }

    #[test]
    fn the_delay_of_the_command_line_wins() {
        let text =
            br#"{"action": "a", "input": {"text": "x"}, "not_before": "2027-01-01T00:00:00Z"}"#;
        let given = Given {
            delay: Some("5s".parse().unwrap()),
            tenant: Some("acme".to_owned()),
            action_version: Some(3),
        };
        let job = parse(text, None, &given).unwrap();
        assert_eq!((job.tenant.as_deref(), job.action_version), (Some("acme"), Some(3)));
        assert_eq!(job.validate(), Ok(()));
        assert_eq!(job.delay, Some("5s".parse().unwrap()));
    }
}
