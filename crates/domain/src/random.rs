//! Randomness, passed in by whoever owns a generator.

use uuid::Builder;

use crate::{CallId, Timestamp};

/// A source of randomness. The one implementation that asks the system lives in the binary.
pub trait Random: Send + Sync + 'static {
    /// Fills the buffer with bytes that nobody can predict; for keys and identities.
    fn fill(&self, buffer: &mut [u8]);
    /// A uniformly drawn number; for choices such as which deployment comes first, where speed
    /// matters and prediction does no harm.
    fn draw(&self) -> u64;

    /// A fresh call identity: a UUID of version 7, so that identities sort by time.
    fn call_id(&self, now: Timestamp) -> CallId {
        let mut bytes = [0; 10];
        let (low, high) = (self.draw().to_be_bytes(), self.draw().to_be_bytes());
        bytes[..8].copy_from_slice(&low);
        bytes[8..].copy_from_slice(&high[..2]);
        let millis = u64::try_from(now.micros() / 1000).unwrap_or(0);
        CallId::from_uuid(Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU64);

    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
        fn draw(&self) -> u64 {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
        }
    }

    #[test]
    fn call_identities_sort_by_time() {
        let random = Counting(0.into());
        let early = random.call_id(Timestamp::from_micros(1_000_000));
        let late = random.call_id(Timestamp::from_micros(2_000_000));
        assert!(early.to_string() < late.to_string());
        assert_ne!(early, random.call_id(Timestamp::from_micros(1_000_000)));
    }
}
