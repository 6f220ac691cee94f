//! The API's view of objects, given to the core for webhooks that want all of them.

use std::sync::Arc;

use bailee_core::ObjectView;
use bailee_model as model;
use serde_json::Value;

struct Shown;

impl ObjectView for Shown {
    fn transfer(&self, transfer: &model::Transfer) -> Value {
        serde_json::to_value(bailee_api::Transfer::from(transfer)).unwrap_or_default()
    }

    fn file(&self, file: &model::File) -> Value {
        serde_json::to_value(bailee_api::File::from(file)).unwrap_or_default()
    }
}

/// The same bodies that reading a transfer or a file answers.
pub(crate) fn object_view() -> Arc<dyn ObjectView> {
    Arc::new(Shown)
}
