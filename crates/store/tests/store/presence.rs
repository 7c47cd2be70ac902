//! Two gateways on one database: only one that is alone settles what it finds open.

use tollgate_store::{Db, recover};

use crate::recovery::{NOTHING, crash_with};
use crate::world::{NOW, on_both, opening};

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
