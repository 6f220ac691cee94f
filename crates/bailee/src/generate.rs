//! The files that are made from the program and checked in, below a folder in the layout of the project.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

pub fn write(out: &Path, tree: clap::Command) -> Result<()> {
    put(&out.join("openapi.json"), &bailee_server::api_document())?;
    put(
        &out.join("docs/reference/cli.md"),
        &bailee_cli::reference(tree),
    )?;
    for (place, text) in bailee_server::reference::pages() {
        put(&out.join(place), &text)?;
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
