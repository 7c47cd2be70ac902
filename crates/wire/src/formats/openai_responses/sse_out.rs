//! Writing one event: its name twice, its number, and what it holds.

use crate::json::JsonWriter;
use crate::json::write::object;

/// Appends an event. What it holds may be JSON of somebody else's writing; line ends between its
/// values mean nothing and would end the event.
pub(super) fn write_event(
    out: &mut Vec<u8>,
    name: &str,
    number: u64,
    fill: impl FnOnce(&mut JsonWriter<'_>),
) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let start = out.len();
    object(out, |o| {
        o.string("type", name).number("sequence_number", number);
        fill(o);
    });
    let data = out.get_mut(start..).unwrap_or_default();
    for byte in data.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    out.extend_from_slice(b"\n\n");
}
