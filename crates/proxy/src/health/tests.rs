//! Records of deployments, by what calls find out.

use std::sync::Arc;
use std::time::Duration;

use tollgate_config::{PriceList, Source, compile};
use tollgate_domain::{Clock, FailureClass, Ticks, Timestamp};
use tollgate_faults::Reason;
use tollgate_wire::Catalog;

use super::*;

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }

    fn ticks(&self) -> Ticks {
        Ticks::from_nanos(0)
    }
}

/// A configuration of two deployments with these keys.
fn snapshot(keys: [&str; 2]) -> Snapshot {
    let entry = |at: usize| {
        let key = keys[at];
        format!(
            "- {{model_name: m, model_info: {{id: d{at}}}, litellm_params: {{model: openai/x, \
             api_base: \"http://h{at}.test/v1\", api_key: {key}}}}}\n"
        )
    };
    let text = format!("model_list:\n{}{}", entry(0), entry(1));
    let source = Source { name: "config.yaml", text: &text };
    let catalog = Catalog::embedded().expect("a catalog");
    let compiled = compile(source, &|_| None, &catalog, &PriceList::embedded());
    compiled.expect("a configuration").snapshot
}

fn records(book: &HealthBook, snapshot: &Snapshot) -> [Arc<Record>; 2] {
    let all: Vec<_> = snapshot.deployments().map(|deployment| book.of(deployment)).collect();
    all.try_into().expect("two deployments")
}

/// One call of the record that fails so.
fn fail(record: &Arc<Record>, reason: Reason, class: FailureClass) {
    let clock: Arc<dyn Clock> = Arc::new(StandingClock);
    let rules = tollgate_policy::HealthRules::default();
    let sent = record.send((&rules, false), (false, 10), &clock).expect("it is ready");
    sent.failed(reason, class, None);
}

const NOW: Ticks = Ticks::from_nanos(0);

#[test]
fn a_rejected_credential_rests_everywhere_until_it_is_replaced() {
    let (book, before) = (HealthBook::default(), snapshot(["same", "same"]));
    let [one, two] = records(&book, &before);
    fail(&one, Reason::UpstreamCredentialsRejected, FailureClass::CredentialRejected);
    assert!(!one.readiness(false, NOW).may_take() && !two.readiness(false, NOW).may_take());
    assert_eq!(one.last_failure(), Some(Reason::UpstreamCredentialsRejected));
    let after = snapshot(["same", "other"]);
    book.heed(&after);
    let [one, two] = records(&book, &after);
    assert!(!one.readiness(false, NOW).may_take() && two.readiness(false, NOW).may_take());
}

#[test]
fn what_a_deployment_alone_did_wrong_leaves_others_alone() {
    let (book, snapshot) = (HealthBook::default(), snapshot(["same", "same"]));
    let [one, two] = records(&book, &snapshot);
    fail(&one, Reason::ModelRetired, FailureClass::ModelRetired);
    assert!(!one.readiness(false, NOW).may_take() && two.readiness(false, NOW).may_take());
    fail(&two, Reason::UpstreamRejectedRequest, FailureClass::RequestRejected);
    assert!(two.readiness(false, NOW).may_take());
}

#[test]
fn what_is_sent_counts_and_what_is_dropped_says_nothing() {
    let (book, snapshot) = (HealthBook::default(), snapshot(["a", "b"]));
    let [one, _] = records(&book, &snapshot);
    let clock: Arc<dyn Clock> = Arc::new(StandingClock);
    let rules = tollgate_policy::HealthRules::default();
    drop(one.send((&rules, false), (false, 7), &clock).expect("it is ready"));
    one.send((&rules, false), (true, 5), &clock).expect("it is ready").answered();
    let load = one.load(NOW);
    assert_eq!((load.requests, load.tokens, load.latency_micros), (2, 12, Some(0)));
    let later = NOW.plus(Duration::from_secs(60));
    assert_eq!((one.load(later).requests, one.load(later).tokens), (0, 0));
}
