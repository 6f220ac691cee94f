//! What the tests need beside cargo: an SSH server, an FTP server, GnuPG, PostgreSQL, strace, a Python environment,
//! and packages of Node.js.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::process;

/// Packages with pinned versions; installed into `.venv`.
const REQUIREMENTS: &str = "tests/python/requirements.txt";
/// The folder whose lock file names packages of Node.js with pinned versions; installed into its `node_modules`.
const NODE: &str = "tests/node";

/// A thing the tests need, how it is recognised, and the Debian package that brings it.
struct Need {
    what: &'static str,
    is_here: fn() -> bool,
    package: &'static str,
}

const ALWAYS: [Need; 9] = [
    Need {
        what: "gpg",
        is_here: || process::is_installed("gpg"),
        package: "gnupg",
    },
    Need {
        what: "sshd",
        is_here: || process::is_installed("sshd"),
        package: "openssh-server",
    },
    Need {
        what: "sftp",
        is_here: || process::is_installed("sftp"),
        package: "openssh-client",
    },
    Need {
        what: "strace",
        is_here: || process::is_installed("strace"),
        package: "strace",
    },
    Need {
        what: "vsftpd",
        is_here: || process::is_installed("vsftpd"),
        package: "vsftpd",
    },
    Need {
        what: "nginx",
        is_here: || process::is_installed("nginx"),
        package: "nginx-light",
    },
    Need {
        what: "rclone",
        is_here: || process::is_installed("rclone"),
        package: "rclone",
    },
    Need {
        what: "npm",
        is_here: || process::is_installed("npm") && process::is_installed("node"),
        package: "npm",
    },
    // Some servers that connectors are tested against come from there.
    PYTHON,
];
const POSTGRES: Need = Need {
    what: "PostgreSQL 15 or newer",
    is_here: || super::postgres::binaries().is_ok(),
    package: "postgresql",
};
const PYTHON: Need = Need {
    what: "python3 with venv",
    is_here: || {
        process::succeeds(process::command("python3").args(["-c", "import ensurepip, venv"]))
    },
    package: "python3-venv",
};

/// Installs what is missing, as root on Debian; elsewhere says what to install.
pub fn install(with_postgres: bool) -> Result<()> {
    let mut needs: Vec<&Need> = ALWAYS.iter().collect();
    needs.extend(with_postgres.then_some(&POSTGRES));
    let missing: Vec<&Need> = needs.into_iter().filter(|need| !(need.is_here)()).collect();
    if !missing.is_empty() {
        let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
        install_packages(&packages)?;
    }
    if let Some(need) = missing.iter().find(|need| !(need.is_here)()) {
        bail!(
            "{} is still missing after installing {}",
            need.what,
            need.package
        );
    }
    if process::is_root() {
        // sshd refuses to start as root without it; the package makes it at boot only.
        fs::create_dir_all("/run/sshd").context("cannot make /run/sshd")?;
    }
    environment()?;
    node_packages()?;
    println!("all that the tests need is here");
    Ok(())
}

fn install_packages(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if !process::is_root() || !process::is_installed("apt-get") {
        bail!("the tests need: {list}; install them (on Debian: apt-get install {list})");
    }
    let install = || {
        let mut apt = process::command("apt-get");
        apt.args(["install", "-y", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut apt)
    };
    // A fresh machine has no package lists; an older one need not fetch them again.
    if install().is_err() {
        process::run(process::command("apt-get").arg("update"))?;
        install()?;
    }
    Ok(())
}

/// The Python of the environment.
pub fn python() -> PathBuf {
    process::root().join(".venv/bin/python")
}

fn environment() -> Result<()> {
    let wanted = process::root().join(REQUIREMENTS);
    let installed = process::root().join(".venv/requirements.txt");
    let wanted =
        fs::read_to_string(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    let is_current = fs::read_to_string(&installed).is_ok_and(|kept| kept == wanted);
    if is_current && process::succeeds(process::command(python()).arg("--version")) {
        return Ok(());
    }
    process::run(process::command("python3").args(["-m", "venv", "--clear", ".venv"]))?;
    process::run(process::command(python()).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--requirement",
        REQUIREMENTS,
    ]))?;
    // Written last, so that an installation that broke off is begun again.
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))
}

fn node_packages() -> Result<()> {
    let folder = process::root().join(NODE);
    let wanted = folder.join("package-lock.json");
    let installed = folder.join("node_modules/installed-lock.json");
    let wanted =
        fs::read_to_string(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    if fs::read_to_string(&installed).is_ok_and(|kept| kept == wanted) {
        return Ok(());
    }
    let quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
    let mut npm = process::command("npm");
    process::run(npm.args(["ci", "--prefix", NODE]).args(quiet))?;
    // Written last, so that an installation that broke off is begun again.
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))
}
