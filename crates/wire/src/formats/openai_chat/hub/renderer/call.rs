//! The fragments of a tool call in a stream.

use super::super::answer_out::write_seal;
use crate::json::write::JsonWriter;

pub(super) fn begin_call(call: &mut JsonWriter<'_>, id: &str, name: &str, custom: bool) {
    call.string("id", id);
    let (kind, arguments) = words(custom);
    call.string("type", kind).object(kind, |called| {
        called.string("name", name).string(arguments, "");
    });
}

pub(super) fn continue_call(call: &mut JsonWriter<'_>, text: &str, custom: bool) {
    let (kind, arguments) = words(custom);
    call.object(kind, |called| _ = called.string(arguments, text));
}

/// Clients refuse a fragment of a call without its function.
pub(super) fn seal_call(call: &mut JsonWriter<'_>, seal: &str, custom: bool) {
    continue_call(call, "", custom);
    write_seal(call, seal);
}

/// What a call's kind and its arguments are called.
const fn words(custom: bool) -> (&'static str, &'static str) {
    if custom { ("custom", "input") } else { ("function", "arguments") }
}
