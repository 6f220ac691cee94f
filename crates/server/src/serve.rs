//! `bailee serve`: wiring, signals, drain.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bailee_connect::{EgressGuard, Poster};
use bailee_core::Core;
use bailee_engine::{Engine, EngineHandle, EngineLimits, EngineParts, secret_stores};
use bailee_http::{CursorKey, HttpOptions, Peer, RateLimits};
use bailee_model::{Chance as _, Clock as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, DatabaseKind, LoadOptions, Loaded};
use crate::dev::{self, DevInfo};
use crate::dev_ca;
use crate::listen::{ConnectionFacts, Drained, ListenOptions, Listener};
use crate::log;
use crate::machine_secrets::Machine;
use crate::open::{self, Migrate, Mode};
use crate::system::{SystemChance, SystemClock};
use crate::tls::{self, ServerTls, TlsOptions};

/// Where a development server keeps its data when no folder is named.
const DEV_FOLDER: &str = "target/dev-data";

/// Starts the server.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// A server for development: only this machine, with a certificate, tenant and keys of its own
    #[arg(long)]
    pub dev: bool,
    /// Folder of everything that the server keeps
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address and port of the HTTPS listener; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Settings file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One setting: section.key=value
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Apply pending migrations of an existing database
    #[arg(long)]
    pub migrate: bool,
}

impl ServeArgs {
    /// The settings: flags over environment over file over defaults.
    pub fn load(&self) -> Result<Loaded> {
        let mut flags = self.set.clone();
        let data = self
            .data
            .clone()
            .or_else(|| self.dev.then(|| PathBuf::from(DEV_FOLDER)));
        if let Some(data) = data {
            let data = std::path::absolute(&data)
                .with_context(|| format!("cannot find {}", data.display()))?;
            flags.push(format!("data.path={}", data.display()));
        }
        match self.listen {
            Some(listen) => flags.push(format!("server.listen={listen}")),
            None if self.dev => flags.push("server.listen=127.0.0.1:8443".to_owned()),
            None => {}
        }
        if self.dev {
            flags.insert(0, "log.format=text".to_owned());
        }
        let file = self.config.clone().or_else(LoadOptions::usual_file);
        Ok(Loaded::load(LoadOptions {
            file,
            environment: std::env::vars().collect(),
            flags,
        })?)
    }
}

/// Runs the server until it is told to stop. `on_dev` is called once a development server is ready.
pub async fn serve(args: ServeArgs, on_dev: impl FnOnce(&DevInfo)) -> Result<()> {
    tls::install_crypto();
    let config = args.load()?.config;
    let _log = log::install(&config.log.level, config.log.format)?;
    let mode = if args.dev {
        Mode::Development
    } else {
        Mode::Production
    };
    if args.dev && !config.server.listen.ip().is_loopback() {
        bail!("a development server listens on a loopback address only");
    }
    open::folder(&config.data.path)?;
    let migrate = if args.migrate || args.dev {
        Migrate::Yes
    } else {
        Migrate::No
    };
    let core = open::core(&config, open::database(&config, migrate).await?, mode).await?;
    let tls_options = tls_options(&config, mode)?;
    let tls = Arc::new(ServerTls::load(tls_options.1)?);
    let listener = Listener::bind(ListenOptions {
        address: config.server.listen,
        tls: Arc::clone(&tls),
        limits: config.listen_limits(),
    })?;
    let address = listener.address();
    let metrics = crate::metrics_recorder()?;
    let router = bailee_http::router(core.clone(), http_options(&core, &config, metrics).await?);
    if config.database.kind == DatabaseKind::Sqlite {
        // Nobody else can be at work: the database is locked by this process.
        core.jobs().adopt_all().await?;
    }
    let engine = start_engine(&core, &config, mode)?;
    match tls_options.0 {
        Some(ca_file) => {
            let url = format!("https://{}", shown_address(address));
            let info = dev::ensure(&core, &config.data.path, url, ca_file).await?;
            on_dev(&info);
        }
        None => first_operator(&core, &config).await?,
    }
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "ready");
    let shutdown = CancellationToken::new();
    let signals = tokio::spawn(signals(shutdown.clone(), core.clone(), tls));
    let extensions = |facts: &ConnectionFacts| {
        let mut extensions = http::Extensions::new();
        extensions.insert(Peer {
            address: facts.address,
        });
        extensions
    };
    let drained = listener.serve(router, extensions, shutdown).await;
    signals.abort();
    stop(&core, engine, &config, &drained).await;
    Ok(())
}

