//! What an administrator of a tenant may set.

use std::collections::BTreeMap;

use bailee_model as model;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Patch;
use crate::word::{words, words_from};

words! {
    /// Which names new files and folders may have.
    NameRule {
        /// Any Unicode, compared in NFC.
        Unicode = "unicode",
        /// ASCII letters, digits, `_`, `-` and `.` only.
        Portable = "portable",
    }
}
words_from!(bailee_model::NameRule => NameRule { Unicode, Portable });

words! {
    /// Where a setting's value comes from.
    SettingSource {
        /// Nobody set it.
        Default = "default",
        /// Set through this API.
        Api = "api",
    }
}

/// The settings of the tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// Which names new files and folders may have.
    pub name_rule: NameRule,
    /// Whether content whose sniffed type contradicts the declared one is refused (422) instead of recorded.
    pub refuse_type_mismatch: bool,
    /// Whether changes without `If-Match` are refused (428).
    pub require_if_match: bool,
    /// How long deleted files can be restored, in seconds.
    pub trash_seconds: u64,
    /// Where each value comes from, by name of the setting.
    pub sources: BTreeMap<String, SettingSource>,
}

/// Body of `PATCH /settings`: a JSON Merge Patch (RFC 7396). Null puts a setting back to its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSettings {
    /// Which names new files and folders may have.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<NameRule>)]
    pub name_rule: Patch<model::NameRule>,
    /// Whether content whose sniffed type contradicts the declared one is refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<bool>)]
    pub refuse_type_mismatch: Patch<bool>,
    /// Whether changes without `If-Match` are refused.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<bool>)]
    pub require_if_match: Patch<bool>,
    /// How long deleted files can be restored, in seconds.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<u64>)]
    pub trash_seconds: Patch<u64>,
}
