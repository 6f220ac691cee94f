use bailee_model::{
    Error, ErrorKind, HttpSignIn, RemoteAddress, RemoteName, RemoteSecretField, RemoteTimes,
    RemoteTls, Result, limit,
};

/// Most transfers with one remote at once.
const CONCURRENCY_MAX: u32 = 64;
/// Longest URL.
const URL_BYTES_MAX: usize = 2048;
/// Longest text of certificates.
const PEM_BYTES_MAX: usize = 64 * 1024;

/// Whether an address can be one; folders of this machine only below `allowed`. Whether an address of the network may
/// be connected to is judged at each connection.
pub(super) fn check_address(address: &RemoteAddress, allowed: &[String]) -> Result<()> {
    match address {
        RemoteAddress::Sftp {
            host,
            username,
            base_path,
            ..
        }
        | RemoteAddress::Ftps {
            host,
            username,
            base_path,
            ..
        } => {
            check_host(host)?;
            check_word("#/username", "a user name", username)?;
            check_base(base_path)?;
        }
        RemoteAddress::Https { url, sign_in, .. } | RemoteAddress::Webdav { url, sign_in, .. } => {
            check_url("#/url", url)?;
            check_sign_in(sign_in)?;
        }
        RemoteAddress::Bailee { url, base_path, .. } => {
            check_url("#/url", url)?;
            check_base(base_path)?;
        }
        RemoteAddress::S3 { .. } | RemoteAddress::AzureBlob { .. } | RemoteAddress::Gcs { .. } => {
            check_store(address)?;
        }
        RemoteAddress::Local { folder } => return check_folder(folder, allowed),
    }
    if let Some(proxy) = address.route().and_then(|route| route.proxy_url.as_deref()) {
        check_proxy(proxy)?;
    }
    address.tls().map_or(Ok(()), check_tls)
}

/// A store of objects.
fn check_store(address: &RemoteAddress) -> Result<()> {
    let (endpoint, base_path, words) = match address {
        RemoteAddress::S3 {
            endpoint,
            region,
            bucket,
            base_path,
            access_key_id,
            server_side_encryption,
            kms_key_id,
            ..
        } => {
            check_encryption(server_side_encryption.as_deref(), kms_key_id.as_deref())?;
            let words = vec![
                ("#/region", region),
                ("#/bucket", bucket),
                ("#/access_key_id", access_key_id),
            ];
            (endpoint, base_path, words)
        }
        RemoteAddress::AzureBlob {
            endpoint,
            account,
            container,
            base_path,
            ..
        } => {
            let words = vec![("#/account", account), ("#/container", container)];
            (endpoint, base_path, words)
        }
        RemoteAddress::Gcs {
            endpoint,
            bucket,
            base_path,
            ..
        } => (endpoint, base_path, vec![("#/bucket", bucket)]),
        _ => return Ok(()),
    };
    for (pointer, text) in words {
        check_word(pointer, "a name", text)?;
    }
    if let Some(endpoint) = endpoint {
        check_url("#/endpoint", endpoint)?;
    }
    check_base(base_path)
}

fn check_encryption(way: Option<&str>, key: Option<&str>) -> Result<()> {
    let (pointer, detail) = match (way, key) {
        (None | Some("AES256"), None) | (Some("aws:kms"), _) => return Ok(()),
        (None | Some("AES256"), Some(_)) => ("#/kms_key_id", "It belongs to `aws:kms`."),
        _ => ("#/server_side_encryption", "Is `AES256` or `aws:kms`."),
    };
    Err(Error::field(pointer, "invalid", detail))
}

fn check_host(host: &str) -> Result<()> {
    if is_plain(host) && !host.contains(['/', '@', ' ']) {
        return Ok(());
    }
    let detail = "Must be a host name or an address.";
    Err(Error::field("#/host", "invalid_host", detail))
}

fn check_word(pointer: &str, what: &str, text: &str) -> Result<()> {
    if is_plain(text) {
        return Ok(());
    }
    Err(Error::field(pointer, "invalid", format!("Must be {what}.")))
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= limit::TEXT_BYTES_MAX && !text.chars().any(char::is_control)
}

