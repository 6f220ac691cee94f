use bailee_api::Calendar;
use bailee_model::{self as model, Error};

use crate::answer::{Answer, Body, tagged};

/// A calendar as clients see it.
#[expect(clippy::unnecessary_wraps, reason = "as the views of other nouns")]
pub(super) fn view(calendar: &model::Calendar) -> Result<Calendar, Error> {
    Ok(Calendar::from(calendar))
}

/// 200 with a calendar and its ETag.
pub(super) fn found(calendar: &model::Calendar) -> Answer {
    Ok(tagged(
        &calendar.revision.to_string(),
        Body(view(calendar)?),
    ))
}
