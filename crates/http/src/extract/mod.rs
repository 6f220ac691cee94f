//! What handlers take from a request. Raw text stops here.

mod condition;
mod document;
mod fields;
mod id;
mod json;
mod paging;
mod prefer;
mod query;
mod wait;

pub(crate) use self::condition::{Guard, Tag, tags};
pub(crate) use self::document::Document;
pub(crate) use self::fields::Fields;
pub(crate) use self::id::Id;
pub(crate) use self::json::{Json, JsonOrEmpty, check_media_type, from_value};
pub(crate) use self::paging::{PageQuery, Paging};
pub(crate) use self::prefer::{PREFERENCE_APPLIED, Prefer};
pub(crate) use self::query::{
    PathQuery, Query, file_path, folder_path, folder_path_or_none, one_of, time,
};
pub(crate) use self::wait::{Wait, WaitQuery};
