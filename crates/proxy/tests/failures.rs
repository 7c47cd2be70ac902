//! The reference of failures is made of the two tables that decide: what a reason says to the
//! client, and what follows from its class.

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect_file;
use tollgate_domain::FailureClass;
use tollgate_faults::{Reason, Row, row};
use tollgate_policy::{Again, ChainKind, Charge, Cooling, HealthOf, Treatment};

const HEAD: &str = "\
# Failures

What follows when an attempt at a provider fails, by the class of the failure. The status is the
client's; `error.gateway.reason` names the reason ([`reasons.md`](reasons.md)). A class without a
row here ends the call at once and says nothing about any deployment.

- *again*: whether the same deployment is tried again, within `num_retries` and `retry_policy`.
- *elsewhere*: whether another deployment of the model group is tried.
- *fallback*: the chain that is followed once the group is exhausted; a chain of a kind of its own
  falls to `fallbacks`.
- *rests*: what cools down. An upstream that names its wait is believed; otherwise the rest is
  `cooldown_time`, or longer where a time stands here.
- *`retry-after`*: whether the client gets the wait that the upstream asked for.
- *charged*: what the attempt costs the caller.
- *policy*: what `retry_policy` and `allowed_fails_policy` call it.

This page is written by a test from `crates/policy/src/treatment.rs` and
`crates/faults/src/catalogue.rs`.

| class | reason | status | origin | again | elsewhere | fallback | rests | `retry-after` | charged \
| policy |
|---|---|---|---|---|---|---|---|---|---|---|
";

#[test]
fn the_reference_of_failures_is_the_tables_themselves() {
    let mut text = String::from(HEAD);
    for class in FailureClass::ALL.into_iter().filter(|class| is_of_attempts(*class)) {
        for reason in Reason::ALL.into_iter().filter(|reason| row(*reason).class == class) {
            push(&mut text, row(reason));
        }
    }
    expect_file!["../../../docs/reference/failures.md"].assert_eq(&text);
}

/// Whether attempts fail so, rather than calls or the gateway.
fn is_of_attempts(class: FailureClass) -> bool {
    !matches!(
        class,
        FailureClass::CallRefused | FailureClass::ClientGone | FailureClass::GatewayFailed
    )
}

fn push(text: &mut String, row: &Row) {
    let treatment = Treatment::of(row.class);
    let again = match treatment.again {
        Again::Never => "no",
        Again::Once => "once",
        Again::BackOff => "after a back-off",
    };
    let elsewhere = yes(treatment.elsewhere);
    let fallback = treatment.fallback.map_or("none", ChainKind::key);
    let rests = rests(treatment.cooling);
    let charged = match treatment.charge {
        Charge::Nothing => "nothing",
        Charge::Consumed => "what was consumed",
    };
    let policy = treatment
        .exception
        .map_or("", |exception| exception.retries_key().trim_end_matches("Retries"));
    let (class, reason, status, origin) =
        (row.class, row.reason.slug(), row.status, row.origin.as_str());
    let retry_after = yes(row.retryable);
    writeln!(
        text,
        "| `{class}` | `{reason}` | {status} | {origin} | {again} | {elsewhere} | {fallback} \
         | {rests} | {retry_after} | {charged} | {policy} |"
    )
    .expect("a string takes everything");
}

fn rests(cooling: Cooling) -> String {
    match cooling {
        Cooling::Nothing => "nothing".to_owned(),
        Cooling::AfterFails => "the deployment, after `allowed_fails`".to_owned(),
        Cooling::AtOnce(of, least) => {
            let whose = match of {
                HealthOf::Deployment => "the deployment",
                HealthOf::Credential => "the credential",
            };
            let at_least = |least: Duration| format!(", at least {} s", least.as_secs());
            let least = if least.is_zero() { String::new() } else { at_least(least) };
            format!("{whose}, at once{least}")
        }
    }
}

const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}
