//! The first start makes a master key, shows it once and keeps only its hash.

use std::fs;
use std::path::Path;

use tokio::process::Command;
use tollgate_testkit::gateway::{GatewayProcess, Home};
use tollgate_testkit::patience::eventually;
use tollgate_testkit::postgres::TestDatabase;

use crate::stage::{Storage, binary};

/// The configuration that `make run` serves.
const EXAMPLE: &str = include_str!("../../../../../examples/config.yaml");

#[tokio::test]
async fn the_master_key_is_shown_once_and_kept_as_a_hash_on_sqlite() {
    first_start(Storage::Sqlite).await;
}

#[tokio::test]
async fn the_master_key_is_shown_once_and_kept_as_a_hash_on_postgres() {
    first_start(Storage::Postgres).await;
}

async fn first_start(storage: Storage) {
    let database = (storage == Storage::Postgres).then(TestDatabase::create);
    let mut home = Home::new(EXAMPLE).without_master_key();
    if let Some(database) = &database {
        home = home.with_database(database.url());
    }
    let gateway = GatewayProcess::first_start(binary(), &home).await;
    let key = gateway.master_key().to_owned();
    gateway.master().post("/key/generate", "{}").await.ok();
    assert_eq!(gateway.terminate().await.code(), Some(0));
    for file in files(&home.data_dir()) {
        let content = fs::read(&file).expect("the data directory can be read");
        let found = content.windows(key.len()).any(|window| window == key.as_bytes());
        assert!(!found, "the master key is in {}", file.display());
    }

    let gateway = GatewayProcess::start(binary(), &home).await;
    gateway.client(&key).post("/key/generate", "{}").await.ok();
    assert!(!gateway.output().contains(&key), "the key is shown a second time");
    let other = gateway.client("sk-some-other-key").post("/key/generate", "{}").await;
    assert_eq!(other.status, 401);
}

#[tokio::test]
async fn the_printed_example_works_as_pasted() {
    let home = Home::new(EXAMPLE).without_master_key();
    let gateway = GatewayProcess::start(binary(), &home).await;
    gateway.says("\"messages\"").await;
    let output = gateway.output();
    let command = output.find("curl ").map(|at| &output[at..]).expect("an example is printed");
    let end = command.find("}'").expect("the example ends with its body") + 2;
    let pasted = Command::new("sh").arg("-c").arg(&command[..end]).output();
    let pasted = eventually("the pasted command", pasted).await.expect("sh and curl run");
    let answer: serde_json::Value = serde_json::from_slice(&pasted.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&pasted.stderr)));
    assert_eq!(answer["object"], "chat.completion", "{answer}");
    assert_eq!(answer["model"], "simulated");
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("the data directory exists");
    let paths = entries.flatten().map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
