//! What a client wants an alert rule to be.

use bailee_api::{
    CreateAbsence, CreateAlertRule, CreateEntryFilter, CreateExpectedFile, CreateExpiry,
    CreateFirstSeen, CreateHealthWatch, CreateRate, CreateThreshold,
};
use bailee_core::NewAlertRule;
use bailee_model::{
    Absence, AlertRuleKind, EntryFilter, Error, Escalation, ExpectedFile, Expiry, FirstSeen,
    Health, Measure, Rate, RemoteName, Threshold, Watch,
};
use serde::de::DeserializeOwned;

use crate::schedules::form::{day_time, zone};

/// Minutes when the client names none.
const MINUTES_DEFAULT: u32 = 15;
/// Entries below which a rate or share says nothing.
const ENTRIES_DEFAULT: u64 = 10;
/// Days before which something is said to run out.
const EXPIRY_DAYS_DEFAULT: u32 = 14;
/// Days for which nothing is said about a principal.
const LEARNING_DAYS_DEFAULT: u32 = 7;
/// Times the usual volume.
const VOLUME_FACTOR_DEFAULT: u32 = 5;
/// Bytes of a day below which a volume is never unusual.
const VOLUME_BYTES_DEFAULT: u64 = 1024 * 1024 * 1024;

pub(super) fn command(mut wish: CreateAlertRule) -> Result<NewAlertRule, Error> {
    let watch = watch(&mut wish)?;
    for (kind, is_there) in members(&wish) {
        if is_there {
            let detail = format!(
                "A rule of kind `{}` has no such member.",
                watch.kind().as_str()
            );
            return Err(Error::field(&format!("#/{kind}"), "not_here", detail));
        }
    }
    Ok(NewAlertRule {
        name: wish.name,
        description: wish.description,
        severity: wish.severity.unwrap_or_default(),
        is_enabled: wish.enabled.unwrap_or(true),
        watch,
        recipients: wish.recipients,
        escalation: wish.escalation.map(|wish| Escalation {
            after_minutes: wish.after_minutes,
            recipients: wish.recipients,
        }),
    })
}

/// What the member that the kind names says; it is taken away.
fn watch(wish: &mut CreateAlertRule) -> Result<Watch, Error> {
    let kind = wish.kind;
    let read = match kind {
        AlertRuleKind::ExpectedFile => {
            let read = wish.expected_file.take().map(expected_file);
            read.map(|read| read.map(|expected| Watch::ExpectedFile(Box::new(expected))))
        }
        AlertRuleKind::Threshold => {
            let read = wish.threshold.take().map(threshold);
            read.map(|read| read.map(Watch::Threshold))
        }
        AlertRuleKind::Absence => {
            let read = wish.absence.take().map(absence);
            read.map(|read| read.map(Watch::Absence))
        }
        AlertRuleKind::Rate => {
            let read = wish.rate.take().map(rate);
            read.map(|read| read.map(Watch::Rate))
        }
        AlertRuleKind::FirstSeen => {
            let read = wish.first_seen.take().map(first_seen);
            read.map(|read| read.map(Watch::FirstSeen))
        }
        AlertRuleKind::Expiry => {
            let read = wish.expiry.take().map(expiry);
            read.map(|read| read.map(Watch::Expiry))
        }
        AlertRuleKind::Health => {
            let read = wish.health.take().map(health);
            read.map(|read| read.map(Watch::Health))
        }
    };
    let name = kind.as_str();
    let missing = || {
        let detail = format!("A rule of kind `{name}` says here what it watches.");
        Error::field(&format!("#/{name}"), "missing", detail)
    };
    let read = read.ok_or_else(missing)?;
    read.map_err(|error| error.within(name))
}

