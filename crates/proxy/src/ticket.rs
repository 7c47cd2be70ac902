//! Proof of admission. Whatever becomes of the call, dropping the ticket settles it, once.

use std::sync::Arc;

use crate::admit::speaks;
use crate::queue::Slot;
use crate::reserved::Reserved;
use tollgate_config::Deployment;
use tollgate_domain::{
    AttemptRecord, Attribution, CallId, Clock, Entry, ModelName, Money, Outcome, Timestamp, Usage,
    UsageKind,
};
use tollgate_policy::{Demand, Observed, PriceSheet, Settlement, Used, estimated_output, settle};
use tollgate_store::{Claims, Dispatched, LedgerSlot, OutputSoFar, Standing};
use tollgate_wire::WireFormat;
use tollgate_wire::formats::openai_chat::StreamFacts;

/// What was true of a call when it was admitted.
pub(crate) struct Admission {
    pub(crate) call: CallId,
    pub(crate) admitted_at: Timestamp,
    pub(crate) attribution: Arc<Attribution>,
    pub(crate) streamed: bool,
    pub(crate) prompt_bytes: u64,
    /// What it holds.
    pub(crate) holding: Holding,
    /// The searches of an answer in the client's own format, where its reports leave them out.
    pub(crate) unreported_searches: u64,
    /// What the client speaks.
    pub(crate) client: WireFormat,
}

/// What a call holds for one model group.
pub(crate) struct Holding {
    /// The group's name in records.
    pub(crate) model_group: ModelName,
    /// The most it can use, which every deployment is asked for again.
    pub(crate) demand: Demand,
    /// The tokens it may come to, prompt and answer together: its size in a queue.
    pub(crate) tokens: u64,
    /// What it holds of the money that all calls under way hold.
    #[expect(dead_code, reason = "it counts for as long as it exists")]
    pub(crate) reserved: Reserved,
    /// The prompt's tokens, where they were counted.
    pub(crate) prompt_tokens: Option<u64>,
}

/// How far a call travelled before it was answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Travelled {
    /// Attempts after the first.
    pub(crate) retries: usize,
    /// Model groups after the first.
    pub(crate) fallbacks: usize,
}

/// A reservation, a place in the ledger, and what has been seen of the call so far.
#[must_use]
pub(crate) struct Ticket {
    admission: Admission,
    slot: Option<LedgerSlot>,
    claims: Option<Claims>,
    /// The right to be under way at the deployment that answers; given back with the ticket.
    turn: Option<Slot>,
    clock: Arc<dyn Clock>,
    served_by: Option<Arc<Deployment>>,
    observed: Observed,
    outcome: Outcome,
    /// Each with the model group that it was made for.
    attempts: Vec<(ModelName, AttemptRecord)>,
    first_byte_at: Option<Timestamp>,
    travelled: Travelled,
    explained: Option<String>,
}

impl Ticket {
    pub(crate) fn new(
        admission: Admission,
        slot: LedgerSlot,
        claims: Claims,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let Admission { prompt_bytes, .. } = admission;
        let prompt_tokens = admission.holding.prompt_tokens;
        let observed = Observed { prompt_bytes, prompt_tokens, ..Observed::default() };
        Self {
            admission,
            slot: Some(slot),
            claims: Some(claims),
            turn: None,
            clock,
            served_by: None,
            observed,
            // Until something better is known: the client's task ended before the call did.
            outcome: Outcome::Disconnected,
            attempts: Vec::new(),
            first_byte_at: None,
            travelled: Travelled::default(),
            explained: None,
        }
    }

    pub(crate) fn model_group(&self) -> &ModelName {
        &self.admission.holding.model_group
    }

    /// How near the call came to its rate limits.
    pub(crate) fn standing(&self) -> Standing {
        self.claims.as_ref().map(Claims::standing).unwrap_or_default()
    }

    /// What is claimed of each deployment that is tried.
    pub(crate) const fn demand(&self) -> &Demand {
        &self.admission.holding.demand
    }

    /// The tokens the call may come to.
    pub(crate) const fn tokens(&self) -> u64 {
        self.admission.holding.tokens
    }

    /// The prompt's tokens, where they were counted.
    pub(crate) const fn prompt_tokens(&self) -> Option<u64> {
        self.admission.holding.prompt_tokens
    }

    /// When the call was admitted.
    pub(crate) const fn admitted_at(&self) -> Timestamp {
        self.admission.admitted_at
    }

    /// Gives back what is held for a model group that does not answer.
    pub(crate) fn give_back(&mut self) {
        self.claims = Some(Claims::default());
    }

    /// Holds what was claimed for another model group.
    pub(crate) fn hold(&mut self, holding: Holding, claims: Claims) {
        self.observed.prompt_tokens = holding.prompt_tokens;
        self.admission.holding = holding;
        self.claims = Some(claims);
    }

    /// The call is answered, after so many attempts and at so many model groups after the first.
    pub(crate) const fn travelled(&mut self, attempts: usize, fallbacks: usize) {
        self.travelled = Travelled { retries: attempts.saturating_sub(1), fallbacks };
    }

    /// Keeps what its client is to be told of its way.
    pub(crate) fn explain(&mut self, explained: Option<String>) {
        self.explained = explained;
    }

