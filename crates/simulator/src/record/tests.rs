//! The record of calls.

use super::*;

fn arrive(calls: &Calls, path: &str, body: &'static [u8]) -> CallGuard {
    let request = http::Request::post(path).header("X-Colour", "blue: ish").body(());
    let (parts, ()) = request.expect("a request").into_parts();
    calls.arrived(&parts, &Bytes::from_static(body))
}

#[test]
fn a_call_is_recorded_as_it_came() {
    let calls = Calls::new(4);
    let guard = arrive(&calls, "/v1/chat/completions?a=b", b"{}");
    guard.answered(200);
    guard.sent(3);
    let expected = CallRecord {
        index: 0,
        method: "POST".to_owned(),
        path: "/v1/chat/completions?a=b".to_owned(),
        headers: vec![("x-colour".to_owned(), "blue: ish".to_owned())],
        body: Bytes::from_static(b"{}"),
        status: 200,
        tokens_sent: 3,
        end: End::Running,
    };
    assert_eq!(calls.find(0), Some(expected));
    guard.finish();
    drop(guard);
    assert_eq!(calls.find(0).map(|call| call.end), Some(End::Finished));
}

#[test]
fn old_calls_are_forgotten_but_still_counted() {
    let calls = Calls::new(2);
    for _ in 0..5 {
        arrive(&calls, "/", b"");
    }
    assert_eq!(calls.count(), 5);
    assert_eq!(calls.kept().iter().map(|c| c.index).collect::<Vec<_>>(), [3, 4]);
    assert_eq!((calls.find(2), calls.find(5)), (None, None));
    assert_eq!(calls.find(3).map(|call| call.end), Some(End::Cancelled));
}

#[test]
fn nothing_is_kept_when_nothing_may_be() {
    let calls = Calls::new(0);
    arrive(&calls, "/", b"body").finish();
    assert_eq!((calls.count(), calls.kept()), (1, vec![]));
}

#[test]
fn large_bodies_push_older_calls_out() {
    let mut ring = Ring::default();
    for index in 0..3 {
        let call = Call {
            index,
            head: "".into(),
            body: Bytes::from(vec![0; KEPT_BYTES_MAX / 2]),
            status: AtomicU16::new(0),
            tokens_sent: AtomicU32::new(0),
            end: AtomicU8::new(RUNNING),
        };
        ring.keep(Arc::new(call), 100);
    }
    assert_eq!(ring.kept.iter().map(|c| c.index).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn waiting_sees_what_happened_before_and_what_happens_after() {
    let calls = Calls::new(4);
    let guard = arrive(&calls, "/", b"");
    calls.await_count(1).await;
    let waiting = {
        let calls = calls.clone();
        async move { calls.await_cancelled(0).await.end }
    };
    let (end, ()) = tokio::join!(waiting, async { drop(guard) });
    assert_eq!(end, End::Cancelled);
    calls.reset();
    assert_eq!((calls.count(), calls.find(0)), (0, None));
}
