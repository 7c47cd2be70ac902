//! A changed configuration takes effect whole, or not at all.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use notify::{RecursiveMode, Watcher as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tollgate_proxy::Gate;

use crate::serve::ConfigSource;

/// How long changes are collected before the file is read: an editor or a mounted volume writes in
/// several steps.
const SETTLE: Duration = Duration::from_millis(100);

/// Watching, for as long as this lives.
pub(crate) struct Reloading {
    _watcher: notify::RecommendedWatcher,
    _task: AbortOnDropHandle<()>,
}

/// Watches the configuration's folder, because a mounted volume replaces files by swapping links,
/// and SIGHUP.
///
/// # Errors
/// When neither can be watched.
pub(crate) fn start(
    source: Arc<ConfigSource>,
    gate: Arc<Gate>,
    ending: CancellationToken,
) -> anyhow::Result<Reloading> {
    let (changed, changes) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // A full channel already says that something changed.
            let _ = changed.try_send(());
        }
    })?;
    let folder = source.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    watcher
        .watch(folder, RecursiveMode::NonRecursive)
        .with_context(|| format!("cannot watch {}", folder.display()))?;
    let hangup = signal(SignalKind::hangup())?;
    let task = tokio::spawn(follow(source, gate, (changes, hangup), ending));
    Ok(Reloading { _watcher: watcher, _task: AbortOnDropHandle::new(task) })
}

async fn follow(
    source: Arc<ConfigSource>,
    gate: Arc<Gate>,
    (mut changes, mut hangup): (mpsc::Receiver<()>, tokio::signal::unix::Signal),
    ending: CancellationToken,
) {
    let mut current = fingerprint(&source);
    loop {
        let asked = tokio::select! {
            () = ending.cancelled() => return,
            _ = hangup.recv() => true,
            changed = changes.recv() => {
                if changed.is_none() { return; }
                false
            }
        };
        if !asked {
            tokio::time::sleep(SETTLE).await;
        }
        let now = fingerprint(&source);
        if asked || now != current {
            current = now;
            swap(&source, &gate);
        }
    }
}

/// A file that cannot be read right now counts as unchanged content of its own.
fn fingerprint(source: &ConfigSource) -> Option<u64> {
    let text = std::fs::read(&source.file).ok()?;
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    Some(hasher.finish())
}

fn swap(source: &ConfigSource, gate: &Gate) {
    match source.load() {
        Ok(Ok(snapshot)) => {
            tracing::info!(config = %source.file.display(), "the configuration was reloaded");
            gate.swap_snapshot(snapshot);
        }
        Ok(Err(findings)) => {
            tracing::error!(
                "the changed configuration is wrong; the one in force stays\n{findings}"
            );
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the configuration in force stays");
        }
    }
}
