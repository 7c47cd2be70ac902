//! Whether bytes are JSON, told by another reader than the crate's own.

use serde::de::IgnoredAny;

/// Whether bytes are one JSON value. There is no limit to how deep it nests.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// # Panics
/// When bytes that were written are not one JSON object.
pub(crate) fn assert_object(bytes: &[u8], what: &str) {
    let opens = bytes.trim_ascii_start().starts_with(b"{");
    assert!(opens && is_json(bytes), "{what} is no JSON: {}", String::from_utf8_lossy(bytes));
}

/// How deep the brackets of a JSON text nest.
pub(crate) fn depth(text: &str) -> u32 {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_u32, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