fn check_base(base_path: &str) -> Result<()> {
    let is_fit = base_path.len() <= limit::TEXT_BYTES_MAX
        && !base_path.chars().any(char::is_control)
        && base_path.split('/').all(|part| part != "..");
    if is_fit {
        return Ok(());
    }
    let detail = "Must be a path without `..`.";
    Err(Error::field("#/base_path", "invalid_path", detail))
}

/// A URL without a credential, query or fragment. The connector takes `http` for this machine's own addresses only.
fn check_url(pointer: &str, url: &str) -> Result<()> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let is_fit = url.len() <= URL_BYTES_MAX
        && !url.chars().any(|c| c.is_control() || c.is_whitespace())
        && rest.is_some_and(|rest| {
            let authority = rest.split('/').next().unwrap_or_default();
            !authority.is_empty() && !rest.contains(['?', '#', '\\']) && !authority.contains('@')
        });
    if is_fit {
        return Ok(());
    }
    let detail = "Must be a URL that begins with https://, without user name, query and fragment.";
    Err(Error::field(pointer, "invalid_url", detail))
}

/// A proxy's URL is shown to whoever may read the remote, so it holds no credential.
fn check_proxy(url: &str) -> Result<()> {
    check_url("#/proxy_url", url)?;
    if url.starts_with("http://") {
        return Ok(());
    }
    let detail = "A proxy looks like http://host:port.";
    Err(Error::field("#/proxy_url", "invalid_url", detail))
}

fn check_sign_in(sign_in: &HttpSignIn) -> Result<()> {
    let HttpSignIn {
        username,
        header_name,
    } = sign_in;
    if username.is_some() && header_name.is_some() {
        let detail = "Give `username` or `header_name`, not both.";
        return Err(Error::field("#/header_name", "conflicting", detail));
    }
    if let Some(name) = username {
        check_word("#/username", "a user name", name)?;
        if name.contains(':') {
            let detail = "A user name for HTTP cannot hold a colon.";
            return Err(Error::field("#/username", "invalid", detail));
        }
    }
    match header_name {
        Some(name) => check_word("#/header_name", "a header's name", name),
        None => Ok(()),
    }
}

fn check_tls(tls: &RemoteTls) -> Result<()> {
    let texts = [
        ("#/ca_pem", &tls.ca_pem),
        ("#/client_certificate", &tls.client_certificate),
    ];
    for (pointer, text) in texts {
        let is_fit = text.as_ref().is_none_or(|text| {
            text.len() <= PEM_BYTES_MAX && text.contains("-----BEGIN CERTIFICATE-----")
        });
        if !is_fit {
            let detail = "Must be certificates in PEM form.";
            return Err(Error::field(pointer, "invalid_certificate", detail));
        }
    }
    Ok(())
}

fn check_folder(folder: &str, allowed: &[String]) -> Result<()> {
    let is_below = |root: &String| {
        folder == root
            || folder
                .strip_prefix(root.trim_end_matches('/'))
                .is_some_and(|rest| rest.starts_with('/'))
    };
    if folder.split('/').any(|part| part == "..") || !allowed.iter().any(is_below) {
        let detail = "The operator does not allow this folder (setting `local.allow_folders`).";
        let refused = Error::new(ErrorKind::AddressNotAllowed, detail);
        return Err(refused.with_field("#/folder", "address_not_allowed", detail));
    }
    Ok(())
}

/// Whoever needs one comes after what it needs.
const COMPANIONS: [(RemoteSecretField, RemoteSecretField); 3] = [
    (RemoteSecretField::Passphrase, RemoteSecretField::PrivateKey),
    (
        RemoteSecretField::PreviousPrivateKey,
        RemoteSecretField::PrivateKey,
    ),
    (
        RemoteSecretField::SessionToken,
        RemoteSecretField::SecretAccessKey,
    ),
];

/// Whether secrets that are given together are one way to sign in.
pub(super) fn check_ways(given: &[RemoteSecretField]) -> Result<()> {
    let mut ways = given
        .iter()
        .filter(|field| field.signs_in() && COMPANIONS.iter().all(|(with, _)| with != *field));
    if let (Some(first), Some(second)) = (ways.next(), ways.next()) {
        let detail = format!("Give `{}` or this one, not both.", first.as_str());
        return Err(conflict(*second, &detail));
    }
    Ok(())
}

