//! The life of a call, on one screen.

use axum::response::Response;
use tollgate_faults::Refusal;

use crate::admit::admit;
use crate::attempt::{Sender, attempt};
use crate::authenticate::authenticate;
use crate::continue_from::continue_from;
use crate::gate::Gate;
use crate::ingress::Ingress;
use crate::memory::Memory;
use crate::queue::standing;
use crate::relay::relay;
use crate::rules::by_rules;

/// Serves one call. Each line needs the one above; none can be skipped or swapped.
///
/// The caller is known before the body is read, so that nobody unknown can make the gateway hold
/// one.
///
/// # Errors
/// The first refusal met on the way. A failure after the first byte of a stream is told inside the
/// stream instead.
pub(crate) async fn serve(gate: &Gate, mut ingress: Ingress) -> Result<Response, Refusal> {
    let snapshot = gate.snapshot(); // the configuration of this call, to its end
    let settings = &snapshot.settings;
    let caller = authenticate(gate, ingress.asks(), settings).await?; // virtual key → caller
    let call = ingress.read(settings).await?; // bounded, scanned once, kept as it came
    let call = by_rules(&caller, call)?; // its key's own names of models, and fields it must have
    let mut call = continue_from(gate, settings, &caller, call).await?; // turns kept before it
    let (ticket, resolved) = admit(gate, &snapshot, &caller, &mut call).await?; // money
    call.memory = Memory::of(gate, settings, &caller, &resolved); // thoughts of earlier turns
    let sender = Sender { gate, snapshot: &snapshot, caller: &caller, standing: standing(&caller) };
    let answer = attempt(sender, &mut call, &resolved, ticket).await?; // planned, until one begins
    Ok(relay(gate, settings, &caller, call, answer)) // the ticket settles after the last byte
}
