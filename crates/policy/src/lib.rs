//! Decisions: what a call costs, whether it may be spent, who sees which model, where a call goes.
//!
//! This crate is pure. It performs no IO, awaits nothing, reads no clock, draws no randomness and
//! writes no log: state, time and chance are arguments, so that every decision can be tested as a
//! table and every other implementation of a rule can be compared with the one here.

mod afford;
mod authority;
mod bound;
mod counter;
mod delegate;
mod fair;
mod fallback;
mod forwarded;
mod health;
mod journey;
mod limits;
mod nearest;
mod permit;
mod price;
mod retry;
mod route;
mod route_grant;
mod settle;
mod tally;
mod treatment;
mod window;

pub use afford::affordable;
pub use authority::{Audience, Authority, KeyScope, MEMBER_ROUTES, Membership, Role, Scope};
pub use bound::{
    Bound, Extras, ModelLimits, PICTURE_TOKENS, PROMPT_OVERHEAD_TOKENS, RESERVE_OUTPUT_TOKENS,
    bound,
};
pub use counter::{Claim, Counter, Held, Over, Window, take};
pub use delegate::{Excess, Holding, ModelWords, Wanted, excess, is_reserved, routes_beyond};
pub use fair::{
    Acquired, Ask, Concurrency, Ended, Flow, FlowBy, Full, PLACES_MAX, PLACES_PER_FLOW_MAX, Party,
    Place, PlaceId, Priority, PriorityRange, QueueFull, Queueing, Slot, Slots, Turn, Weight,
};
pub use fallback::{
    CHAIN_MAX, Chain, ChainKind, FallbackList, FallbackProblem, FallbackTrouble, Fallbacks,
};
pub use forwarded::{AddressRange, TrustedProxies};
pub use health::{
    COOLDOWN, COOLDOWN_MAX, Change, Ending, Health, HealthRules, PROBE_INTERVAL, PROBE_PATIENCE,
    Pass, Readiness,
};
pub use journey::{
    ATTEMPT_MIN, Attempt, AttemptFailure, CALL_ATTEMPTS_MAX, Cause, FALLBACKS_MAX, Journey,
    JourneyRules, Leg, Moment, Step, WAITED_MAX, WAITS_MAX,
};
pub use limits::{Bounds, Limits, MoneyBound, Raise, Rule, cap_at};
pub use nearest::nearest;
pub use permit::{Grant, ModelPattern, visible_models};
pub use price::{PriceSheet, PriceTier, Rates, Unpriced};
pub use retry::{
    BACK_OFF_MAX, NUM_RETRIES, RETRY_BURST, RETRY_WAIT_MAX, RetryBudget, RetryRules, RetryShare,
    back_off,
};
pub use route::{
    Abilities, Ability, Candidate, Contender, LATENCY_HALF_LIFE, Latency, Load, Needs, PassedOver,
    Plan, Strategy, TagAsk, TagMatch, plan, plan_for,
};
pub use route_grant::{KeyType, calls_models, may_call_route, names_routes};
pub use settle::{Observed, Settlement, estimated_input, estimated_output, settle};
pub use tally::{Demand, Measure, RATE_WINDOW, Tally, Used};
pub use treatment::{Again, Charge, Cooling, Exception, HealthOf, PerException, Treatment};
pub use window::{
    Anchor, Cadence, Calendar, DaysError, LOCAL_DAYS_MAX, LocalDay, Period, PeriodError,
    PeriodProblem, QuarterHours, Running, Span, TimeOfDay, TimeOfDayError, WeekStart,
    WeekStartError, Zone, ZoneError,
};
