//! The scanner and the splicer, against another reader of JSON.

use bytes::Bytes;
use tollgate_wire::json::{Kind, NESTING_MAX, Object, Raw, Splice, quoted};

use super::valid::{depth, is_json};

/// The body of the target `json`.
pub(crate) fn check(data: &[u8]) {
    match (Object::scan(data), std::str::from_utf8(data)) {
        (Ok(object), Ok(text)) => {
            assert!(is_json(data) && depth(text) <= NESTING_MAX, "{text}");
            for member in object.members() {
                walk(member.raw());
                assert_eq!(text.get(member.value_span.clone()), Some(member.value));
            }
            splice(data, &object);
        }
        (Ok(_), Err(_)) => panic!("a body that is no text was read"),
        (Err(malformed), text) => {
            assert!(malformed.offset <= data.len() && malformed.line >= 1 && malformed.column >= 1);
            let readable = text.is_ok_and(|text| {
                text.trim_ascii_start().starts_with('{') && depth(text) <= NESTING_MAX
            });
            assert!(!(readable && is_json(data)), "JSON is refused: {malformed}");
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let again: String = serde_json::from_str(&quoted(text)).expect("a quoted text is JSON");
        assert_eq!(again, text);
    }
}

/// Every value is what its text says, down to the deepest.
fn walk(raw: Raw<'_>) {
    assert!(is_json(raw.as_written().as_bytes()), "a piece of JSON is JSON");
    let (members, elements) = (raw.members().count(), raw.elements().count());
    match raw.kind() {
        Kind::Object => {
            assert_eq!((raw.holds_something(), elements), (members > 0, 0));
            raw.members().for_each(|(_, value)| walk(value));
        }
        Kind::Array => {
            assert_eq!((raw.holds_something(), members), (elements > 0, 0));
            raw.elements().for_each(walk);
        }
        kind => {
            assert_eq!((members, elements), (0, 0));
            assert_eq!(raw.text().is_some(), kind == Kind::String);
            assert_eq!(raw.boolean().is_some(), kind == Kind::Boolean);
            assert!(raw.whole().is_none() || kind == Kind::Number);
            check_scalar(raw);
        }
    }
}

fn check_scalar(raw: Raw<'_>) {
    // The other reader refuses lone surrogates, which become U+FFFD here.
    if let (Some(text), Ok(other)) = (raw.text(), serde_json::from_str::<String>(raw.as_written()))
    {
        assert_eq!(text, other);
    }
    if let Ok(number) = serde_json::from_str::<u64>(raw.as_written()) {
        assert_eq!(raw.whole(), Some(number));
    }
}

/// Edits change what they name and nothing else.
fn splice(data: &[u8], object: &Object<'_>) {
    let body = Bytes::copy_from_slice(data);
    assert_eq!(Splice::new(&body, object).finish(), body, "no edit changes nothing");
    let names = object.members().iter().map(|member| &*member.name);
    for name in names.take(3).chain(["\u{1}\"new"]) {
        let mut set = Splice::new(&body, object);
        set.set(name, "[1e400]");
        others_stand(object, name, &set.finish(), Some("[1e400]"));
        let mut removed = Splice::new(&body, object);
        removed.remove(name);
        others_stand(object, name, &removed.finish(), None);
    }
}

fn others_stand(before: &Object<'_>, name: &str, edited: &[u8], value: Option<&str>) {
    assert!(is_json(edited), "{}", String::from_utf8_lossy(edited));
    let after = Object::scan(edited).expect("an edited body is JSON");
    let others = |object: &Object<'_>| -> Vec<(String, String)> {
        let others = object.members().iter().filter(|member| member.name != name);
        others.map(|member| (member.name.to_string(), member.value.to_owned())).collect()
    };
    assert_eq!(others(&after), others(before), "other members stand");
    assert_eq!(after.find(name).map(|member| member.value), value);
}
