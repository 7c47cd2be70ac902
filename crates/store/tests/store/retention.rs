//! Kept answers go once they expired.

use std::sync::Arc;
use std::time::Duration;

use tollgate_store::{ResponseLimits, ResponseRow, Responses, Retention, StoreError};

use crate::responses::{answer, at, team};
use crate::world::{FixedClock, NOW, World, on_both};

const COUNT: &str = "SELECT COUNT(*) FROM responses";
const SUM: &str = "SELECT CAST(SUM(bytes) AS BIGINT) FROM response_owners";

/// Answers of two owners that expired, and one of each that did not.
async fn fill(world: &World, expired: usize) -> Responses {
    let responses = Responses::new(world.db.clone(), ResponseLimits::default());
    for number in 0..expired {
        let owner = team(if number % 2 == 0 { "engine" } else { "other" });
        let expires_at = at(-i64::try_from(number).expect("few"));
        let row = ResponseRow { owner, expires_at, ..answer(&format!("old-{number}"), None) };
        responses.save(&row).await.expect("kept");
    }
    for name in ["engine", "other"] {
        let row = ResponseRow { owner: team(name), expires_at: at(1), ..answer(name, None) };
        responses.save(&row).await.expect("kept");
    }
    responses
}

#[test]
fn pruning_takes_the_longest_expired_and_no_more_than_it_may() {
    on_both(async |world| {
        let responses = fill(&world, 5).await;
        assert_eq!(responses.prune(NOW, 3).await.expect("pruned"), 3);
        let left = "SELECT COUNT(*) FROM responses WHERE id IN ('old-0', 'old-1')";
        assert_eq!((world.number(left).await, world.number(COUNT).await), (2, 4));
        assert_eq!(world.number(SUM).await, 40);
        assert_eq!(responses.prune(NOW, 3).await.expect("pruned"), 2);
        assert_eq!(responses.prune(NOW, 3).await.expect("pruned"), 0);
        assert_eq!((world.number(COUNT).await, world.number(SUM).await), (2, 20));
    });
}

#[test]
fn a_sweep_removes_everything_that_expired() {
    on_both(async |world| {
        let responses = fill(&world, 130).await;
        let retention = Retention::new(responses, Arc::new(FixedClock), Duration::from_secs(60));
        assert_eq!(retention.sweep().await.expect("swept"), 130);
        assert_eq!((world.number(COUNT).await, world.number(SUM).await), (2, 20));
        assert_eq!(retention.sweep().await.expect("swept"), 0);
    });
}

#[test]
fn the_task_sweeps_again_and_outlives_a_failure() {
    on_both(async |world| {
        world.execute("ALTER TABLE responses RENAME TO taken_away").await;
        let responses = Responses::new(world.db.clone(), ResponseLimits::default());
        let retention =
            Retention::new(responses.clone(), Arc::new(FixedClock), Duration::from_millis(1));
        let failed = retention.sweep().await.expect_err("no table");
        assert!(matches!(failed, StoreError::Refused(_)), "{failed}");
        let task = tokio::spawn(retention.run());
        world.execute("ALTER TABLE taken_away RENAME TO responses").await;
        for expired in [3, 5] {
            world.execute("DELETE FROM responses").await;
            world.execute("DELETE FROM response_owners").await;
            fill(&world, expired).await;
            while world.number(COUNT).await > 2 {
                tokio::task::yield_now().await;
            }
        }
        task.abort();
        assert!(task.await.expect_err("it runs until it is told not to").is_cancelled());
    });
}
