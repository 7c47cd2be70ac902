//! PLACEHOLDER until the calendar lands.
use std::sync::Arc;
use tollgate_domain::Timestamp;
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Period(Arc<str>);
#[derive(Debug, Clone, Default)]
pub struct Calendar;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start: Timestamp,
    pub end: Timestamp,
}
impl std::str::FromStr for Period {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Ok(Self(Arc::from(s)))
    }
}
impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl Period {
    pub fn span(&self, _c: &Calendar, _anchor: Option<Timestamp>, at: Timestamp) -> Span {
        let s = at.micros() - at.micros().rem_euclid(86_400_000_000);
        Span { start: Timestamp::from_micros(s), end: Timestamp::from_micros(s + 86_400_000_000) }
    }
}
