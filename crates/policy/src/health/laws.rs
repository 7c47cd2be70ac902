//! What holds of health, whatever happens.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Event {
    Take,
    /// The oldest call under way ends so.
    End(Ending),
}

fn any_event() -> impl Strategy<Value = (u64, Event)> {
    let class = proptest::sample::select(FailureClass::ALL.to_vec());
    let wait = proptest::option::weighted(0.3, (0u64..100_000).prop_map(Duration::from_millis));
    let ending = prop_oneof![
        2 => Just(Ending::Answered),
        3 => (class, wait).prop_map(|(class, wait)| Ending::Failed { class, wait }),
        1 => Just(Ending::Unknown),
    ];
    let event = prop_oneof![Just(Event::Take), ending.prop_map(Event::End)];
    (0u64..4000, event)
}

prop_compose! {
    fn any_rules()(
        allowed_fails in proptest::option::of(0u32..4), cooldown in 0u64..10, cools in 0u8..8,
    ) -> HealthRules {
        let cooldown = Duration::from_secs(cooldown);
        HealthRules { allowed_fails, cooldown, cools: cools > 0, ..HealthRules::default() }
    }
}

proptest! {
    #[test]
    fn probes_go_one_at_a_time_and_nobody_else_goes_while_it_rests(
        events in proptest::collection::vec(any_event(), 1..120),
        rules in any_rules(), alone: bool,
    ) {
        let (mut health, mut now) = (Health::new(HealthOf::Deployment), Ticks::from_nanos(0));
        let mut under_way: Vec<Pass> = Vec::new();
        // When each probe of the present rest went ahead.
        let mut probes: Vec<Ticks> = Vec::new();
        for (millis, event) in events {
            now = now.plus(Duration::from_millis(millis));
            let before = health.readiness(alone, now);
            match event {
                Event::Take => match health.take(alone, now) {
                    Ok(pass) => {
                        prop_assert_eq!(pass.is_probe(), before == Readiness::Probe);
                        let patience = if alone { PROBE_INTERVAL } else { PROBE_PATIENCE };
                        if pass.is_probe() {
                            prop_assert!(probes.iter().all(|at| now.since(*at) >= patience));
                            probes.push(now);
                        }
                        under_way.push(pass);
                    }
                    Err(why) => prop_assert!(why == before && !before.may_take()),
                },
                Event::End(_) if under_way.is_empty() => {}
                Event::End(ending) => {
                    let pass = under_way.remove(0);
                    let change = health.observe(pass, ending, (&rules, alone), now);
                    if change.is_some() {
                        probes.clear();
                    }
                    probes.retain(|at| !(pass.is_probe() && *at == pass.at));
                    let Some(Change::Cooled { until, class }) = change else { continue };
                    prop_assert!(rules.cools && until > now && now.plus(COOLDOWN_MAX) >= until);
                    prop_assert!(Treatment::of(class).cooling != Cooling::Nothing);
                }
            }
        }
        // Nothing lasts for ever.
        let later = now.plus(COOLDOWN_MAX).plus(PROBE_PATIENCE);
        prop_assert!(health.readiness(alone, later).may_take());
    }
}
