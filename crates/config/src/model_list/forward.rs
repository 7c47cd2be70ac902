//! What of a client's own headers goes on to a deployment: the entry's word, else the file's.

use crate::deployment::Forwards;
use crate::pattern::Pattern;
use crate::schema::{Reader, Section};
use crate::settings::Shared;

/// Reads the entry's own `forward_client_headers_to_llm_api` and
/// `forward_llm_provider_auth_headers`, which decide where they stand. Else the file's flags hold,
/// and for headers the list of model groups too.
pub(super) fn read(
    reader: &mut Reader<'_>,
    params: &mut Section<'_>,
    shared: &Shared,
    group: &str,
) -> Forwards {
    let mut flag = |name| params.take(name).and_then(|entry| reader.flag(entry));
    let own_headers = flag("forward_client_headers_to_llm_api");
    let own_keys = flag("forward_llm_provider_auth_headers");
    let listed = shared.forwarding_groups.iter().any(|listed| means(listed, group));
    let headers = own_headers.unwrap_or(shared.forwards.headers || listed);
    let keys = own_keys.unwrap_or(shared.forwards.keys);
    Forwards {
        headers,
        account: shared.forwards.account,
        keys,
        tokens: own_keys.unwrap_or(keys || headers),
    }
}

/// Whether a name of the list, which may hold `*`, means a group.
fn means(listed: &str, group: &str) -> bool {
    listed == group || Pattern::read(listed).is_some_and(|listed| listed.captures(group).is_some())
}
