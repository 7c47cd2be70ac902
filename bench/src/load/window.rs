//! The part of a run that is measured, and what the watched process used in it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::clock;
use crate::gauge::{Cpu, Memory};

/// What was measured besides the answers.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) elapsed: Duration,
    /// The watched process, if there is one.
    pub(crate) watched: Option<Watched>,
}

/// What the watched process used.
#[derive(Debug)]
pub(crate) struct Watched {
    /// Its use of processors when the measuring began.
    pub(crate) before: Cpu,
    /// Processor time within the window.
    pub(crate) cpu: Duration,
    /// Its memory at the end of the window, still under load.
    pub(crate) memory: Memory,
}

/// Where a run is; connections look at it before each request.
#[derive(Debug, Default)]
pub(super) struct Phase(AtomicU8);

impl Phase {
    /// Whether the next request is measured; `None` when there is to be none.
    pub(super) fn measured(&self) -> Option<bool> {
        match self.0.load(Ordering::Relaxed) {
            WARMING_UP => Some(false),
            MEASURING => Some(true),
            _ => None,
        }
    }

    fn set(&self, phase: u8) {
        self.0.store(phase, Ordering::Relaxed);
    }
}

/// Lets a run warm up and measures it for its time, while `beats` goes on.
pub(super) async fn measure(load: &super::Load, phase: &Phase) -> anyhow::Result<Window> {
    tokio::time::sleep(load.warm_up).await;
    let before = load.watched.map(Cpu::of).transpose()?;
    let began = clock::now();
    phase.set(MEASURING);
    tokio::time::sleep(load.length).await;
    phase.set(OVER);
    let elapsed = began.elapsed();
    let watched = match load.watched.zip(before) {
        Some((pid, before)) => {
            let cpu = Cpu::of(pid)?.since(&before);
            Some(Watched { before, cpu, memory: Memory::of(pid)? })
        }
        None => None,
    };
    Ok(Window { elapsed, watched })
}

const WARMING_UP: u8 = 0;
const MEASURING: u8 = 1;
const OVER: u8 = 2;