    /// What its client is to be told of its way, once.
    pub(crate) fn take_explained(&mut self) -> Option<String> {
        self.explained.take()
    }

    /// How far the call travelled.
    pub(crate) const fn way(&self) -> Travelled {
        self.travelled
    }

    /// Who is charged.
    pub(crate) const fn attribution(&self) -> &Arc<Attribution> {
        &self.admission.attribution
    }

    /// Holds, to the call's end, what was claimed of the deployment that answers.
    pub(crate) fn join(&mut self, claims: Claims, turn: Slot) {
        self.turn = Some(turn);
        if let Some(held) = &mut self.claims {
            held.join(claims);
        }
    }

    /// Every attempt so far, with the model group that it was made for.
    pub(crate) fn attempts(&self) -> &[(ModelName, AttemptRecord)] {
        &self.attempts
    }

    /// The request is about to go to a deployment: from here on the prompt may be charged for.
    pub(crate) fn dispatched(&mut self, deployment: &Arc<Deployment>) {
        self.observed.reached = true;
        let Admission { unreported_searches, client, .. } = self.admission;
        self.observed.searches = if speaks(deployment, client) { unreported_searches } else { 0 };
        self.served_by = Some(Arc::clone(deployment));
        if let Some(slot) = &self.slot {
            slot.dispatched(Dispatched {
                deployment: deployment.id.clone(),
                provider: deployment.provider.name.clone(),
                price_sheet: deployment.prices.as_ref().map(|sheet| sheet.id.clone()),
            });
        }
    }

    /// An attempt ended. One that failed consumed nothing that anyone is charged for.
    pub(crate) fn attempted(&mut self, record: AttemptRecord) {
        self.observed.reached = record.reason.is_none();
        self.attempts.push((self.admission.holding.model_group.clone(), record));
    }

    /// The whole buffered answer is here.
    pub(crate) fn answered(&mut self, usage: Option<Usage>, output_bytes: u64) {
        self.observed.reported = usage;
        self.observed.output_bytes = output_bytes;
    }

    /// The stream so far. Called for every piece that is relayed, so that a crash finds what was
    /// seen.
    pub(crate) fn streamed(&mut self, facts: &StreamFacts) {
        if self.first_byte_at.is_none() {
            self.first_byte_at = Some(self.clock.now());
        }
        if facts.usage.is_some() && facts.usage != self.observed.reported {
            self.observed.reported.clone_from(&facts.usage);
        }
        let (deltas, bytes) = (facts.output_deltas, facts.output_bytes);
        self.observed.output_deltas = deltas;
        self.observed.output_bytes = bytes;
        self.observed.broken_off = !facts.ended_cleanly();
        let cost = self.output_cost_so_far();
        if let Some(slot) = &self.slot {
            slot.progress(OutputSoFar { deltas, bytes, cost });
        }
    }

    /// How the call ended, when it did not end by its client leaving.
    pub(crate) const fn ended(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// A deployment answered, with what cannot be handed on.
    pub(crate) fn consumed(&mut self, usage: Option<Usage>, output_bytes: u64) {
        self.answered(usage, output_bytes);
        self.observed.reached = true;
        self.outcome = Outcome::Failed;
    }

    /// No deployment answered.
    pub(crate) const fn failed(&mut self) {
        self.outcome = Outcome::Failed;
        self.observed.reached = false;
    }

    /// The buffered answer is on its way to the client.
    pub(crate) fn delivered(&mut self) {
        self.first_byte_at = Some(self.clock.now());
        self.outcome = Outcome::Completed;
    }

    /// What the call has consumed and cost as far as is known now.
    pub(crate) fn settlement(&self) -> Settlement {
        settle(&self.observed, self.sheet().map(AsRef::as_ref))
    }

    fn sheet(&self) -> Option<&Arc<PriceSheet>> {
        self.served_by.as_ref()?.prices.as_ref()
    }

    fn output_cost_so_far(&self) -> Option<Money> {
        let output = estimated_output(self.observed.output_deltas, self.observed.output_bytes);
        let output = Usage::UNKNOWN.with(UsageKind::Output, output);
        self.sheet()?.cost(&output).ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        let Settlement { usage, source, cost } = self.settlement();
        if let Some(claims) = self.claims.take() {
            let cost = cost.unwrap_or(Money::ZERO);
            claims.settle(&Used { cost, tokens: usage.tokens() });
        }
        let sheet = self.sheet().map(|sheet| sheet.id.clone());
        let served_by = self.served_by.take();
        let served_by = served_by.as_ref();
        slot.close(&Entry {
            call: self.admission.call,
            admitted_at: self.admission.admitted_at,
            settled_at: self.clock.now(),
            first_byte_at: self.first_byte_at,
            attribution: Arc::clone(&self.admission.attribution),
            model_group: self.admission.holding.model_group.clone(),
            deployment: served_by.map(|deployment| deployment.id.clone()),
            provider: served_by.map(|deployment| deployment.provider.name.clone()),
            upstream_model: served_by.map(|deployment| Arc::clone(&deployment.upstream_model)),
            streamed: self.admission.streamed,
            outcome: self.outcome,
            usage,
            usage_source: source,
            price_sheet: sheet,
            cost,
            attempts: self.attempts.drain(..).map(|(_, record)| record).collect(),
        });
    }
}
