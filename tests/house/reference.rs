//! The reference pages that the program prints of itself.

use std::{env, fs, process::Command};

use super::path;

/// `make schemas` sets REGENERATE and writes them anew.
#[test]
fn committed_reference_pages_are_those_of_the_program() {
    for (page, arguments) in [
        ("docs/configuration.md", ["config", "--reference"].as_slice()),
        ("docs/metrics.md", &["metrics"]),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_actionfleet")).args(arguments).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        let path = path(page);
        if env::var_os("REGENERATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &printed).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == printed, "{page} is not what the program says; run `make schemas`");
    }
}