async fn stop(core: &Core, engine: EngineHandle, config: &Config, drained: &Drained) {
    let left = Duration::from_secs(config.server.drain_seconds.max(1));
    let is_clean = engine.drain(left).await;
    core.close().await;
    if let Drained::Cut(requests) = drained {
        tracing::warn!(requests, "some requests were cut off");
    }
    tracing::info!(engine_drained = is_clean, "stopped");
}

/// The development authority's file, if it is one, and where certificate and key are.
fn tls_options(config: &Config, mode: Mode) -> Result<(Option<PathBuf>, TlsOptions)> {
    let min_version = config.tls.min_version;
    if mode == Mode::Development {
        let made = dev_ca::ensure(&config.data.path, SystemClock.now())?;
        let options = TlsOptions {
            certificate: made.certificate,
            private_key: made.private_key,
            min_version,
        };
        return Ok((Some(made.authority), options));
    }
    match (&config.tls.certificate, &config.tls.private_key) {
        (Some(certificate), Some(private_key)) => Ok((
            None,
            TlsOptions {
                certificate: certificate.clone(),
                private_key: private_key.clone(),
                min_version,
            },
        )),
        _ => bail!("set tls.certificate and tls.private_key, or use `bailee serve --dev`"),
    }
}

async fn http_options(
    core: &Core,
    config: &Config,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
) -> Result<HttpOptions> {
    let limits = &config.rate_limits;
    Ok(HttpOptions {
        base_url: None,
        hosts: config
            .server
            .hostnames
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect(),
        header_bytes_max: config.limits.header_bytes as usize,
        cursor_key: CursorKey::new(core.installation_secret("cursor_key").await?),
        rate_limits: RateLimits {
            read: limits.read,
            write: limits.write,
            auth: limits.auth,
            status: limits.status,
            window: Duration::from_secs(limits.window_seconds),
        },
        metrics: config.metrics.enabled.then_some(metrics),
        security_contact: None,
    })
}

fn start_engine(core: &Core, config: &Config, mode: Mode) -> Result<EngineHandle> {
    let mut guard =
        EgressGuard::strict().allowing(config.egress.allow.iter().map(|network| network.0));
    if mode == Mode::Development {
        guard = guard.allowing_loopback();
    }
    core.attach_secret_stores(secret_stores(guard.clone(), Arc::new(Machine)));
    let mut random = [0; 4];
    SystemChance::default().fill(&mut random);
    let parts = EngineParts {
        poster: Poster::new(guard.clone(), "").context("cannot make the sender of webhooks")?,
        guard,
        local_folders: core.settings_of_installation().local_folders.clone(),
        node: format!("node-{:08x}", u32::from_be_bytes(random)),
        limits: EngineLimits {
            transfers: config.transfers.running,
            transfers_per_tenant: config.transfers.running_per_tenant,
            ..EngineLimits::default()
        },
    };
    Ok(Engine::start(core.clone(), parts))
}

/// At the first start of a production server: the operator's key, in a file that only the operator can read.
async fn first_operator(core: &Core, config: &Config) -> Result<()> {
    if let Some(key) = core.first_operator().await? {
        let path = config.data.path.join("operator.key");
        dev::write(&path, key.reveal())?;
        tracing::info!(file = %path.display(), "the operator's first API key was written; keep it and remove the file");
    }
    Ok(())
}

/// TERM and INT stop the server, HUP reads certificates again.
async fn signals(shutdown: CancellationToken, core: Core, tls: Arc<ServerTls>) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => match tls.reload() {
                Ok(()) => tracing::info!("certificates were read again"),
                Err(error) => tracing::error!(error = %error, "the old certificates stay in use"),
            },
        }
    }
    tracing::info!("draining");
    core.drain();
    shutdown.cancel();
    Ok(())
}

fn shown_address(address: SocketAddr) -> String {
    if address.ip().is_loopback() && address.is_ipv4() {
        format!("127.0.0.1:{}", address.port())
    } else {
        address.to_string()
    }
}
