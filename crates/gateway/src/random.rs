//! The one place that draws randomness.

use std::cell::RefCell;

use tollgate_domain::Random;

/// The system's randomness for what must not be guessed, and a fast generator per thread for the
/// rest.
pub(crate) struct SystemRandom;

thread_local! {
    static FAST: RefCell<fastrand::Rng> = RefCell::new(fastrand::Rng::with_seed(seed()));
}

fn seed() -> u64 {
    let mut bytes = [0; 8];
    SystemRandom.fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the home of randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        // Without the system's randomness no key could be trusted, so nothing may go on.
        getrandom::fill(buffer).expect("the system gives randomness");
    }

    fn draw(&self) -> u64 {
        FAST.with_borrow_mut(|fast| fast.u64(..))
    }
}
