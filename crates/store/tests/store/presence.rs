//! Two gateways on one database: only one that is alone settles what it finds open.

use tollgate_store::{Db, recover};
use tollgate_testkit::patience::until;

use crate::recovery::{NOTHING, crash_with};
use crate::world::{NOW, on_both, opening};

/// Ends the connection of every lock.
const CUT: &str = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_locks \
     WHERE locktype = 'advisory' AND granted AND database = \
     (SELECT oid FROM pg_database WHERE datname = current_database())";

#[test]
fn a_lock_whose_connection_was_lost_is_taken_again() {
    on_both(async |world| {
        let Db::Postgres(_) = world.db else { return };
        let mut presence = world.db.presence().await.expect("a presence").expect("nobody else");
        presence.share().await.expect("the lock is shared");
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let ended = async { drop(ended.await) };
        let keeping = tokio::spawn(presence.keep(world.db.clone(), ended));
        assert_eq!(world.number(CUT).await, 1);
        // One that starts later finds it there again.
        until("the lock", || async {
            let second = world.db.presence().await.expect("a presence").expect("a server");
            let sole = second.is_sole();
            second.end().await;
            (!sole).then_some(())
        })
        .await;
        drop(end);
        keeping.await.expect("the presence ends");
        let third = world.db.presence().await.expect("a presence").expect("a server");
        assert!(third.is_sole());
        third.end().await;
    });
}

#[test]
fn a_living_gateways_calls_are_not_settled_by_another_one() {
    on_both(async |world| {
        let mut first = world.db.presence().await.expect("a presence").expect("nobody else");
        assert!(first.is_sole());
        first.share().await.expect("the lock is shared");
        crash_with(&world, vec![(opening(1), NOTHING)]).await;

        let other = Db::open(&world.url).await.expect("a second gateway's connections");
        let second = other.presence().await.expect("an answer");
        match (&world.db, second) {
            // A file is for one gateway; the second one is turned away.
            (Db::Sqlite { .. }, second) => assert!(second.is_none()),
            (Db::Postgres(_), second) => {
                let second = second.expect("a server is for many");
                assert!(!second.is_sole());
                let left = recover(&other, &second, None, NOW).await.expect("recovery");
                assert_eq!((left.settled, world.count_openings().await), (0, 1));
                second.end().await;
            }
        }
        first.end().await;

        let third = other.presence().await.expect("a presence").expect("nobody else");
        let settled = recover(&other, &third, None, NOW).await.expect("recovery");
        assert_eq!((settled.settled, world.count_openings().await), (1, 0));
        third.end().await;
        other.close().await;
    });
}
