use serde::{Deserialize, Serialize};

use crate::{Timestamp, TransferFault, limit};

/// How a remote fares, as far as its transfers and its watch can tell. What nobody has tried yet is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Nobody has tried it.
    #[default]
    Unknown,
    /// The last try reached it.
    Healthy,
    /// It cannot be reached, or lets nobody in.
    Unhealthy,
}

/// Whether transfers may go to a remote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// They may.
    #[default]
    Closed,
    /// They wait.
    Open,
    /// One of them tries, the others wait.
    HalfOpen,
}

/// What becomes of a transfer that wants to a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It goes on.
    Go,
    /// It tries whether the remote is back, for all others.
    Try,
    /// It waits until then.
    Wait(Timestamp),
}

/// What a change of a remote's health is told as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthTurn {
    /// It was well, or nobody knew, and is not any more.
    Fell,
    /// It was not well, and is again.
    Recovered,
}

/// A certificate that is needed to reach a remote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteCertificate {
    /// Whose: `server` or `client`.
    pub owner: String,
    /// Whom it names.
    pub subject: String,
    /// When it is no longer good.
    pub expires_at: Timestamp,
}

/// One step of the last look at a remote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthStep {
    /// What was tried.
    pub name: String,
    /// Whether it went through.
    pub is_ok: bool,
    /// How long it took.
    pub duration_ms: u64,
    /// What happened.
    pub detail: String,
    /// Why it failed, in the words of a transfer.
    pub error_code: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What is known of a remote beside its configuration. All nodes share it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoteHealth {
    /// How it fares.
    pub state: HealthState,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Why it is not well.
    pub cause: Option<TransferFault>,
    /// Whether transfers may go there.
    pub circuit: Circuit,
    /// Transient failures in a row.
    pub failures: u32,
    /// Until when transfers wait, where they do.
    pub waits_until: Option<Timestamp>,
    /// When it was last looked at.
    pub checked_at: Option<Timestamp>,
    /// What was seen then.
    pub steps: Vec<HealthStep>,
    /// The certificates that were seen.
    pub certificates: Vec<RemoteCertificate>,
    /// Of which certificate it was told how many days before its end: owner, end, days.
    pub told: Vec<(String, Timestamp, u32)>,
    /// Rises with every write.
    pub revision: u64,
}

impl Default for RemoteHealth {
    fn default() -> Self {
        Self {
            state: HealthState::Unknown,
            since: None,
            cause: None,
            circuit: Circuit::Closed,
            failures: 0,
            waits_until: None,
            checked_at: None,
            steps: Vec::new(),
            certificates: Vec::new(),
            told: Vec::new(),
            revision: 0,
        }
    }
}

impl RemoteHealth {
    /// Whether a transfer may go there now. Who is told to try must write that it does ([`Self::try_now`]), so that
    /// nobody else does.
    pub fn admission(&self, now: Timestamp) -> Admission {
        match (self.circuit, self.waits_until) {
            (Circuit::Open | Circuit::HalfOpen, Some(until)) if now < until => {
                Admission::Wait(until)
            }
            (Circuit::Open | Circuit::HalfOpen, _) => Admission::Try,
            (Circuit::Closed, _) => Admission::Go,
        }
    }

    /// One transfer tries; the others wait for what it finds, but not for ever.
    pub fn try_now(&mut self, now: Timestamp) {
        self.circuit = Circuit::HalfOpen;
        self.waits_until = Some(now.plus(limit::CIRCUIT_WAIT));
    }

    /// The remote was reached and let us in.
    pub fn succeeded(&mut self, now: Timestamp) -> Option<HealthTurn> {
        let was_unwell = self.state == HealthState::Unhealthy;
        if self.state != HealthState::Healthy {
            self.state = HealthState::Healthy;
            self.since = Some(now);
        }
        self.cause = None;
        self.close();
        was_unwell.then_some(HealthTurn::Recovered)
    }

    /// The remote could not be reached, or not be used for long: one more failure that may pass by itself. So many in a
    /// row open the circuit, and so does a single one of the transfer that tries for all.
    pub fn failed(&mut self, now: Timestamp, cause: TransferFault) -> Option<HealthTurn> {
        self.failures = self.failures.saturating_add(1);
        let is_closed = self.circuit == Circuit::Closed;
        if is_closed && self.failures < limit::CIRCUIT_FAILURES {
            return None;
        }
        // Whoever was under way when it opened does not keep it open for longer.
        let is_late = self.circuit == Circuit::Open && self.waits_until.is_some_and(|at| now < at);
        if !is_late {
            self.circuit = Circuit::Open;
            self.waits_until = Some(now.plus(limit::CIRCUIT_WAIT));
        }
        self.fell(now, cause)
    }

    /// The remote refuses us for good: a wrong credential, another host key. Transfers find out by themselves.
    pub fn refused(&mut self, now: Timestamp, cause: TransferFault) -> Option<HealthTurn> {
        self.close();
        self.fell(now, cause)
    }

    /// Somebody looked at it: it was reached, or why not. Transfers are kept away only by what they met themselves.
    pub fn looked_at(
        &mut self,
        now: Timestamp,
        fault: Option<TransferFault>,
    ) -> Option<HealthTurn> {
        self.checked_at = Some(now);
        match fault {
            None => self.succeeded(now),
            Some(cause) => self.fell(now, cause),
        }
    }

