//! Usage by day and by model.

use std::time::Duration;

use tollgate_domain::{Entry, Level, ModelName, Outcome, Subject, UsageKind};
use tollgate_policy::{Span, Zone};
use tollgate_store::{DailyUsage, DayOfUsage, SPENDERS_LOOKED_AT_MAX, Spend, USAGE_MODELS_MAX};

use crate::world::{NOW, World, attribution, entry, nanos, on_both, quick, record};

/// The days of a zone around [`NOW`], which is 2026-05-02 10:00 in UTC.
fn days(zone: &str) -> Vec<Span> {
    let days = Zone::parse(zone).expect("a zone").days("2026-05-01", "2026-05-03").expect("days");
    days.into_iter().map(|day| day.span).collect()
}

async fn usage(world: &World, subject: &Subject, model: Option<&str>, days: &[Span]) -> DailyUsage {
    world.db.usage(subject, model, days).await.expect("usage")
}

fn model(name: &str) -> ModelName {
    ModelName::new(name).expect("a name")
}

fn entries(day: &DayOfUsage) -> i64 {
    day.total.entries
}

#[test]
fn a_call_belongs_to_the_day_of_the_zone_that_is_asked_about() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let hour = Duration::from_secs(3_600);
        // 10:00, 14:45, 15:00 and 23:45 of the second of May, in UTC.
        let after = [Duration::ZERO, hour * 19 / 4, hour * 5, hour * 55 / 4];
        let at = |(number, after)| Entry { admitted_at: NOW.plus(after), ..entry(number) };
        record(&ledger, (1..).zip(after).map(at));
        ledger.flush().await;
        let ada = Subject::new(Level::User, "ada");
        for (zone, counts) in [
            ("UTC", [0, 4, 0]),
            ("Asia/Tokyo", [0, 2, 2]),
            ("Asia/Kathmandu", [0, 3, 1]),
            ("Pacific/Kiritimati", [0, 0, 4]),
            ("Pacific/Honolulu", [0, 4, 0]),
        ] {
            let found = usage(&world, &ada, None, &days(zone)).await;
            assert_eq!(found.days.iter().map(entries).collect::<Vec<_>>(), counts, "{zone}");
        }
    });
}

#[test]
fn a_day_is_the_sum_of_its_models_at_every_level() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let dear = Entry { model_group: model("o1"), cost: Some(nanos(900)), ..entry(2) };
        let failed = Entry { outcome: Outcome::Failed, cost: None, ..entry(3) };
        let other = Entry { attribution: attribution("key-2"), ..entry(4) };
        record(&ledger, [entry(1), dear, failed, other]);
        ledger.flush().await;
        let days = days("UTC");
        for (level, id, calls) in [
            (Level::All, "", 4),
            (Level::Key, "key-1", 3),
            (Level::User, "ada", 4),
            (Level::Team, "engine", 4),
            (Level::Organization, "works", 4),
            (Level::Customer, "byron", 4),
            (Level::Tag, "blue", 4),
        ] {
            let found = usage(&world, &Subject::new(level, id), None, &days).await;
            let day = &found.days[1];
            assert_eq!((day.total.entries, day.total.failed, day.total.unpriced), (calls, 1, 1));
            let names: Vec<&str> = day.models.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["o1", "gpt-4o"], "the dearest first, {id}");
            let parts: i64 = day.models.iter().map(|(_, part)| part.cost.nanos()).sum();
            assert_eq!((parts, &day.others), (day.total.cost.nanos(), &None), "{id}");
            assert_eq!(found.days[0], DayOfUsage::default());
        }
        let part = usage(&world, &Subject::new(Level::Key, "key-1"), Some("o1"), &days).await;
        let day = &part.days[1].total;
        assert_eq!((day.cost, day.usage_milli[UsageKind::Input as usize]), (nanos(900), 12_000));
        let nobody = usage(&world, &Subject::new(Level::Key, "key-"), None, &days).await;
        assert_eq!(nobody.days, vec![DayOfUsage::default(); 3]);
    });
}

