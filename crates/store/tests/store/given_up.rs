//! Whoever gives up in the middle of something leaves nothing behind in the connections.

use tokio::task::yield_now;
use tollgate_domain::{KeyHash, Level, Subject};
use tollgate_policy::Span;
use tollgate_store::{By, Db, Replaced};

use crate::keys::key;
use crate::world::{NOW, World, on_both};

/// More than there are connections, so that each is used.
const ROUNDS: usize = 40;

/// Begins to read at one instant, and gives up after so many turns of the runtime.
async fn give_up_after(world: &World, turns: usize) {
    let day = Span { start: NOW.quarter_hour(), end: NOW };
    let subject = Subject::new(Level::All, "");
    let give_up = async {
        for _ in 0..turns {
            yield_now().await;
        }
    };
    let days = [day];
    tokio::select! {
        biased;
        _ = world.db.usage(&subject, None, &days) => {}
        () = give_up => {}
    }
}

#[test]
fn what_is_read_after_somebody_gave_up_is_of_the_present() {
    on_both(async |world| {
        let elsewhere = Db::open(&world.url).await.expect("another gateway's connections");
        let hash = KeyHash::of("key-1");
        world.edit().insert_key(&key("key-1")).await.expect("a new key");
        for round in 0..ROUNDS {
            give_up_after(&world, round).await;
            let before = world.db.find_key(&hash).await.expect("a database").expect("the key");
            let mut row = before.clone();
            row.blocked = !before.blocked;
            let by = By::program("admin", NOW);
            let replaced = elsewhere.edit(&by).update_key(&mut row).await.expect("a database");
            assert_eq!(replaced, Replaced::Done);
            for _ in 0..ROUNDS {
                let after = world.db.find_key(&hash).await.expect("a database").expect("the key");
                assert_ne!(after.blocked, before.blocked, "after giving up for the {round}th time");
            }
        }
        elsewhere.close().await;
    });
}
