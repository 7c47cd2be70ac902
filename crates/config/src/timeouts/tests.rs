//! Which of many settings decides a limit.

use super::*;

fn s(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// Seconds of each setting, 0 where it is not given.
struct Given {
    own: (u64, u64, u64),
    router: (u64, u64, u64),
    request: u64,
}

fn resolved(given: &Given) -> Timeouts {
    let own = OwnTimeouts {
        timeout: s(given.own.0),
        stream_timeout: s(given.own.1),
        idle_timeout: s(given.own.2),
    };
    let shared = SharedTimeouts {
        timeout: s(given.router.0),
        stream_timeout: s(given.router.1),
        total_timeout: s(given.router.2),
        request_timeout: s(given.request),
    };
    Timeouts::resolve(&own, &shared)
}

#[test]
fn the_nearest_setting_decides() {
    // own (timeout, stream, idle), router (timeout, stream, total), request
    // → first byte, stream's first byte, idle, total, stream's total
    let cases = [
        ((0, 0, 0), (0, 0, 0), 0, (600, 600, 300, 600, 0)),
        ((0, 0, 0), (0, 0, 0), 50, (50, 50, 300, 600, 0)),
        ((0, 0, 0), (40, 0, 0), 50, (40, 40, 300, 600, 0)),
        ((30, 0, 0), (40, 0, 0), 50, (30, 30, 300, 600, 0)),
        ((30, 0, 0), (40, 20, 0), 50, (30, 20, 300, 600, 0)),
        ((30, 10, 0), (40, 20, 0), 50, (30, 10, 300, 600, 0)),
        ((0, 10, 5), (0, 0, 0), 0, (600, 10, 5, 600, 0)),
        ((1800, 0, 0), (0, 0, 0), 0, (1800, 1800, 300, 1800, 0)),
        ((1800, 0, 0), (0, 0, 60), 0, (1800, 1800, 300, 60, 60)),
    ];
    for (own, router, request, (first, stream, idle, total, stream_total)) in cases {
        let timeouts = resolved(&Given { own, router, request });
        let expected = Timeouts {
            connect: CONNECT,
            first_byte: Duration::from_secs(first),
            stream_first_byte: Duration::from_secs(stream),
            idle: Duration::from_secs(idle),
            total: Duration::from_secs(total),
            stream_total: s(stream_total),
        };
        assert_eq!(timeouts, expected, "{own:?} {router:?} {request}");
    }
}
