//! Running windows: where each budget's present window begins and ends, and what was spent in it.

use tollgate_domain::{Money, Timestamp};
use tollgate_policy::{Anchor, Calendar, Measure, Period, Window};
use tollgate_store::{LimitFields, RunningField};

use crate::grade::Marks;
use crate::opening::Spent;

/// The calendar and the instant that everything is read at.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The calendar of the configuration.
    pub calendar: &'a Calendar,
    /// The instant.
    pub now: Timestamp,
}

/// What the source says of one window: what was spent, where that is known, and when it is reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// What was spent since the last reset.
    pub spent: Option<Money>,
    /// When the next one is due.
    pub resets_at: Option<Timestamp>,
    /// When the window began, where the source knows.
    pub began_at: Option<Timestamp>,
}

impl At<'_> {
    /// The edges of a running window, where they are not those of the calendar. What the source
    /// says was spent is taken back where it was not spent in the present window.
    #[must_use]
    pub fn running(
        &self,
        word: &str,
        said: &mut Said,
        created_at: Option<Timestamp>,
        marks: &mut Marks,
    ) -> Option<RunningField> {
        let period = Period::parse(word).ok()?;
        let anchor = Anchor::Created(created_at.unwrap_or(Timestamp::EPOCH));
        let span = period.span(self.calendar, anchor, self.now);
        let Some(until) = said.resets_at else {
            marks.approximated("LiteLLM had no date to reset the budget on; the calendar's counts");
            return None;
        };
        if until <= self.now {
            marks.approximated(
                "the budget's window had ended and LiteLLM had not reset it yet; the present \
                 window begins with what the totals by day say",
            );
            said.spent = None;
            return None;
        }
        // Whoever shares a budget counts such days from a day of its own.
        if until == span.end && (created_at.is_some() || !counts_from_creation(word)) {
            return None;
        }
        let last = Timestamp::from_micros(until.micros() - 1);
        let usual = period.span(self.calendar, anchor, last);
        let length = usual.end.micros().saturating_sub(usual.start.micros()).max(1);
        let mut since = until.micros().saturating_sub(length);
        while since > self.now.micros() {
            since = since.saturating_sub(length);
        }
        let since = said.began_at.filter(|at| *at <= self.now).map_or(since, Timestamp::micros);
        let since = Timestamp::from_micros(since).quarter_hour().micros();
        Some(RunningField { since, until: until.micros() })
    }

    /// The running windows of limits, each with what the source says was spent in it: of the main
    /// budget, and of others by their periods.
    #[must_use]
    pub fn spent(
        &self,
        limits: &LimitFields,
        created_at: Timestamp,
        main: Option<Money>,
        others: &[(String, Said)],
    ) -> Vec<Spent> {
        let Ok(limits) = limits.compile() else { return Vec::new() };
        let anchor = limits.anchor(created_at);
        let rules = limits.rules();
        let money = rules.iter().filter(|rule| rule.tally.measure == Measure::Money);
        let mut spent = Vec::new();
        for (index, rule) in money.filter(|rule| rule.tally.model.is_none()).enumerate() {
            let since = match rule.tally.window(self.calendar, rule.cadence(anchor), self.now) {
                Window::Between(since, _) => since,
                Window::Forever | Window::Opened { .. } => Timestamp::EPOCH,
            };
            let of_period = |(word, said): &(String, Said)| {
                let same =
                    Period::parse(word).ok() == rule.tally.period && rule.tally.period.is_some();
                let present = said.began_at.is_none_or(|began| began >= since);
                same.then_some(said.spent).flatten().filter(|_| present)
            };
            let other = others.iter().find_map(of_period);
            let known = if index == 0 { main.or(other) } else { other };
            spent.extend(known.map(|money| Spent { since, money }));
        }
        spent
    }
}

/// Whether a period is counted from somebody's own day and not by the calendar.
fn counts_from_creation(word: &str) -> bool {
    let days = word.strip_suffix('d').is_some_and(|count| !["1", "7", "30"].contains(&count));
    days || word.strip_suffix('w').is_some_and(|count| count != "1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::{Grade, Grades};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("an instant")
    }

    /// The edges that are kept, whether the spend still counts, and the grade.
    fn running(word: &str, resets_at: Option<&str>) -> (Option<(String, String)>, bool, Grade) {
        let calendar = Calendar::default();
        let now = At { calendar: &calendar, now: at("2026-11-17T10:00:00Z") };
        let mut marks = Marks::default();
        let resets_at = resets_at.map(at);
        let mut said = Said { spent: Some(Money::from_nanos(5)), resets_at, began_at: None };
        let created = Some(at("2026-11-09T08:00:00Z"));
        let field = now.running(word, &mut said, created, &mut marks);
        let text = |micros| Timestamp::from_micros(micros).to_string();
        let edges = field.map(|field| (text(field.since), text(field.until)));
        let mut grades = Grades::default();
        grades.enter("keys", "", marks);
        let grade = grades.remarks().first().map_or(Grade::Exact, |remark| remark.grade);
        (edges, said.spent.is_some(), grade)
    }

    #[test]
    fn a_window_that_ends_with_the_calendars_needs_no_edges_of_its_own() {
        for (word, resets_at) in [
            ("30d", "2026-12-01T00:00:00Z"),
            ("1mo", "2026-12-01T00:00:00Z"),
            ("7d", "2026-11-23T00:00:00Z"),
            ("1d", "2026-11-18T00:00:00Z"),
            ("24h", "2026-11-18T00:00:00Z"),
            ("10d", "2026-11-19T00:00:00Z"),
        ] {
            assert_eq!(running(word, Some(resets_at)), (None, true, Grade::Exact), "{word}");
        }
    }

    #[test]
    fn any_other_end_is_kept_to_the_second() {
        let edges = |since: &str, until: &str| Some((since.to_owned(), until.to_owned()));
        let ends = "2026-12-09T14:37:11Z";
        let kept = edges("2026-11-08T14:30:00Z", ends);
        assert_eq!(running("30d", Some(ends)), (kept, true, Grade::Exact));
        let kept = edges("2026-11-14T00:00:00Z", "2026-11-24T00:00:00Z");
        assert_eq!(running("10d", Some("2026-11-24T00:00:00Z")), (kept, true, Grade::Exact));
    }

    #[test]
    fn a_window_that_is_over_or_has_no_end_follows_the_calendar() {
        let over = running("30d", Some("2026-11-17T09:00:00Z"));
        assert_eq!(over, (None, false, Grade::Approximated));
        assert_eq!(running("30d", None), (None, true, Grade::Approximated));
    }
}