#[test]
fn the_cheapest_of_many_models_are_summed_as_one() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let many = u128::try_from(USAGE_MODELS_MAX).expect("few") + 3;
        let of = |number: u128| Entry {
            model_group: model(&format!("model-{number}")),
            cost: Some(nanos(i64::try_from(number).expect("few"))),
            ..entry(number)
        };
        record(&ledger, (1..=many).map(of));
        ledger.flush().await;
        let found = usage(&world, &Subject::new(Level::Team, "engine"), None, &days("UTC")).await;
        let day = &found.days[1];
        assert_eq!((day.models.len(), day.models[0].0.as_str()), (USAGE_MODELS_MAX, "model-23"));
        let others = day.others.as_ref().expect("more models");
        assert_eq!((others.entries, others.cost), (3, nanos(1 + 2 + 3)));
    });
}

/// From the first day to the last of [`days`] in UTC.
fn whole() -> Span {
    let days = days("UTC");
    Span { start: days[0].start, end: days[2].end }
}

#[test]
fn everybody_at_a_level_is_listed_who_called_in_the_span_the_dearest_first() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let dear = Entry { attribution: attribution("key-2"), cost: Some(nanos(900)), ..entry(2) };
        let next_month = NOW.plus(Duration::from_secs(31 * 24 * 3_600));
        let later =
            Entry { admitted_at: next_month, attribution: attribution("key-3"), ..entry(3) };
        record(&ledger, [entry(1), dear, later, entry(4)]);
        ledger.flush().await;
        let found = world.db.spenders(Level::Key, whole()).await.expect("spenders");
        let costs = found.all.iter().map(|(id, spend)| (id.as_str(), spend.cost.nanos()));
        assert_eq!(costs.collect::<Vec<_>>(), [("key-2", 900), ("key-1", 500)]);
        assert!(!found.incomplete);
        let tags = world.db.spenders(Level::Tag, whole()).await.expect("spenders");
        assert_eq!(tags.all.len(), 2, "each tag of a call");
        let sums = |found: &[(String, Spend)]| {
            found.iter().map(|(_, spend)| spend.cost.nanos()).sum::<i64>()
        };
        let all = world.db.spenders(Level::All, whole()).await.expect("spenders");
        assert_eq!(sums(&found.all), sums(&all.all), "the keys make up everything");
    });
}

#[test]
fn many_are_summed_at_once_each_in_its_place() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        let dear = Entry { attribution: attribution("key-2"), cost: Some(nanos(900)), ..entry(2) };
        record(&ledger, [entry(1), dear]);
        ledger.flush().await;
        let subjects = ["key-2", "none", "key-1"].map(|key| Subject::new(Level::Key, key));
        let found = world.db.spends(&subjects, &days("UTC")).await.expect("sums");
        let costs: Vec<Vec<i64>> =
            found.iter().map(|days| days.iter().map(|day| day.cost.nanos()).collect()).collect();
        assert_eq!(costs, [[0, 900, 0], [0, 0, 0], [0, 250, 0]]);
        let none = world.db.spends(&subjects, &[]).await.expect("sums");
        assert_eq!(none, vec![Vec::<Spend>::new(); 3]);
    });
}

#[test]
fn only_so_many_names_are_looked_at_and_the_answer_says_so() {
    on_both(async |world| {
        let (ledger, _task) = world.ledger(quick());
        record(&ledger, [entry(1)]);
        ledger.flush().await;
        // Ten thousand more customers, one more than are looked at, with the sums of the first.
        world
            .execute(
                "INSERT INTO spend_quarter_hours \
                 WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL \
                 SELECT number + 1 FROM numbers WHERE number < 10000) \
                 SELECT kind, subject || number, bucket_at, entries, failed, unpriced, cost_nanos, \
                 input_milli, cached_read_milli, cache_write_milli, cache_write_long_milli, \
                 input_audio_milli, input_image_milli, output_milli, reasoning_milli, \
                 output_audio_milli, output_image_milli, images_milli, characters_milli, \
                 seconds_milli, searches_milli FROM numbers, spend_quarter_hours \
                 WHERE kind = 'customer'",
            )
            .await;
        let found = world.db.spenders(Level::Customer, whole()).await.expect("spenders");
        assert_eq!((found.all.len(), found.incomplete), (SPENDERS_LOOKED_AT_MAX, true));
    });
}
