//! Medians and percentiles.

use std::time::Duration;

/// The middle of some measurements; `None` when there are none.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(middle.checked_sub(1)?)?;
    Some(f64::midpoint(lower, upper))
}

/// The value that `percent` of the durations do not exceed, in milliseconds; zero when there are none.
pub fn percentile_ms(durations: &mut [Duration], percent: usize) -> f64 {
    durations.sort_unstable();
    let rank = (durations.len() * percent).div_ceil(100).saturating_sub(1);
    durations
        .get(rank)
        .map_or(0.0, |duration| duration.as_secs_f64() * 1000.0)
}

/// Three significant digits, and none after the point from 100 on.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_or_between_two() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let mut all: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(short(percentile_ms(&mut all, 50)), "50.0");
        assert_eq!(short(percentile_ms(&mut all, 99)), "99.0");
        assert_eq!(short(percentile_ms(&mut [], 99)), "0.00");
    }
}
