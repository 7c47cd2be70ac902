//! Loads against a simulator: what is counted is what happened.

use std::net::Ipv4Addr;

use tollgate_simulator::{Behaviour, Fault, Script, Simulator};

use super::*;
use crate::request::Chat;

const LENGTH: Duration = Duration::from_millis(100);

async fn simulator(behaviour: Behaviour) -> Simulator {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Simulator::start(address, Script::new(behaviour)).await.expect("a simulator")
}

fn load(simulator: &Simulator, streamed: bool, connections: usize) -> Load {
    let chat = Chat { model: "answer", streamed };
    Load {
        address: simulator.addr(),
        request: chat.request(simulator.addr(), "sk-a"),
        connections,
        watched: Some(std::process::id()),
        warm_up: LENGTH / 10,
        length: LENGTH,
    }
}

#[tokio::test]
async fn a_closed_loop_counts_exactly_the_calls_that_arrived() {
    for streamed in [false, true] {
        let simulator = simulator(Behaviour::answering(64)).await;
        let run = closed_loop(&load(&simulator, streamed, 4)).await.expect("a run");
        assert_eq!(run.timings.answered, simulator.calls().count());
        let measured = run.timings.last_byte.count();
        assert!(measured > 0 && (measured as u64) < run.timings.answered, "{measured}");
        assert_eq!(run.timings.first_byte.count(), measured);
        assert!(run.window.elapsed >= LENGTH);
        assert!(run.window.watched.expect("a reading").memory.rss_kib > 0);
    }
}

#[tokio::test]
async fn a_fixed_rate_does_not_wait_for_answers() {
    let slow = Behaviour { first_token: Duration::from_millis(10), ..Behaviour::answering(1) };
    let simulator = simulator(slow).await;
    let run = fixed_rate(&load(&simulator, false, 1), 1000).await.expect("a run");
    // One connection carries a tenth of the calls in time; the others are late, and their lateness
    // counts.
    let (due, sent) = (run.window.elapsed.as_millis(), run.timings.last_byte.count());
    // A call that is due while the clock is read is sent a little early.
    assert!((due / 2..=due + due / 5).contains(&(sent as u128)), "{sent} calls in {due} ms");
    let summary = run.timings.last_byte.summary().expect("samples");
    assert!(summary.p50_us > 250_000.0, "{summary:?}");
    assert_eq!(run.timings.answered, simulator.calls().count());
}

#[tokio::test]
async fn answers_that_are_not_whole_end_the_run_with_the_reason() {
    for (fault, streamed, reason) in [
        (Fault::Status { status: 429, retry_after: None, body: None }, false, "is a 429"),
        (Fault::HangUp, false, "closed within an answer"),
        (Fault::CutAfterBytes(100), false, "an answer"),
        (Fault::NoDone, true, "does not end with `data: [DONE]`"),
        (Fault::EndEarly { after_tokens: 3 }, true, "does not end with `data: [DONE]`"),
    ] {
        let simulator = simulator(Behaviour::failing(fault.clone())).await;
        let ended = closed_loop(&load(&simulator, streamed, 2)).await;
        let problem = format!("{:#}", ended.expect_err("an error"));
        assert!(problem.contains(reason), "{fault:?}: {problem}");
    }
}

#[tokio::test]
async fn refusals_are_counted_apart_where_they_are_allowed() {
    let busy = Fault::Status { status: 503, retry_after: None, body: None };
    let simulator = simulator(Behaviour::failing(busy)).await;
    let mut load = load(&simulator, false, 2);
    load.request.may_be_refused = true;
    let timings = closed_loop(&load).await.expect("a run").timings;
    assert_eq!(timings.refused, simulator.calls().count());
    assert_eq!((timings.answered, timings.last_byte.count()), (0, 0));
    load.request.may_be_refused = false;
    let problem = closed_loop(&load).await.expect_err("an error");
    assert!(format!("{problem:#}").contains("is a 503"), "{problem:#}");
}

#[tokio::test]
async fn streams_at_once_are_all_open_together() {
    let pause = Duration::from_millis(50);
    let simulator = simulator(Behaviour { first_token: pause, ..Behaviour::answering(200) }).await;
    // The length is only the limit of the wait here, and a busy machine may need more of it.
    let load = Load { length: LENGTH * 100, ..load(&simulator, true, 20) };
    let run = streams_at_once(&load).await.expect("a run");
    assert_eq!((run.timings.answered, simulator.calls().count()), (20, 20));
    assert!(run.rss_kib.iter().all(|kib| *kib > 0) && !run.rss_kib.is_empty());
}

#[tokio::test]
async fn streams_that_stall_are_not_waited_for_longer_than_allowed() {
    let stalled = Behaviour::failing(Fault::Stall { after_tokens: 2 });
    let simulator = simulator(stalled).await;
    let problem = streams_at_once(&load(&simulator, true, 2)).await.expect_err("an error");
    assert!(format!("{problem:#}").contains("not over after"), "{problem:#}");
}
