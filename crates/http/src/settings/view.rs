use bailee_api::{SettingSource, Settings};
use bailee_model::{TenantSettings, limit};

/// The settings as clients see them, each with its source.
pub(super) fn view(settings: &TenantSettings) -> Settings {
    let usual = TenantSettings::default();
    let sources = [
        ("name_rule", settings.name_rule == usual.name_rule),
        (
            "refuse_type_mismatch",
            settings.refuse_type_mismatch == usual.refuse_type_mismatch,
        ),
        (
            "require_if_match",
            settings.require_if_match == usual.require_if_match,
        ),
        ("trash_seconds", settings.trash_seconds.is_none()),
    ];
    Settings {
        name_rule: settings.name_rule.into(),
        refuse_type_mismatch: settings.refuse_type_mismatch,
        require_if_match: settings.require_if_match,
        trash_seconds: settings
            .trash_seconds
            .unwrap_or(limit::TRASH_LIFE.as_secs()),
        sources: sources
            .into_iter()
            .map(|(name, is_usual)| {
                let source = if is_usual {
                    SettingSource::Default
                } else {
                    SettingSource::Api
                };
                (name.to_owned(), source)
            })
            .collect(),
    }
}
