use std::path::PathBuf;

use bailee_client::api::{RemoteKind, SshKeyAlgorithm};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

/// `bailee remote …`
#[derive(Debug, Subcommand)]
pub enum RemoteCommand {
    /// Register a far system
    #[command(
        after_help = "Examples:\n  bailee remote add bank --sftp sftp.bank.example:22 --user acme --password-file -\n  bailee remote add press ftps --host ftp.press.example --user acme --secret password=env:PRESS_PASSWORD\n  bailee remote add lake s3 --region eu-central-1 --bucket acme --access-key-id AKIA… --secret secret_access_key=./key\n  bailee remote add vault azure_blob --account acme --container exchange --secret account_key=./key\n  bailee remote add depot gcs --bucket acme --secret service_account_key=./account.json\n  bailee remote add share --local /srv/share"
    )]
    Add(Box<RemoteAddArgs>),
    /// Change a remote
    #[command(
        after_help = "Examples:\n  bailee remote set bank --port 2222\n  bailee remote set lake --clear storage_class"
    )]
    Set(Box<RemoteSetArgs>),
    /// Try a remote out, step by step
    Test(RemoteArgs),
    /// Pin the host key with this fingerprint, or the one that the server shows now
    Trust(RemoteTrustArgs),
    /// List what is in a folder of a remote
    #[command(
        after_help = "Examples:\n  bailee remote ls bank\n  bailee remote ls bank:/in --limit 20"
    )]
    Ls(RemoteLsArgs),
    /// Make a key pair of SSH for a remote, and show what the partner puts into authorized_keys
    SshKey(RemoteSshKeyArgs),
    /// Show how a remote fares
    Health(RemoteArgs),
    /// Let transfers go to a remote again at once
    ResetCircuit(RemoteArgs),
    /// List the kinds of remotes, and what each can do
    Kinds,
    /// List what uses a remote
    UsedBy(RemoteArgs),
    /// List remotes
    List,
    /// Show one remote
    #[command(visible_alias = "show")]
    Get(RemoteArgs),
    /// Remove a remote
    Rm(RemoteArgs),
}

/// Arguments of `remote add`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct RemoteAddArgs {
    /// Name, as in name:/path
    pub name: String,
    /// Which connector speaks to it
    #[arg(value_parser = PossibleValuesParser::new(RemoteKind::KNOWN), required_unless_present_any = ["sftp", "local"])]
    pub kind: Option<String>,
    /// Short for: sftp --host HOST --port PORT
    #[arg(long, value_name = "HOST[:PORT]", conflicts_with_all = ["kind", "local", "host", "port"])]
    pub sftp: Option<String>,
    /// Short for: local --folder FOLDER
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["kind", "folder"])]
    pub local: Option<String>,
    /// What the kind needs.
    #[command(flatten)]
    pub settings: RemoteSettings,
}

/// Arguments of `remote set`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct RemoteSetArgs {
    /// Name or rem_…
    pub remote: String,
    /// New name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What changes.
    #[command(flatten)]
    pub settings: RemoteSettings,
    /// Field to empty, such as base_path; may be given again
    #[arg(long, value_name = "FIELD")]
    pub clear: Vec<String>,
}

/// The fields of all kinds. Which ones a kind has, the server knows.
#[derive(Debug, Default, Args)]
#[group(skip)]
pub struct RemoteSettings {
    /// Host name or address
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// TCP port
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Account to sign in as
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Fingerprint of an SFTP server's key, such as SHA256:…
    #[arg(long, value_name = "FINGERPRINT")]
    pub host_key: Option<String>,
    /// Folder at the far system that paths begin in
    #[arg(long, value_name = "PATH")]
    pub base_path: Option<String>,
    /// When TLS begins on FTP: explicit or implicit
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// URL that paths begin at, for https, webdav and bailee
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Header that carries the secret header_value
    #[arg(long, value_name = "NAME")]
    pub header_name: Option<String>,
    /// Whether a web server takes files
    #[arg(long, value_name = "BOOL")]
    pub can_write: Option<bool>,
    /// How a web server takes files: put or post
    #[arg(long, value_name = "METHOD")]
    pub method: Option<String>,
    /// Where a store answers, if not at its usual address
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Storage account of Azure
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Container of Azure
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// Region of an S3 bucket
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Bucket of S3 or of Google Cloud Storage
    #[arg(long, value_name = "NAME")]
    pub bucket: Option<String>,
    /// Name of an S3 access key
    #[arg(long, value_name = "ID")]
    pub access_key_id: Option<String>,
    /// Whether the bucket stands in the path
    #[arg(long, value_name = "BOOL")]
    pub path_style: Option<bool>,
    /// How S3 encrypts: AES256 or aws:kms
    #[arg(long, value_name = "WAY")]
    pub server_side_encryption: Option<String>,
    /// Key of aws:kms
    #[arg(long, value_name = "ID")]
    pub kms_key_id: Option<String>,
    /// Storage class of what is written to S3
    #[arg(long, value_name = "CLASS")]
    pub storage_class: Option<String>,
    /// Whether what is written to S3 carries a checksum
    #[arg(long, value_name = "BOOL")]
    pub sends_checksums: Option<bool>,
    /// Folder of the server's machine that its operator allows
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<String>,
    /// Proxy on the way, http://host:port
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Transfers at once
    #[arg(long, value_name = "N")]
    pub concurrency: Option<u32>,
    /// How often it is looked at in the background, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub health_check: Option<u32>,
    /// Bytes per second at a time of the day, 0 for none: 08:00-18:00=1048576 or mon,tue@22:00-06:00=0; may be given again
    #[arg(long, value_name = "WINDOW")]
    pub window: Vec<String>,
    /// Zone of the windows' times, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// File with certificate authorities to trust besides, PEM
    #[arg(long, value_name = "FILE")]
    pub extra_ca_file: Option<PathBuf>,
    /// File with a certificate to show, PEM; its key is the secret client_key
    #[arg(long, value_name = "FILE")]
    pub client_certificate_file: Option<PathBuf>,
    /// File with the password; - reads it from stdin
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// File with an OpenSSH private key
    #[arg(long, value_name = "FILE")]
    pub private_key_file: Option<PathBuf>,
    /// File with the private key's passphrase
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Secret by field: FIELD=FILE, FIELD=- for stdin, FIELD=env:NAME for the environment; may be given again
    #[arg(long, value_name = "FIELD=SOURCE")]
    pub secret: Vec<String>,
}

/// One remote.
#[derive(Debug, Args)]
pub struct RemoteArgs {
    /// Name or rem_…
    pub remote: String,
}

/// Arguments of `remote ls`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct RemoteLsArgs {
    /// Name or rem_…, with a folder behind a colon: bank:/in
    pub place: String,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: usize,
}

/// Arguments of `remote ssh-key`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct RemoteSshKeyArgs {
    /// Name or rem_…
    pub remote: String,
    /// Kind of the pair
    #[arg(long, value_parser = PossibleValuesParser::new(SshKeyAlgorithm::KNOWN), default_value = "ed25519")]
    pub algorithm: String,
}

/// Arguments of `remote trust`.
#[derive(Debug, Args)]
pub struct RemoteTrustArgs {
    /// Name or rem_…
    pub remote: String,
    /// Fingerprint to pin; without it the one seen by a test is shown and asked about
    #[arg(long)]
    pub fingerprint: Option<String>,
}
