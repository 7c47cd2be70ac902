//! Settings that are drawn once.

use crate::world::on_both;

#[test]
fn the_first_value_of_a_setting_stays() {
    on_both(async |world| {
        assert_eq!(world.db.setting("installation").await.expect("settings"), None);
        for value in ["first", "second"] {
            let kept = world.db.put_setting_once("installation", value).await.expect("settings");
            assert_eq!(kept, "first");
        }
        let read = world.db.setting("installation").await.expect("settings");
        assert_eq!(read.as_deref(), Some("first"));
    });
}
