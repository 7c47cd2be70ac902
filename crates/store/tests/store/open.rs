//! Opening a database, and what is said when it cannot be.

use std::error::Error as _;
use std::os::unix::fs::PermissionsExt as _;

use tollgate_store::{Db, StoreError};

use crate::world::on_both;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime").block_on(future)
}

#[test]
fn a_database_that_is_open_answers_and_one_that_is_closed_says_so() {
    on_both(async |world| {
        world.db.ping().await.expect("an answer");
        world.db.close().await;
        assert!(world.db.ping().await.expect_err("closed").is_unavailable());
    });
}

#[test]
fn a_new_file_and_its_journals_are_for_their_owner_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tollgate.db");
    block_on(async {
        let db = Db::open(&format!("sqlite://{}", path.display())).await.expect("a database");
        db.migrate().await.expect("a schema");
        for file in std::fs::read_dir(folder.path()).expect("files").flatten() {
            let mode = file.metadata().expect("metadata").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
        }
        db.close().await;
    });
}

#[test]
fn only_the_writing_connection_writes_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tollgate.db");
    block_on(async {
        let db = Db::open(&path.display().to_string()).await.expect("a database");
        let Db::Sqlite { writer, readers } = &db else { panic!("a path is SQLite's") };
        let text = "CREATE TABLE t (n INTEGER)";
        assert!(sqlx::query(text).execute(readers).await.is_err());
        assert!(sqlx::query(text).execute(writer).await.is_ok());
        db.close().await;
    });
}

#[test]
fn what_stands_in_the_way_is_named_without_the_password() {
    let cases = [
        ("/nowhere/at/all/tollgate.db", "`/nowhere/at/all/tollgate.db`", "No such file"),
        ("postgres://me:hunter2@127.0.0.1:1/spend", "`127.0.0.1:1/spend`", "refused"),
    ];
    for (url, place, reason) in cases {
        let error = block_on(Db::open(url)).expect_err("no database");
        let source = error.source().map(ToString::to_string).unwrap_or_default();
        assert!(error.to_string().contains(place), "{error}");
        assert!(source.contains(reason), "{source}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    let error = block_on(Db::open("redis://127.0.0.1")).expect_err("no database");
    assert!(matches!(error, StoreError::Address(_)), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a database, but longer than its header would be; ".repeat(40))
        .expect("a file");
    let error = block_on(Db::open(&path.display().to_string())).expect_err("no database");
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
}
