//! The fenced blocks of a page of Markdown, and the commands in them.

/// ```` ```yaml definitions/openai.yaml ````: a kind, and a file where the block is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) kind: &'a str,
    pub(super) file: Option<&'a str>,
    pub(super) text: &'a str,
}

/// A command, and what is shown beneath.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) command: String,
    pub(super) shown: Vec<String>,
    /// 0, or what a comment behind the command says: `# exit code 1`.
    pub(super) exit: i32,
}

pub(super) fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, opened)) = rest.split_once("\n```") {
        let (info, body) = opened.split_once('\n').expect("a block after its fence");
        let end = body.find("\n```").expect("a fence that ends the block");
        let (text, after) = body.split_at(end + 1);
        let mut words = info.split(' ');
        let kind = words.next().unwrap_or_default();
        blocks.push(Block { kind, file: words.next(), text });
        // behind the closing fence
        rest = after.strip_prefix("```").expect("a fence");
    }
    blocks
}

pub(super) fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                let exit = command.split_once("# exit code ").map(|(_, code)| code);
                let exit = exit.map_or(0, |code| code.trim().parse().expect("a number"));
                steps.push(Step { command: command.to_owned(), shown: Vec::new(), exit });
            }
            (None, Some(step)) => step.shown.push(line.to_owned()),
            (None, None) => panic!("a block of commands begins with another line: {line}"),
        }
    }
    steps
}

/// Whether lines are those that are shown: `…` is any text, and alone on a line any lines. Blanks
/// before it are the columns of a table, as wide as it may be.
pub(super) fn matches(shown: &[String], printed: &[&str]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((any, rest)), _) if any == "…" => {
            (0..=printed.len()).any(|skip| matches(rest, printed.split_at(skip).1))
        }
        (Some((line, rest)), Some((first, others))) => {
            is_like(line, first) && matches(rest, others)
        }
        _ => false,
    }
}

fn is_like(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split('…').map(str::trim_end);
    let Some(mut rest) = parts.next().and_then(|first| printed.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn shown_lines_match_with_ellipses() {
    for (shown, printed, expected) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a…", "ab", true),
        ("a…c…e", "abcde", true),
        ("a…c…e", "abde", false),
        ("a\n…\nd", "a\nb\nc\nd", true),
        ("a\n…\nd", "a\nd", true),
        ("a\n…", "b\nc", false),
        ("a  …", "a", true),
    ] {
        let lines: Vec<String> = shown.lines().map(str::to_owned).collect();
        let printed: Vec<&str> = printed.lines().collect();
        assert_eq!(matches(&lines, &printed), expected, "{shown:?} {printed:?}");
    }
}
