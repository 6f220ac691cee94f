//! What a client wants a schedule to be.

use bailee_api::{
    CreateDayWindow, CreateMisfire, CreateSchedule, CreateScheduledFlow, CreateTransfer,
};
use bailee_core::{NewSchedule, NewTarget, NewTransfer};
use bailee_model::{Cron, DayTime, DayWindow, Error, Misfire, Timing, Zone};

use crate::transfers::create::command as transfer_command;

pub(super) fn command(wish: CreateSchedule) -> Result<NewSchedule, Error> {
    let cron = wish.cron.parse::<Cron>();
    let cron = cron.map_err(|why| Error::field("#/cron", "invalid_cron", format!("{why}.")))?;
    let timing = Timing {
        cron,
        zone: zone(wish.time_zone.as_deref())?,
        day_rule: wish.day_rule.unwrap_or_default(),
        window: wish.window.map(|wish| window(&wish)).transpose()?,
        starts_at: wish.starts_at,
        ends_at: wish.ends_at,
    };
    Ok(NewSchedule {
        name: wish.name,
        description: wish.description,
        timing,
        calendar: wish.calendar_id,
        jitter_seconds: wish.jitter_seconds.unwrap_or(0),
        misfire: misfire(&wish.misfire.unwrap_or_default()),
        target: target((wish.transfer, wish.flow), wish.deadline_seconds)?,
    })
}

fn target(
    wish: (Option<CreateTransfer>, Option<CreateScheduledFlow>),
    deadline_seconds: Option<u64>,
) -> Result<NewTarget, Error> {
    match wish {
        (Some(wish), None) => Ok(NewTarget::Transfer {
            transfer: Box::new(transfer(wish)?),
            deadline_seconds,
        }),
        (None, Some(_)) if deadline_seconds.is_some() => {
            let detail = "A flow says by itself how long its steps may take.";
            Err(Error::field("#/deadline_seconds", "not_here", detail))
        }
        (None, Some(wish)) => Ok(NewTarget::Flow {
            flow: wish.flow_id,
            params: wish.params,
        }),
        (Some(_), Some(_)) => {
            let detail = "Name `transfer` or `flow`, not both.";
            Err(Error::field("#/flow", "conflict", detail))
        }
        (None, None) => {
            let detail = "Say what runs: `transfer`, or `flow`.";
            Err(Error::field("#/transfer", "missing", detail))
        }
    }
}

/// A time zone by its name; UTC if there is none.
pub(crate) fn zone(name: Option<&str>) -> Result<Zone, Error> {
    let Some(name) = name else {
        return Ok(Zone::utc());
    };
    let read = name.parse::<Zone>();
    read.map_err(|why| {
        Error::field(
            "#/time_zone",
            "invalid_time_zone",
            format!("`{name}`: {why}."),
        )
    })
}

fn window(wish: &CreateDayWindow) -> Result<DayWindow, Error> {
    Ok(DayWindow {
        opens: day_time("#/window/opens", &wish.opens)?,
        closes: day_time("#/window/closes", &wish.closes)?,
    })
}

/// A minute of the day.
pub(crate) fn day_time(pointer: &str, text: &str) -> Result<DayTime, Error> {
    text.parse::<DayTime>()
        .map_err(|why| Error::field(pointer, "invalid_time", format!("`{text}`: {why}.")))
}

fn misfire(wish: &CreateMisfire) -> Misfire {
    let usual = Misfire::default();
    Misfire {
        rule: wish.rule.unwrap_or_default(),
        runs_max: wish.runs_max.unwrap_or(usual.runs_max),
        grace_seconds: wish.grace_seconds.unwrap_or(usual.grace_seconds),
    }
}

fn transfer(wish: CreateTransfer) -> Result<NewTransfer, Error> {
    for (name, time) in [("start_at", wish.start_at), ("deadline", wish.deadline)] {
        if time.is_some() {
            let pointer = format!("#/transfer/{name}");
            let detail = "The schedule says when; `deadline_seconds` says until when.";
            return Err(Error::field(&pointer, "not_here", detail));
        }
    }
    if wish.dry_run {
        let detail = "A schedule makes something, or is of no use.";
        return Err(Error::field("#/transfer/dry_run", "not_here", detail));
    }
    transfer_command(wish).map_err(|error| error.within("transfer"))
}
