//! The table of all keys as a page of Markdown.

use std::fmt::Write;

use super::sections::keys;

const HEAD: &str = "\
# Configuration reference

Made by `actionfleet config --reference`. Later sources replace earlier ones: defaults, the file
(`actionfleet.toml` in the working folder, or `--config FILE`), the environment
(`ACTIONFLEET__BROKER__URL` is `broker.url`), flags (`--set broker.url=…`). Durations need a unit
(`500ms`, `30s`, `1h 30m`); sizes may have one (`64KiB`, `16MiB`); lists are written with commas,
in the file also as arrays. An unknown key is refused.

| Key | Value | Default | Meaning |
|---|---|---|---|
";

pub(crate) fn reference() -> String {
    let mut page = HEAD.to_owned();
    for key in keys() {
        let default = match key.default {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let about = key.about.trim().replace('|', "\\|");
        let _ = writeln!(page, "| `{}` | {} | {default} | {about} |", key.name, key.kind);
    }
    page
}