/// The members that name a kind, and whether they are there.
fn members(wish: &CreateAlertRule) -> [(&'static str, bool); 7] {
    [
        ("expected_file", wish.expected_file.is_some()),
        ("threshold", wish.threshold.is_some()),
        ("absence", wish.absence.is_some()),
        ("rate", wish.rate.is_some()),
        ("first_seen", wish.first_seen.is_some()),
        ("expiry", wish.expiry.is_some()),
        ("health", wish.health.is_some()),
    ]
}

fn expected_file(wish: CreateExpectedFile) -> Result<ExpectedFile, Error> {
    let pattern = wish.pattern.map(|text| {
        text.parse().map_err(|why| {
            Error::field("#/pattern", "invalid_pattern", format!("`{text}`: {why}."))
        })
    });
    let folder = wish.folder.parse();
    let folder =
        folder.map_err(|why| Error::field("#/folder", "invalid_path", format!("{why}.")))?;
    Ok(ExpectedFile {
        folder,
        pattern: pattern.transpose()?,
        remote: remote(wish.remote, "#/remote")?,
        opens: day_time("#/opens", &wish.opens)?,
        closes: day_time("#/closes", &wish.closes)?,
        zone: zone(wish.time_zone.as_deref())?,
        calendar: wish.calendar_id,
        day_rule: wish.day_rule.unwrap_or_default(),
        files_min: wish.files_min.unwrap_or(1),
        bytes_min: wish.bytes_min.unwrap_or(0),
        late_minutes: wish.late_minutes.unwrap_or(0),
    })
}

fn threshold(wish: CreateThreshold) -> Result<Threshold, Error> {
    let has_filter = wish.filter.is_some();
    let filter = filter(wish.filter)?;
    let measure = match wish.measure.as_str() {
        "entries" => Measure::Entries { filter },
        "queue_age" => Measure::QueueAge,
        "failed_share" => Measure::FailedShare {
            ended_min: wish.ended_min.unwrap_or(ENTRIES_DEFAULT),
        },
        _ => {
            let detail = "One of `entries`, `queue_age` and `failed_share`.";
            return Err(Error::field("#/measure", "unknown", detail));
        }
    };
    if has_filter && !matches!(measure, Measure::Entries { .. }) {
        let detail = "Only `entries` are chosen by a filter.";
        return Err(Error::field("#/filter", "not_here", detail));
    }
    Ok(Threshold {
        measure,
        above: wish.above,
        minutes: wish.minutes.unwrap_or(MINUTES_DEFAULT),
    })
}

fn absence(wish: CreateAbsence) -> Result<Absence, Error> {
    Ok(Absence {
        filter: filter(wish.filter)?,
        minutes: wish.minutes,
    })
}

fn rate(wish: CreateRate) -> Result<Rate, Error> {
    Ok(Rate {
        filter: filter(wish.filter)?,
        minutes: wish.minutes,
        rises_percent: wish.rises_percent,
        falls_percent: wish.falls_percent,
        entries_min: wish.entries_min.unwrap_or(ENTRIES_DEFAULT),
    })
}

fn first_seen(wish: CreateFirstSeen) -> Result<FirstSeen, Error> {
    Ok(FirstSeen {
        what: named(&wish.what)?,
        learning_days: wish.learning_days.unwrap_or(LEARNING_DAYS_DEFAULT),
        zone: zone(wish.time_zone.as_deref())?,
        volume_factor: wish.volume_factor.unwrap_or(VOLUME_FACTOR_DEFAULT),
        volume_bytes_min: wish.volume_bytes_min.unwrap_or(VOLUME_BYTES_DEFAULT),
    })
}

fn expiry(wish: CreateExpiry) -> Result<Expiry, Error> {
    Ok(Expiry {
        what: named(&wish.what)?,
        days: wish.days.unwrap_or(EXPIRY_DAYS_DEFAULT),
    })
}

fn health(wish: CreateHealthWatch) -> Result<Health, Error> {
    Ok(Health {
        what: named(&wish.what)?,
        minutes: wish.minutes.unwrap_or(MINUTES_DEFAULT),
    })
}

fn filter(wish: Option<CreateEntryFilter>) -> Result<EntryFilter, Error> {
    let wish = wish.unwrap_or_default();
    let path_prefix = wish.path_prefix.map(|path| {
        path.parse()
            .map_err(|why| Error::field("#/filter/path_prefix", "invalid_path", format!("{why}.")))
    });
    Ok(EntryFilter {
        types: wish.types,
        operations: wish.operations,
        user: wish.user,
        status: wish.status,
        path_prefix: path_prefix.transpose()?,
        remote: remote(wish.remote, "#/filter/remote")?,
    })
}

fn remote(name: Option<String>, pointer: &str) -> Result<Option<RemoteName>, Error> {
    let read = name.map(|name| {
        name.parse()
            .map_err(|why: &str| Error::field(pointer, "invalid", format!("{why}.")))
    });
    read.transpose()
}

/// Words of a closed set.
fn named<T: DeserializeOwned>(words: &[String]) -> Result<Vec<T>, Error> {
    let read = |(at, word): (usize, &String)| {
        serde_json::from_value(word.as_str().into()).map_err(|_| {
            let detail = format!("`{word}` is nothing that can be watched here.");
            Error::field(&format!("#/what/{at}"), "unknown", detail)
        })
    };
    words.iter().enumerate().map(read).collect()
}