    /// Forgets what is known against it: the next transfer tries. Whether there was anything.
    pub fn reset(&mut self) -> bool {
        let was_open = self.circuit != Circuit::Closed || self.failures > 0;
        self.close();
        was_open
    }

    /// Whether anything speaks against it.
    pub fn is_spotless(&self) -> bool {
        self.state == HealthState::Healthy && self.circuit == Circuit::Closed && self.failures == 0
    }

    /// Certificates whose end is to be told of now, with the days that are left: once at each of
    /// [`limit::EXPIRY_DAYS`].
    pub fn expiring(&mut self, now: Timestamp) -> Vec<(RemoteCertificate, u32)> {
        let mut found = Vec::new();
        let told = std::mem::take(&mut self.told);
        for certificate in &self.certificates {
            let left_ms = certificate.expires_at.ms().saturating_sub(now.ms());
            let days = u32::try_from(left_ms.max(0) / DAY_MS).unwrap_or(u32::MAX);
            let Some(step) = limit::EXPIRY_DAYS.into_iter().rfind(|step| days < *step) else {
                continue;
            };
            let mark = (certificate.owner.clone(), certificate.expires_at, step);
            let is_told = told
                .iter()
                .any(|(owner, at, days)| (owner, at) == (&mark.0, &mark.1) && *days <= step);
            if !is_told {
                found.push((certificate.clone(), days));
            }
            self.told.push(mark);
        }
        found
    }

    fn close(&mut self) {
        self.circuit = Circuit::Closed;
        self.failures = 0;
        self.waits_until = None;
    }

    fn fell(&mut self, now: Timestamp, cause: TransferFault) -> Option<HealthTurn> {
        self.cause = Some(cause);
        if self.state == HealthState::Unhealthy {
            return None;
        }
        self.state = HealthState::Unhealthy;
        self.since = Some(now);
        Some(HealthTurn::Fell)
    }
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    fn cause() -> TransferFault {
        TransferFault {
            code: "remote_unreachable".to_owned(),
            message: "It did not answer.".to_owned(),
            hint: None,
        }
    }

    fn opened() -> RemoteHealth {
        let mut health = RemoteHealth::default();
        for _ in 1..limit::CIRCUIT_FAILURES {
            assert_eq!(health.failed(at(0), cause()), None);
            assert_eq!(health.admission(at(0)), Admission::Go);
        }
        assert_eq!(health.failed(at(0), cause()), Some(HealthTurn::Fell));
        health
    }

    #[test]
    fn failures_in_a_row_open_the_circuit_and_one_success_closes_it() {
        let mut health = opened();
        assert_eq!(health.admission(at(59)), Admission::Wait(at(60)));
        assert_eq!(health.admission(at(60)), Admission::Try);
        health.try_now(at(60));
        assert_eq!(health.admission(at(61)), Admission::Wait(at(120)));
        assert_eq!(health.succeeded(at(62)), Some(HealthTurn::Recovered));
        assert_eq!(health.admission(at(62)), Admission::Go);
        assert!(health.is_spotless());
    }

    #[test]
    fn a_success_between_failures_begins_the_count_anew() {
        let mut health = RemoteHealth::default();
        for _ in 0..10 {
            for _ in 1..limit::CIRCUIT_FAILURES {
                health.failed(at(0), cause());
            }
            assert_eq!(health.succeeded(at(0)), None);
        }
        assert_eq!(health.circuit, Circuit::Closed);
    }

    #[test]
    fn a_failed_try_opens_it_again_and_is_not_told_twice() {
        let mut health = opened();
        health.try_now(at(60));
        assert_eq!(health.failed(at(70), cause()), None);
        assert_eq!(health.admission(at(71)), Admission::Wait(at(130)));
        // A straggler that began before does not make the wait longer.
        assert_eq!(health.failed(at(90), cause()), None);
        assert_eq!(health.admission(at(91)), Admission::Wait(at(130)));
    }

    #[test]
    fn a_try_that_never_ends_holds_the_others_only_for_a_while() {
        let mut health = opened();
        health.try_now(at(60));
        assert_eq!(health.admission(at(120)), Admission::Try);
    }

    #[test]
    fn a_refusal_makes_it_unwell_and_keeps_nobody_away() {
        let mut health = RemoteHealth::default();
        assert_eq!(health.refused(at(0), cause()), Some(HealthTurn::Fell));
        assert_eq!(health.admission(at(0)), Admission::Go);
        assert!(opened().reset());
        assert!(!RemoteHealth::default().reset());
    }

    #[test]
    fn the_end_of_a_certificate_is_told_once_at_each_step() {
        let mut health = RemoteHealth::default();
        let days = |days: i64| at(days * 24 * 3600);
        health.certificates = vec![RemoteCertificate {
            owner: "server".to_owned(),
            subject: "CN=far".to_owned(),
            expires_at: days(40),
        }];
        let mut told = Vec::new();
        for day in 0..42 {
            for _ in 0..2 {
                let found = health.expiring(at(day * 24 * 3600 + 60));
                told.extend(found.into_iter().map(|(_, left)| left));
            }
        }
        assert_eq!(told, [29, 13, 6, 0]);
        for certificate in &mut health.certificates {
            certificate.expires_at = days(80);
        }
        assert!(health.expiring(days(41)).is_empty());
    }
}