/// Whether all the secrets of a remote go together, and with its address. Which ones a kind may have at all, the door
/// decides.
pub(super) fn check_secrets(address: &RemoteAddress, fields: &[RemoteSecretField]) -> Result<()> {
    use RemoteSecretField as Field;

    let has = |field: Field| fields.contains(&field);
    for (field, needed) in COMPANIONS {
        if has(field) && !has(needed) {
            let detail = format!("It belongs to `{}`.", needed.as_str());
            return Err(conflict(field, &detail));
        }
    }
    let certificate = address
        .tls()
        .and_then(|tls| tls.client_certificate.as_ref());
    if certificate.is_some() != has(Field::ClientKey) {
        let detail = "A `client_certificate` and its `client_key` belong together.";
        return Err(conflict(Field::ClientKey, detail));
    }
    check_needed(address, fields)
}

fn conflict(field: RemoteSecretField, detail: &str) -> Error {
    let pointer = format!("#/{}", field.as_str());
    Error::field(&pointer, "conflicting", detail)
}

/// The secrets without which nothing can be asked of the far system, and what names them.
fn check_needed(address: &RemoteAddress, fields: &[RemoteSecretField]) -> Result<()> {
    use RemoteSecretField as Field;

    let has = |field: Field| fields.contains(&field);
    let (is_fit, pointer, detail) = match address {
        RemoteAddress::S3 { .. } => (
            has(Field::SecretAccessKey),
            "#/secret_access_key",
            "A bucket of S3 needs its `secret_access_key`.",
        ),
        RemoteAddress::AzureBlob { .. } => (
            has(Field::AccountKey) || has(Field::SasToken),
            "#/account_key",
            "A container of Azure needs its `account_key` or a `sas_token`.",
        ),
        RemoteAddress::Bailee { .. } => (
            has(Field::ApiKey),
            "#/api_key",
            "Another Bailee needs an `api_key`.",
        ),
        RemoteAddress::Https { sign_in, .. } | RemoteAddress::Webdav { sign_in, .. } => {
            let names = [sign_in.username.is_some(), sign_in.header_name.is_some()];
            let secrets = [has(Field::Password), has(Field::HeaderValue)];
            (
                names == secrets,
                "#/username",
                "`username` goes with `password`, `header_name` with `header_value`.",
            )
        }
        _ => return Ok(()),
    };
    if is_fit {
        return Ok(());
    }
    Err(Error::field(pointer, "credential_needed", detail))
}

pub(super) fn concurrency(wanted: Option<u32>) -> Result<Option<u32>> {
    match wanted {
        Some(number) if number == 0 || number > CONCURRENCY_MAX => Err(Error::field(
            "#/concurrency",
            "out_of_range",
            format!("Must be 1 to {CONCURRENCY_MAX}."),
        )),
        other => Ok(other),
    }
}

/// Whether a remote can be used and looked at like this.
pub(super) fn check_times(times: RemoteTimes) -> Result<RemoteTimes> {
    let span = limit::HEALTH_CHECK_SECONDS_MIN..=limit::HEALTH_CHECK_SECONDS_MAX;
    if let Some(seconds) = times.health_check_seconds
        && !span.contains(&seconds)
    {
        let detail = format!("Must be {} to {}.", span.start(), span.end());
        return Err(Error::field(
            "#/health_check_seconds",
            "out_of_range",
            detail,
        ));
    }
    if times.windows.len() > limit::REMOTE_WINDOWS_MAX {
        let detail = format!("At most {} windows.", limit::REMOTE_WINDOWS_MAX);
        return Err(Error::field("#/windows", "too_many", detail));
    }
    for (at, window) in times.windows.iter().enumerate() {
        let rate = window.bytes_per_second;
        if rate != 0 && rate < limit::BANDWIDTH_MIN {
            let pointer = format!("#/windows/{at}/bytes_per_second");
            let detail = format!("Must be 0 or at least {}.", limit::BANDWIDTH_MIN);
            return Err(Error::field(&pointer, "out_of_range", detail));
        }
    }
    Ok(times)
}

pub(super) fn name_taken(name: &RemoteName) -> Error {
    Error::new(ErrorKind::NameTaken, format!("There is a remote `{name}`.")).with_field(
        "#/name",
        "name_taken",
        "Taken.",
    )
}
