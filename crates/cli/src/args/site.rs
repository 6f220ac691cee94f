use std::path::PathBuf;

use clap::Args;

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Only this kind, such as remotes; may be given again
    #[arg(long = "kind", value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(crate::site::KINDS))]
    pub kinds: Vec<String>,
    /// Folder to write one file a kind into, instead of stdout
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long, requires = "folder")]
    pub overwrite: bool,
}

/// Which files, and how much they say.
#[derive(Debug, Args)]
#[group(skip)]
pub struct SiteFiles {
    /// Site file, folder of .yaml files, or - for stdin; may be given again
    #[arg(short, long = "file", value_name = "PATH", required = true)]
    pub files: Vec<PathBuf>,
    /// Remove what the files leave out, of the kinds that they name
    #[arg(long)]
    pub prune: bool,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct DiffArgs {
    /// Which files.
    #[command(flatten)]
    pub site: SiteFiles,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct ApplyArgs {
    /// Which files.
    #[command(flatten)]
    pub site: SiteFiles,
    /// Send all secrets that the files refer to again, for the server shows none to compare
    #[arg(long)]
    pub send_secrets: bool,
    /// New folder for the secrets that the server makes and shows once: API keys, webhook secrets
    #[arg(long, value_name = "FOLDER")]
    pub secrets_to: Option<PathBuf>,
}
