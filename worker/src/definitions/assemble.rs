//! From files to a catalog: each file by itself, then all together.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use actionfleet_proto::definition::Problem;

use super::{
    Catalog, Finding,
    compiled::Compiled,
    decode::decode,
    document::{Format, Located, line_of},
    nearest::nearest,
};

/// The good version of a file.
#[derive(Debug, Clone)]
pub(super) struct Good {
    text: Arc<str>,
    compiled: Compiled,
}

/// By path.
pub(super) type GoodFiles = BTreeMap<PathBuf, Good>;

/// What came of the files, read or unreadable.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) catalog: Catalog,
    pub(super) findings: Vec<Finding>,
    pub(super) good: GoodFiles,
}

/// What is wrong with a file is found, and its version in `previous`, if any, stays in force.
pub(super) fn assemble(
    files: BTreeMap<PathBuf, Result<String, String>>,
    previous: &GoodFiles,
    handlers: &[String],
) -> Assembled {
    let (mut good, mut findings) = (GoodFiles::new(), Vec::new());
    for (path, text) in files {
        match file(&path, text, previous.get(&path)) {
            Ok(version) => {
                good.insert(path, version);
            }
            Err(wrong) => {
                findings.extend(wrong);
                good.extend(previous.get(&path).map(|version| (path, version.clone())));
            }
        }
    }
    let good = unique(good, previous, &mut findings);
    let good = referring(good, previous, handlers, &mut findings);
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let catalog = Catalog::new(good.values().map(|version| version.compiled.clone()));
    Assembled { catalog, findings, good }
}

fn file(
    path: &Path,
    text: Result<String, String>,
    previous: Option<&Good>,
) -> Result<Good, Vec<Finding>> {
    let finding = |line: Option<usize>, Problem { field, problem }: Problem| Finding {
        file: path.to_owned(),
        line,
        field,
        problem,
    };
    let text = text.map_err(|problem| vec![finding(None, Problem::new(".", problem))])?;
    if let Some(previous) = previous.filter(|previous| *previous.text == *text) {
        return Ok(previous.clone());
    }
    let Some(format) = Format::of(path) else { return Err(Vec::new()) };
    let value =
        format.parse(&text).map_err(|Located { line, problem }| vec![finding(line, problem)])?;
    let compiled = decode(value).and_then(Compiled::new).map_err(|problems| {
        let located = |problem: Problem| finding(line_of(&text, &problem.field), problem);
        problems.into_iter().map(located).collect::<Vec<_>>()
    })?;
    Ok(Good { text: text.into(), compiled })
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
    handlers: &[String],
    findings: &mut Vec<Finding>,
) -> GoodFiles {
    let names: HashSet<_> = files.values().map(Good::name).collect();
    let known = Known {
        providers: files.values().filter_map(Good::provider).map(str::to_owned).collect(),
        handlers: handlers.to_vec(),
    };
    let judge = |(path, version): (PathBuf, Good)| {
        let Some(problem) = known.problem(&version) else { return Some((path, version)) };
        findings.push(version.finding(&path, problem));
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

    fn is_same(&self, other: Option<&Self>) -> bool {
        other.is_some_and(|other| other.text == self.text)
    }

    fn finding(&self, path: &Path, Problem { field, problem }: Problem) -> Finding {
        let line = line_of(&self.text, &field);
        Finding { file: path.to_owned(), line, field, problem }
    }
}

/// What action types can name.
struct Known {
    providers: Vec<String>,
    handlers: Vec<String>,
}

impl Known {
    fn problem(&self, version: &Good) -> Option<Problem> {
        let Compiled::ActionType(action_type) = &version.compiled else { return None };
        let definition = &action_type.definition;
        let named = [
            ("provider", &definition.provider, &self.providers),
            ("handler", &definition.handler, &self.handlers),
        ];
        named.into_iter().find_map(|(field, name, known)| {
            let name = name.as_ref().filter(|name| !known.contains(name))?;
            let hint = match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None if known.is_empty() => format!("there is none; define the {field}"),
                None => format!("there are {}", known.join(", ")),
            };
            Some(Problem::new(field, format!("no {field} is called {name:?}; {hint}")))
        })
    }
}
