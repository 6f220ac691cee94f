use bailee_model::limit;

const HOUR_SECONDS: i64 = 3600;

/// Least and most of each number. A setting moves a limit within bounds; it does not abolish it.
const BOUNDS: [(&str, i64, i64); 23] = [
    ("server.drain_seconds", 0, HOUR_SECONDS),
    ("database.pool", 1, 1_000),
    ("limits.connections", 1, 1_000_000),
    ("limits.connections_per_address", 1, 1_000_000),
    ("limits.header_bytes", 8 * 1024, 256 * 1024),
    ("limits.handshake_seconds", 1, 120),
    ("limits.header_seconds", 1, 120),
    ("limits.idle_seconds", 1, HOUR_SECONDS),
    ("limits.body_window_seconds", 1, HOUR_SECONDS),
    ("limits.body_window_bytes", 1, 1024 * 1024 * 1024),
    ("limits.answer_window_seconds", 1, HOUR_SECONDS),
    ("limits.stream_stall_seconds", 1, HOUR_SECONDS),
    ("limits.streams", 1, 10_000),
    ("rate_limits.window_seconds", 1, HOUR_SECONDS),
    ("rate_limits.read", 1, 100_000_000),
    ("rate_limits.write", 1, 100_000_000),
    ("rate_limits.auth", 1, 100_000_000),
    ("rate_limits.status", 1, 100_000_000),
    ("uploads.max_file_bytes", 1, limit::FILE_BYTES_MAX as i64),
    ("transfers.running", 1, 10_000),
    ("transfers.running_per_tenant", 1, 10_000),
    ("transfers.open_per_tenant", 1, 10_000_000),
    ("events.kept_seconds", 1, 3650 * 24 * HOUR_SECONDS),
];

/// What is wrong with a number, if anything is.
pub(crate) fn problem(key: &str, value: i64) -> Option<String> {
    let (_, least, most) = BOUNDS.iter().find(|(bounded, _, _)| *bounded == key)?;
    (value < *least || value > *most).then(|| format!("{value} is outside {least} to {most}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_bounds_and_its_default_is_within() {
        let defaults: toml::Table = super::super::DEFAULTS.parse().unwrap();
        for (section, keys) in &defaults {
            for (key, value) in keys.as_table().unwrap() {
                let key = format!("{section}.{key}");
                let Some(number) = value.as_integer() else {
                    continue;
                };
                assert!(
                    BOUNDS.iter().any(|(bounded, _, _)| *bounded == key),
                    "{key} has no bounds"
                );
                assert_eq!(problem(&key, number), None, "{key}");
            }
        }
    }
}
