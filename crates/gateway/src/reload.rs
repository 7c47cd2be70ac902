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

use crate::in_force::InForce;
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
    in_force: Arc<InForce>,
    ending: CancellationToken,
) -> anyhow::Result<Reloading> {
    let source = &in_force.source;
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
    let task = tokio::spawn(follow(in_force, (changes, hangup), ending));
    Ok(Reloading { _watcher: watcher, _task: AbortOnDropHandle::new(task) })
}

async fn follow(
    in_force: Arc<InForce>,
    (mut changes, mut hangup): (mpsc::Receiver<()>, tokio::signal::unix::Signal),
    ending: CancellationToken,
) {
    let mut current = fingerprint(&in_force.source);
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
        let now = fingerprint(&in_force.source);
        if asked || now != current {
            current = now;
            in_force.reload().await;
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
