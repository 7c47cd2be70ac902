//! How long meters are found, and by what name.

use tollgate_domain::{Level, ModelName};
use tollgate_policy::{Measure, Period, Window};

use super::*;

const fn tally(measure: Measure) -> Tally {
    Tally { measure, model: None, period: None }
}

#[test]
fn a_meter_is_found_until_its_limit_is_gone() {
    let (meters, ada) = (Meters::default(), Subject::new(Level::User, "ada"));
    let [money, requests] = [Measure::Money, Measure::Requests].map(tally);
    let first = meters.get_or_make(&ada, &money, Counter::new(0, 7));
    let again = meters.get_or_make(&ada, &money, Counter::default());
    assert!(Arc::ptr_eq(&first, &again), "the first gives it to both");
    meters.keep(&ada, &[Arc::clone(&first)]);
    let made_meanwhile = meters.get_or_make(&ada, &requests, Counter::default());
    meters.keep(&ada, &[]);
    assert!(meters.get(&ada, &money).is_none());
    let found = meters.get(&ada, &requests);
    assert!(found.is_some_and(|found| Arc::ptr_eq(&found, &made_meanwhile)));
    assert_eq!(meters.get_or_make(&ada, &money, Counter::default()).used(&Window::Forever), 0);
}

#[test]
fn meters_that_nobody_has_leave_nothing_behind() {
    let (meters, ada) = (Meters::default(), Subject::new(Level::User, "ada"));
    meters.keep(&ada, &[]);
    let meter = meters.get_or_make(&ada, &tally(Measure::Money), Counter::default());
    meters.keep(&ada, &[meter]);
    assert_eq!(meters.of.len(), 1);
    meters.keep(&ada, &[]);
    assert_eq!(meters.of.len(), 0);
}

#[test]
fn only_meters_of_shared_counters_have_names() {
    let ada = Subject::new(Level::User, "ada");
    let tally = Tally {
        model: ModelName::new("gpt-4o").ok(),
        period: Period::parse("30d").ok(),
        ..tally(Measure::Money)
    };
    let name =
        |meters: Meters| meters.get_or_make(&ada, &tally, Counter::default()).name().to_owned();
    assert_eq!(name(Meters::default()), "");
    assert_eq!(name(Meters::default().with_names()), "user:ada:money/30d@gpt-4o");
}
