//! Where values come from: a file, the environment, flags.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use config::{Environment, File, FileFormat, Source, ValueKind};

use super::{ConfigError, Origin, Problem, key::nearest, sections::keys, values::Values};

const PREFIX: &str = "ACTIONFLEET";

/// A value that a flag sets.
#[derive(Debug, Clone)]
pub(crate) struct Override {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) flag: &'static str,
}

/// All that is above the defaults, lowest first.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// Must exist where it is given.
    pub(crate) file: Option<PathBuf>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) flags: Vec<Override>,
}

/// The variables of this process that may be meant for it.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
        .collect()
}

impl Layers {
    pub(super) fn collect(self) -> Result<Values, ConfigError> {
        let mut values = Values::default();
        if let Some(file) = self.file {
            read_file(&file, &mut values)?;
        }
        read_environment(self.environment, &mut values);
        for Override { key, value, flag } in self.flags {
            set(&mut values, &key, value, Origin::Flag(flag));
        }
        Ok(values)
    }
}

/// Read where no other file is named, if it is there.
pub(crate) fn default_file() -> Option<PathBuf> {
    let file = PathBuf::from("actionfleet.toml");
    file.is_file().then_some(file)
}

fn read_file(path: &Path, values: &mut Values) -> Result<(), ConfigError> {
    let origin = path.display().to_string();
    let table = File::from(path).format(FileFormat::Toml).collect().map_err(|error| {
        let problem = error.to_string().replace('\n', "\n    ");
        ConfigError(vec![Problem {
            key: "--config".to_owned(),
            message: format!("{}: {}", path.display(), problem.trim()),
            origin: Origin::File(origin.clone()),
        }])
    })?;
    for (key, value) in table {
        set_tree(values, &key, value.kind, &Origin::File(origin.clone()));
    }
    Ok(())
}

fn read_environment(variables: BTreeMap<String, String>, values: &mut Values) {
    for name in variables.keys() {
        note_single_underscores(name, values);
    }
    let source = Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .source(Some(variables.into_iter().collect()));
    // fails on variables that are not Unicode alone, and these are text
    for (key, value) in source.collect().unwrap_or_default() {
        let name = format!("{PREFIX}__{}", key.replace('.', "__").to_uppercase());
        set_tree(values, &key, value.kind, &Origin::Environment(name));
    }
}

/// `ACTIONFLEET_BROKER_URL` would do nothing, silently. Other names with the prefix are somebody
/// else's: Kubernetes sets some for a service of the fleet's name.
fn note_single_underscores(name: &str, values: &mut Values) {
    let flat = |name: &str| name.to_uppercase().replace("__", "_").replace('.', "_");
    let Some(rest) = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_')) else {
        return;
    };
    if rest.starts_with('_') {
        return;
    }
    if let Some(key) = keys().find(|key| flat(key.name) == flat(rest)) {
        let right = key.name.replace('.', "__").to_uppercase();
        values.note(Problem {
            key: key.name.to_owned(),
            message: format!("sections need two underscores; write {PREFIX}__{right}"),
            origin: Origin::Environment(name.to_owned()),
        });
    }
}

/// Flattens tables to dotted keys and lists to text with commas.
fn set_tree(values: &mut Values, name: &str, kind: ValueKind, origin: &Origin) {
    match kind {
        ValueKind::Table(table) => {
            for (key, value) in table {
                set_tree(values, &format!("{name}.{key}"), value.kind, origin);
            }
        }
        ValueKind::Array(items) => {
            let items: Vec<String> = items.into_iter().map(|item| item.kind.to_string()).collect();
            set(values, name, items.join(","), origin.clone());
        }
        scalar => set(values, name, scalar.to_string(), origin.clone()),
    }
}

fn set(values: &mut Values, name: &str, text: String, origin: Origin) {
    if let Some(key) = keys().find(|key| key.is(name)) {
        return values.set(name, text, origin, key);
    }
    let hint = match nearest(name, keys()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`actionfleet config --reference` lists all keys".to_owned(),
    };
    let problem = format!("there is no such key; {hint}");
    values.note(Problem { key: name.to_owned(), message: problem, origin });
}
