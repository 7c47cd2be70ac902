//! Pictures and documents that a client names by their address, brought for deployments that want
//! the bytes, before the request is translated.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytestring::ByteString;
use futures_util::stream::{self, StreamExt as _};
use tollgate_config::{Deployment, Settings};
use tollgate_faults::{Reason, Refusal};
use tollgate_upstream::FetchRules;
use tollgate_wire::conversation::Conversation;
use tollgate_wire::translate::{Remote, remote_media, wants_bytes, with_media};

use crate::attempt::failed::Failed;
use crate::gate::Gate;
use crate::ingress::{Call, unreadable};

/// Most media that are fetched for one call.
const MEDIA_MAX: usize = 20;

/// Largest of them, in bytes: 20 MiB.
const MEDIUM_BYTES_MAX: usize = 20 * 1024 * 1024;

/// Most bytes of them all for one call: 50 MiB.
const MEDIA_BYTES_MAX: usize = 50 * 1024 * 1024;

/// Longest time for each.
const FETCH_TIME_MAX: Duration = Duration::from_secs(20);

/// Most of them that are fetched at a time for one call.
const AT_ONCE_MAX: usize = 4;

/// The call's conversation with the bytes of what it names by address; `None` where the deployment
/// does not need them or there is nothing of the kind.
///
/// # Errors
/// Refused with the place in the conversation, where something cannot be brought.
pub(super) async fn brought(
    gate: &Gate,
    settings: &Settings,
    call: &Call,
    deployment: &Deployment,
) -> Result<Option<Conversation>, Failed> {
    let format = call.request.format.wire();
    let endpoint = deployment.endpoint(format);
    let Some(endpoint) = endpoint.filter(|at| wants_bytes(at) && at.format != format) else {
        return Ok(None);
    };
    if !settings.fetch_media.enabled {
        return Ok(None);
    }
    // What the operator has dropped is not fetched either.
    let broken = |problem| Failed::of_client(unreadable(problem));
    let cut;
    let conversation = match call.request.without(&deployment.drop_paths).map_err(broken)? {
        Some((request, _)) => {
            let sealer = gate.sealer().map(AsRef::as_ref);
            cut = request.conversation(sealer).map_err(broken)?;
            &cut
        }
        None => call.conversation(gate.sealer()).map_err(Failed::of_client)?,
    };
    let mut remote = remote_media(conversation, endpoint.format);
    if remote.is_empty() {
        return Ok(None);
    }
    let mut seen: Vec<ByteString> = Vec::new();
    remote.retain(|one| {
        let new = !seen.contains(&one.url);
        if new {
            seen.push(one.url.clone());
        }
        new
    });
    if let Some(one) = remote.get(MEDIA_MAX) {
        let why = format!("no more than {MEDIA_MAX} pictures and documents are fetched for a call");
        return Err(Failed::of_client(refused(one, &why)));
    }
    let fetched = fetched(gate, settings, &remote).await.map_err(Failed::of_client)?;
    Ok(Some(with_media(conversation, &fetched)))
}

/// Address, media type and bytes in base64.
type Medium = (ByteString, ByteString, ByteString);

async fn fetched(
    gate: &Gate,
    settings: &Settings,
    remote: &[Remote],
) -> Result<Vec<Medium>, Refusal> {
    let rules = FetchRules {
        allowed_hosts: &settings.fetch_media.allowed_hosts,
        bytes_max: MEDIUM_BYTES_MAX,
        total: FETCH_TIME_MAX,
    };
    let fetch = |one: Remote| async move {
        let fetched = gate.upstream().fetch(&one.url, rules).await;
        (one, fetched)
    };
    let mut coming = stream::iter(remote.to_vec()).map(fetch).buffered(AT_ONCE_MAX);
    let (mut media, mut bytes) = (Vec::new(), 0);
    while let Some((one, fetched)) = coming.next().await {
        let fetched = fetched.map_err(|error| refused(&one, &error.to_string()))?;
        bytes += fetched.bytes.len();
        if bytes > MEDIA_BYTES_MAX {
            let why = format!("all together they are larger than {MEDIA_BYTES_MAX} bytes");
            return Err(refused(&one, &why));
        }
        media.push((one.url, fetched.media_type.into(), STANDARD.encode(&fetched.bytes).into()));
    }
    Ok(media)
}

fn refused(remote: &Remote, why: &str) -> Refusal {
    let place = &remote.place;
    let message = format!("what `{place}` names by its address cannot be fetched: {why}");
    Refusal::new(Reason::FieldOutOfRange, message)
        .with_param(&**place)
        .with_fix("send it in base64, as a `data:` URL")
}
