//! The request as it goes upstream: the client's bytes with the few edits that the deployment asks
//! for.

use bytes::Bytes;

use super::ChatRequest;
use super::fit::fit_model;
use crate::capability::Capability;
use crate::formats::client_fields::{Standing, standing};
use crate::json::{Kind, Layout, Malformed, Object, Splice, quoted};
use crate::provider::{OUTPUT_LIMITS, Quirks};

/// The members that the gateway has read and decided on. Of these no duplicate goes upstream: a
/// reader that takes the first of two would read something else than what was admitted.
const READ_MEMBERS: [&str; 11] = [
    "model",
    "messages",
    "tools",
    "functions",
    "response_format",
    "stream",
    "stream_options",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "user",
];

/// What a deployment changes in a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestPatch<'a> {
    /// The model's name at the provider.
    pub model: &'a str,
    /// Field and raw JSON: set where the client sent none (`null` is none).
    pub defaults: &'a [(Box<str>, Box<str>)],
    /// Field and raw JSON: always set, last, and never dropped or renamed.
    pub extra: &'a [(Box<str>, Box<str>)],
    /// Ask for the usage at the end of a stream when the client did not.
    pub send_stream_usage: bool,
    /// Fields that the operator says are not sent.
    pub drop_fields: &'a [Box<str>],
    /// What the provider deviates in. The fields that it does not take go too, unless `passes` has
    /// them.
    pub quirks: &'a Quirks,
    /// What the model takes: see [`RequestPatch::unsupported`].
    pub capability: &'a Capability,
    /// Fields that go to the model whatever is known about it (`allowed_openai_params`).
    pub passes: &'a [Box<str>],
}

impl<'a> RequestPatch<'a> {
    /// The client's fields that this patch drops, so that the client can be told.
    pub fn dropped<'r>(&'r self, request: &'r ChatRequest) -> impl Iterator<Item = &'a str> + 'r {
        let sent = |field: &str| request.field_names().any(|name| name == field);
        self.all_drops().filter(move |field| sent(field))
    }

    /// The fields that never go upstream, each once.
    fn all_drops(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (own, passes) = (self.drop_fields, self.passes);
        let theirs = self.quirks.drop_fields.iter();
        let theirs = theirs.filter(move |field| !own.contains(field) && !passes.contains(field));
        own.iter().chain(theirs).map(|field| &**field)
    }
}

/// The body to send upstream. Every byte that no edit names is kept, and without edits it is the
/// client's body.
///
/// # Errors
/// [`Malformed`] when `body` is not the body that `request` was read from and cannot be scanned.
pub fn upstream_body(
    body: &Bytes,
    request: &ChatRequest,
    patch: &RequestPatch<'_>,
) -> Result<Bytes, Malformed> {
    let layout = layout_of(body, request)?;
    Ok(patched(body.clone(), &layout, request, patch)?.finish())
}

/// A body with the edits made on it. One that nobody else holds, `request` included, is finished in
/// its own memory.
pub(crate) fn patched(
    body: Bytes,
    layout: &Layout,
    request: &ChatRequest,
    patch: &RequestPatch<'_>,
) -> Result<Splice, Malformed> {
    let mut splice = Splice::owning(body, layout.clone());
    for name in READ_MEMBERS {
        splice.remove_shadowed(name);
    }
    for name in layout.names() {
        if matches!(standing(name), Standing::Gateway(_)) {
            splice.remove(name);
        }
    }
    set_defaults(&mut splice, patch.defaults);
    fit_model(&mut splice, patch);
    if request.stream && !request.include_usage && patch.send_stream_usage {
        ask_for_usage(&mut splice)?;
    }
    patch.quirks.apply(&mut splice);
    patch.all_drops().for_each(|field| splice.remove(field));
    for (name, raw) in patch.extra {
        splice.set(name, raw.clone());
    }
    set_model(&mut splice, patch.model);
    Ok(splice)
}

/// The layout kept from reading, when this is the very body that was read: the request holds it, so
/// the same address and length are the same bytes.
fn layout_of(body: &Bytes, request: &ChatRequest) -> Result<Layout, Malformed> {
    let read = &request.source.body;
    if body.as_ptr() == read.as_ptr() && body.len() == read.len() {
        return Ok(request.source.layout.clone());
    }
    Object::scan(body).map(|object| object.layout())
}

fn set_defaults(splice: &mut Splice, defaults: &[(Box<str>, Box<str>)]) {
    for (name, raw) in defaults {
        let limit = OUTPUT_LIMITS.contains(&&**name);
        let limited = OUTPUT_LIMITS.iter().any(|limit| splice.value(limit).is_some());
        if splice.value(name).is_none() && !(limit && limited) {
            splice.set(name, raw.clone());
        }
    }
}

/// Sets `include_usage` beside whatever other stream options the client sent.
fn ask_for_usage(splice: &mut Splice) -> Result<(), Malformed> {
    let options = splice.value("stream_options").filter(|raw| raw.kind() == Kind::Object);
    let asked: Box<str> = match options {
        None => r#"{"include_usage":true}"#.into(),
        Some(options) => {
            let options = Bytes::copy_from_slice(options.as_written().as_bytes());
            let mut inner = Splice::new(&options, &Object::scan(&options)?);
            inner.set("include_usage", "true");
            String::from_utf8_lossy(&inner.finish()).into()
        }
    };
    splice.set("stream_options", asked);
    Ok(())
}

fn set_model(splice: &mut Splice, model: &str) {
    let present = splice.value("model").and_then(|raw| raw.text().map(|text| text == model));
    if present != Some(true) {
        splice.set("model", quoted(model));
    }
}

#[cfg(test)]
mod tests;
