//! How fast a remote may be used at which time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::{words, words_from};

words! {
    /// A day of the week.
    Weekday {
        /// Monday.
        Mon = "mon",
        /// Tuesday.
        Tue = "tue",
        /// Wednesday.
        Wed = "wed",
        /// Thursday.
        Thu = "thu",
        /// Friday.
        Fri = "fri",
        /// Saturday.
        Sat = "sat",
        /// Sunday.
        Sun = "sun",
    }
}
words_from!(bailee_model::Weekday => Weekday { Mon, Tue, Wed, Thu, Fri, Sat, Sun });

/// How fast a remote may be used for a part of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteWindow {
    /// The days on which it begins; every day when absent or empty.
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// When it begins, `00:00` to `24:00`.
    #[schema(example = "08:00")]
    pub from: String,
    /// When it ends; on the next day if not after its beginning.
    #[schema(example = "18:00")]
    pub to: String,
    /// Bytes per second, at least 1024; 0 is none at all, and transfers wait.
    #[schema(example = 1_048_576)]
    pub bytes_per_second: u64,
}
