//! From files to definitions: each file by itself, then all together.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use actionfleet_proto::definition::{Definition, Problem};
use actionfleet_store::DEFAULT_TENANT;

use super::{
    super::{
        Finding, Place, Referable,
        compiled::Compiled,
        decode::{Decoded, add_unsaid, decode},
        known::Known,
    },
    document::{Format, Located, line_of},
};

/// The good version of a file.
#[derive(Debug, Clone)]
pub(super) struct Good {
    text: Arc<str>,
    pub(super) compiled: Compiled,
}

/// By path.
pub(super) type GoodFiles = BTreeMap<PathBuf, Good>;

/// What came of the files, read or unreadable.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) findings: Vec<Finding>,
    pub(super) good: GoodFiles,
}

/// What is wrong with a file is found, and its version in `previous`, if any, stays in force.
pub(super) fn assemble(
    files: BTreeMap<PathBuf, Result<String, String>>,
    previous: &GoodFiles,
    referable: &Referable,
) -> Assembled {
    let (mut good, mut findings, mut drafts) = (GoodFiles::new(), Vec::new(), Vec::new());
    for (path, text) in files {
        match file(&path, text, previous.get(&path)) {
            Ok(version) => {
                good.insert(path, version);
            }
            Err(Wrong { findings: wrong, draft }) => {
                findings.extend(wrong);
                drafts.extend(draft.map(|draft| (path.clone(), draft)));
                good.extend(previous.get(&path).map(|version| (path, version.clone())));
            }
        }
    }
    let good = unique(good, previous, &mut findings);
    let providers: Vec<String> =
        good.values().filter_map(Good::provider).map(str::to_owned).collect();
    let known = Known {
        providers: providers.iter().chain(&referable.providers).map(String::as_str).collect(),
        handlers: referable.handlers.iter().map(String::as_str).collect(),
        shared: None,
    };
    let of_drafts = drafts.into_iter().flat_map(|(path, draft)| draft.findings(&known, &path));
    findings.extend(of_drafts);
    let good = referring(good, previous, &known, &mut findings);
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    Assembled { findings, good }
}

/// A file with something wrong in it.
struct Wrong {
    findings: Vec<Finding>,
    draft: Option<Box<Draft>>,
}

/// What could be read of it.
struct Draft {
    text: String,
    definition: Definition,
}

fn file(path: &Path, text: Result<String, String>, previous: Option<&Good>) -> Result<Good, Wrong> {
    let unreadable = |line: Option<usize>, Problem { field, problem }: Problem| Wrong {
        findings: vec![Finding {
            place: Place::File { path: path.to_owned(), line },
            field,
            problem,
        }],
        draft: None,
    };
    let text = text.map_err(|problem| unreadable(None, Problem::new(".", problem)))?;
    if let Some(previous) = previous.filter(|previous| *previous.text == *text) {
        return Ok(previous.clone());
    }
    let Some(format) = Format::of(path) else {
        return Err(Wrong { findings: Vec::new(), draft: None });
    };
    let value =
        format.parse(&text).map_err(|Located { line, problem }| unreadable(line, problem))?;
    let Decoded { definition, mut problems } = decode(value);
    let compiled = definition.clone().map(|given| Compiled::new(given, DEFAULT_TENANT));
    match compiled {
        Some(Ok(compiled)) if problems.is_empty() => {
            return Ok(Good { text: text.into(), compiled });
        }
        Some(Err(more)) => add_unsaid(&mut problems, more),
        Some(Ok(_)) | None => {}
    }
    let findings = problems.into_iter().map(|problem| located(path, &text, problem)).collect();
    Err(Wrong {
        findings,
        draft: definition.map(|definition| Draft { text, definition }).map(Box::new),
    })
}

fn located(path: &Path, text: &str, Problem { field, problem }: Problem) -> Finding {
    let place = Place::File { path: path.to_owned(), line: line_of(text, &field) };
    Finding { place, field, problem }
}

/// Lets no two files define the same. Who did so before goes first, then the order of the paths.
fn unique(files: GoodFiles, previous: &GoodFiles, findings: &mut Vec<Finding>) -> GoodFiles {
    let mut good = GoodFiles::new();
    let mut taken: HashMap<(bool, String), PathBuf> = HashMap::new();
    let (old, new): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(path, version)| version.is_same(previous.get(path)));
    for (path, version) in old.into_iter().chain(new) {
        let version = match taken.get(&version.name()) {
            None => Some(version),
            Some(other) => {
                let identifier = version.compiled.identifier();
                let problem =
                    format!("{identifier:?} is defined in {}, too; rename one", other.display());
                findings.push(version.finding(&path, Problem::new("identifier", problem)));
                previous.get(&path).filter(|before| !taken.contains_key(&before.name())).cloned()
            }
        };
        if let Some(version) = version {
            taken.insert(version.name(), path.clone());
            good.insert(path, version);
        }
    }
    good
}

/// Lets no file name what is not there. What was in force before stays, even if what it names has
/// vanished: jobs are told so until it is back.
fn referring(
    files: GoodFiles,
    previous: &GoodFiles,
    known: &Known<'_>,
    findings: &mut Vec<Finding>,
) -> GoodFiles {
    let names: HashSet<_> = files.values().map(Good::name).collect();
    let judge = |(path, version): (PathBuf, Good)| {
        let Compiled::ActionType(action_type) = &version.compiled else {
            return Some((path, version));
        };
        let problems = known.problems(&action_type.definition);
        if problems.is_empty() {
            return Some((path, version));
        }
        findings.extend(problems.into_iter().map(|problem| version.finding(&path, problem)));
        let before = previous.get(&path)?;
        let is_free = before.name() == version.name() || !names.contains(&before.name());
        is_free.then(|| (path, before.clone()))
    };
    files.into_iter().filter_map(judge).collect()
}

impl Good {
    /// Providers and actions have names of their own.
    fn name(&self) -> (bool, String) {
        (self.provider().is_some(), self.compiled.identifier().to_owned())
    }

    fn provider(&self) -> Option<&str> {
        match &self.compiled {
            Compiled::Provider(provider) => Some(&provider.definition.identifier),
            Compiled::ActionType(_) | Compiled::HttpAction(_) => None,
        }
    }

    pub(super) fn is_same(&self, other: Option<&Self>) -> bool {
        other.is_some_and(|other| other.text == self.text)
    }

    fn finding(&self, path: &Path, problem: Problem) -> Finding {
        located(path, &self.text, problem)
    }
}

impl Draft {
    fn findings(self, known: &Known<'_>, path: &Path) -> Vec<Finding> {
        let Definition::ActionType(action_type) = &self.definition else { return Vec::new() };
        let problems = known.problems(action_type).into_iter();
        problems.map(|problem| located(path, &self.text, problem)).collect()
    }
}
