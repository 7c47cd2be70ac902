//! Embeds the provider catalog: every file in `providers/`, so that adding a provider needs no
//! Rust.

use std::io::{Error, Result};
use std::path::Path;
use std::{fmt::Write as _, fs};

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=providers");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().into_string().map_err(|_| Error::other("not UTF-8"))?;
        if name.ends_with(".toml") {
            files.push(name);
        }
    }
    files.sort();

    let mut table = String::from("&[\n");
    for name in files {
        let path = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/providers/{name}\")");
        writeln!(table, "    ({name:?}, include_str!({path})),").map_err(Error::other)?;
    }
    table.push_str("]\n");

    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folder only so")]
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("catalog.rs"), table)
}
