use std::net::IpAddr;

use bailee_model::{
    Error, ErrorKind, EventType, FolderPath, RemoteName, Result, Webhook, WebhookLimits,
    WebhookSigner, limit,
};

/// Longest address.
const URL_BYTES_MAX: usize = 2048;

/// Longest tag that is looked for.
const TAG_BYTES_MAX: usize = 256;

/// Which events of a webhook's types it gets.
#[derive(Clone, Debug, Default)]
pub struct EventBounds {
    /// Only about paths below this one.
    pub path_prefix: Option<FolderPath>,
    /// Only about transfers from or to this remote.
    pub remote: Option<RemoteName>,
    /// Only about files with this tag.
    pub tag: Option<String>,
}

/// What may be kept of a webhook for an answer.
pub(super) fn without_secrets(webhook: &Webhook) -> Webhook {
    Webhook {
        sealed_secrets: Vec::new(),
        signer: webhook.signer.as_ref().map(|signer| WebhookSigner {
            sealed_seed: Vec::new(),
            public_key: signer.public_key.clone(),
        }),
        ..webhook.clone()
    }
}

/// Receivers are HTTPS. Whether the address may be connected to is judged at each connection.
pub(super) fn check_url(url: &str, plain_http: bool) -> Result<()> {
    let refuse = |detail: &str| {
        Err(Error::new(ErrorKind::AddressNotAllowed, detail).with_field(
            "#/url",
            "address_not_allowed",
            detail,
        ))
    };
    if url.len() > URL_BYTES_MAX || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refuse("The address is too long or holds spaces.");
    }
    let rest = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => rest,
        (None, Some(rest)) if plain_http && is_this_machine(rest) => rest,
        _ => return refuse("A receiver's address begins with https://."),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || authority.contains('@') {
        return refuse("The address names no host, or carries a credential.");
    }
    if literal(authority).is_some_and(is_never_a_receiver) {
        return refuse("No receiver can be at this address.");
    }
    Ok(())
}

fn is_this_machine(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host(authority) == "localhost"
        || literal(authority).is_some_and(|address| address.is_loopback())
}

fn host(authority: &str) -> &str {
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => authority.split(':').next(),
    };
    host.unwrap_or_default()
}

/// The address that stands where a host name could.
fn literal(authority: &str) -> Option<IpAddr> {
    let address = host(authority).parse::<IpAddr>().ok()?;
    Some(address.to_canonical())
}

/// Addresses that no setting opens: link-local ones, where clouds keep credentials, and those of nobody or of many.
/// Private ones may be allowed by the operator, so they are judged when a connection is made.
fn is_never_a_receiver(address: IpAddr) -> bool {
    let is_link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    is_link_local || address.is_unspecified() || address.is_multicast()
}

pub(super) fn check_types(types: &[String]) -> Result<()> {
    let is_known = |wanted: &String| match wanted.strip_suffix(".*") {
        Some(family) => EventType::ALL
            .iter()
            .any(|kind| kind.as_str().split('.').next() == Some(family)),
        None => wanted == "*" || wanted.parse::<EventType>().is_ok(),
    };
    if types.is_empty() || types.len() > EventType::ALL.len() {
        return Err(Error::field(
            "#/types",
            "invalid_types",
            "Name at least one event type.",
        ));
    }
    match types.iter().position(|wanted| !is_known(wanted)) {
        Some(at) => {
            let wanted = types.get(at).map_or("", String::as_str);
            let detail = format!("`{wanted}` is not an event type.");
            Err(Error::field(
                &format!("#/types/{at}"),
                "unknown_type",
                detail,
            ))
        }
        None => Ok(()),
    }
}

pub(super) fn check_tag(tag: Option<&str>) -> Result<()> {
    if tag.is_none_or(|tag| (1..=TAG_BYTES_MAX).contains(&tag.len())) {
        return Ok(());
    }
    let detail = format!("A tag has 1 to {TAG_BYTES_MAX} bytes.");
    Err(Error::field("#/filters/tag", "out_of_range", detail))
}

pub(super) fn check_limits(limits: WebhookLimits) -> Result<()> {
    let most = limit::DELIVERIES_PER_WEBHOOK as u32;
    let named = [
        ("per_second", limits.per_second, limit::WEBHOOK_RATE_MAX),
        ("concurrency", limits.concurrency, most),
    ];
    for (name, value, most) in named {
        if value.is_some_and(|value| !(1..=most).contains(&value)) {
            let detail = format!("`{name}` is a number from 1 to {most}.");
            let pointer = format!("#/limits/{name}");
            return Err(Error::field(&pointer, "out_of_range", detail));
        }
    }
    Ok(())
}
