//! The turns before a Responses call: where the gateway keeps them, they are written into the
//! call's body before anything else reads it.

use bytes::Bytes;
use bytestring::ByteString;
use tollgate_config::Settings;
use tollgate_domain::ResponseId;
use tollgate_faults::{Reason, Refusal};
use tollgate_store::{ChainError, Owner, ResponseRow, StoreError};
use tollgate_wire::formats::openai_responses::{
    continue_from as with_items, items_of_array, output_items, previous_response_id, wants_store,
};
use tollgate_wire::translate::{ClientFormat, ClientRequest, PathSays};

use crate::authenticate::Caller;
use crate::gate::Gate;
use crate::ingress::{Call, unreadable};
use crate::keep::Turn;

/// The field that names the answer to go on from.
const FIELD: &str = "previous_response_id";

/// Gives a Responses call the turns that it goes on from, where they are kept here. Where they are
/// not, the provider may keep them: the name of the answer stays in the body, and only an upstream
/// of the same format can be called with it.
///
/// # Errors
/// Refused when the answer is another's or expired, when the conversation is longer than is kept,
/// and when the store cannot be asked.
pub(crate) async fn continue_from(
    gate: &Gate,
    settings: &Settings,
    caller: &Caller,
    mut call: Call,
) -> Result<Call, Refusal> {
    if call.request.format != ClientFormat::OpenAiResponses {
        return Ok(call);
    }
    let body = call.request.body.clone();
    let owner = Owner::of(&caller.attribution());
    let named = previous_response_id(&body).map_err(unreadable)?;
    let previous = named.as_ref().and_then(|name| ResponseId::new(name).ok());
    if let Some(name) = named {
        match earlier_items(gate, previous.as_ref(), &owner).await? {
            Some(items) => continued(&mut call, &items)?,
            None => call.kept_elsewhere = Some((&*name).into()),
        }
    }
    let retention = settings.responses_retention;
    if wants_store(&body) && !retention.is_zero() {
        call.turn = Some(Turn { call: call.id, owner, previous, body, retention });
    }
    Ok(call)
}

/// The refusal of a call that goes on from an answer that is not kept here.
pub(crate) fn not_found(name: &str) -> Refusal {
    let message = format!("Previous response with id '{name}' not found.");
    Refusal::new(Reason::PreviousResponseNotFound, message).with_param(FIELD)
}

/// The items of the conversation that ends with this answer; `None` where the gateway knows nothing
/// of it. An answer that is known here and is not this owner's is never asked of the provider, for
/// whom all owners are one.
async fn earlier_items(
    gate: &Gate,
    previous: Option<&ResponseId>,
    owner: &Owner,
) -> Result<Option<Vec<ByteString>>, Refusal> {
    let Some(id) = previous else { return Ok(None) };
    gate.keeper().settled(id).await;
    let responses = gate.keeper().responses();
    match responses.chain(id, owner, gate.now()).await {
        Ok(Some(rows)) => Ok(Some(rows.into_iter().flat_map(items_of).collect())),
        Ok(None) if responses.is_known(id).await.map_err(|error| unavailable(&error))? => {
            Err(not_found(id.as_str()))
        }
        // A conversation that began at the provider goes on there.
        Ok(None) | Err(ChainError::Broken { .. }) => Ok(None),
        Err(ChainError::Store(error)) => Err(unavailable(&error)),
        Err(error @ (ChainError::TooLong { .. } | ChainError::TooLarge { .. })) => {
            Err(Refusal::new(Reason::FieldOutOfRange, error.to_string()).with_param(FIELD))
        }
    }
}

/// What a turn said: the items that its call added, then those of its answer.
fn items_of(row: ResponseRow) -> Vec<ByteString> {
    let mut items = items_of_array(&row.input_items);
    items.extend(output_items(&Bytes::from(row.response)));
    items
}

fn continued(call: &mut Call, items: &[ByteString]) -> Result<(), Refusal> {
    let body = with_items(&call.request.body, items).map_err(unreadable)?;
    let format = ClientFormat::OpenAiResponses;
    call.request = ClientRequest::read(format, &body, PathSays::default()).map_err(unreadable)?;
    Ok(())
}

/// The store that knows the kept answers cannot be asked.
pub(crate) fn unavailable(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the store of kept answers could not be asked");
    let message = "the store that knows the kept answers cannot be reached";
    Refusal::new(Reason::StoreUnavailable, message)
}
