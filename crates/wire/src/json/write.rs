//! Writing JSON: members and elements are appended in the order they are given, so the same calls
//! always give the same bytes.
//!
//! Commas and quotes are the writer's business, the order and the closing brackets are the
//! caller's: the closure that fills an object or an array ends before its bracket is written, so
//! nothing can be left open.

use std::io::Write as _;

use super::Layout;
use super::grammar::plain_run;
use super::scan::Place;

/// Appends one JSON value after the other to a buffer.
///
/// Inside an object every call is given a member's name; inside an array the calls of [`Array`]
/// are used. Both come from [`object`] and [`array`] or from a value of their own.
#[derive(Debug)]
pub struct JsonWriter<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
    /// Where the members begin, when somebody wants to know.
    places: Option<&'a mut Vec<Place>>,
}

/// An array that is being written.
#[derive(Debug)]
pub struct Array<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

/// Appends an object, whose members `fill` writes.
pub fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut JsonWriter<'_>)) {
    out.push(b'{');
    fill(&mut JsonWriter { out, empty: true, places: None });
    out.push(b'}');
}

/// Writes an object as a whole body, whose members `fill` writes, and tells where they stand as a
/// scan of it would.
pub fn body(out: &mut Vec<u8>, fill: impl FnOnce(&mut JsonWriter<'_>)) -> Layout {
    let mut places = Vec::new();
    out.clear();
    out.push(b'{');
    let inside = out.len();
    fill(&mut JsonWriter { out, empty: true, places: Some(&mut places) });
    end_member(&mut places, out.len());
    out.push(b'}');
    Layout { places: places.into(), inside }
}

/// The last member, if there is one, ends here.
fn end_member(places: &mut [Place], at: usize) {
    if let Some(last) = places.last_mut() {
        last.value.end = at;
        last.member.end = at;
    }
}

/// Appends an array, whose elements `fill` writes.
pub fn array(out: &mut Vec<u8>, fill: impl FnOnce(&mut Array<'_>)) {
    out.push(b'[');
    fill(&mut Array { out, empty: true });
    out.push(b']');
}

/// Appends a text as a JSON string with its quotes.
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text);
    out.push(b'"');
}

impl JsonWriter<'_> {
    /// A member that is a string.
    pub fn string(&mut self, name: &str, text: &str) -> &mut Self {
        self.name(name);
        string(self.out, text);
        self
    }

    /// A member that is one string made of several pieces, such as `data:`, a media type and
    /// base64, without joining them first.
    pub fn joined(&mut self, name: &str, pieces: &[&str]) -> &mut Self {
        self.name(name);
        self.out.push(b'"');
        for piece in pieces {
            escape(self.out, piece);
        }
        self.out.push(b'"');
        self
    }

    /// A member whose value is JSON already and goes out as it is. The caller has it from a scan.
    pub fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name);
        self.out.extend_from_slice(json.as_bytes());
        self
    }

    /// A member that is a whole number.
    pub fn number(&mut self, name: &str, number: u64) -> &mut Self {
        self.name(name);
        // Writing to a `Vec` cannot fail.
        let _ = write!(self.out, "{number}");
        self
    }

    /// A member that is `true` or `false`.
    pub fn boolean(&mut self, name: &str, yes: bool) -> &mut Self {
        self.raw(name, if yes { "true" } else { "false" })
    }

    /// A member that is `null`.
    pub fn null(&mut self, name: &str) -> &mut Self {
        self.raw(name, "null")
    }

    /// A member that is an object, whose members `fill` writes.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut JsonWriter<'_>)) -> &mut Self {
        self.name(name);
        object(self.out, fill);
        self
    }

    /// A member that is an array, whose elements `fill` writes.
    pub fn array(&mut self, name: &str, fill: impl FnOnce(&mut Array<'_>)) -> &mut Self {
        self.name(name);
        array(self.out, fill);
        self
    }

    /// A member that is an array of strings.
    pub fn strings<T: AsRef<str>>(&mut self, name: &str, texts: &[T]) -> &mut Self {
        self.array(name, |elements| {
            for text in texts {
                elements.string(text.as_ref());
            }
        })
    }

    fn name(&mut self, name: &str) {
        if let Some(places) = &mut self.places {
            end_member(places, self.out.len());
        }
        separate(self.out, &mut self.empty);
        let start = self.out.len();
        string(self.out, name);
        self.out.push(b':');
        if let Some(places) = &mut self.places {
            let value = self.out.len();
            places.push(Place { name: name.into(), value: value..value, member: start..value });
        }
    }
}

impl Array<'_> {
    /// Whether nothing was written yet.
    pub const fn is_empty(&self) -> bool {
        self.empty
    }

    /// An element that is a string.
    pub fn string(&mut self, text: &str) -> &mut Self {
        separate(self.out, &mut self.empty);
        string(self.out, text);
        self
    }

    /// An element that is JSON already and goes out as it is. The caller has it from a scan.
    pub fn raw(&mut self, json: &str) -> &mut Self {
        separate(self.out, &mut self.empty);
        self.out.extend_from_slice(json.as_bytes());
        self
    }

    /// An element that is an object, whose members `fill` writes.
    pub fn object(&mut self, fill: impl FnOnce(&mut JsonWriter<'_>)) -> &mut Self {
        separate(self.out, &mut self.empty);
        object(self.out, fill);
        self
    }

    /// An element that is an array, whose elements `fill` writes.
    pub fn array(&mut self, fill: impl FnOnce(&mut Array<'_>)) -> &mut Self {
        separate(self.out, &mut self.empty);
        array(self.out, fill);
        self
    }
}

fn separate(out: &mut Vec<u8>, empty: &mut bool) {
    if !*empty {
        out.push(b',');
    }
    *empty = false;
}

/// Appends the inner part of a string. What needs no escape is copied in runs, so that base64 costs
/// one scan and one copy.
fn escape(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    loop {
        let (plain, after) = rest.split_at(plain_run(rest));
        out.extend_from_slice(plain);
        let Some((special, tail)) = after.split_first() else { return };
        escape_byte(out, *special);
        rest = tail;
    }
}

fn escape_byte(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::json::Object;

    fn written(fill: impl FnOnce(&mut JsonWriter<'_>)) -> String {
        let mut out = Vec::new();
        object(&mut out, fill);
        String::from_utf8(out).expect("texts stay texts")
    }

    #[test]
    fn members_come_in_the_order_they_are_given() {
        let text = written(|o| {
            o.string("z", "a\"b\\\n\u{1}é").number("n", 7).boolean("b", true).null("x");
            o.raw("r", r#"{ "kept" : 1e-7 }"#).joined("j", &["data:", "a\"", ";base64,"]);
            o.object("o", |_| {}).strings("s", &["1", "2"]);
            o.array("a", |a| {
                a.string("t").raw("1.0").object(|o| _ = o.null("n")).array(|_| {});
            });
        });
        assert_eq!(
            text,
            concat!(
                r#"{"z":"a\"b\\\n\u0001é","n":7,"b":true,"x":null,"#,
                r#""r":{ "kept" : 1e-7 },"j":"data:a\";base64,","#,
                r#""o":{},"s":["1","2"],"a":["t",1.0,{"n":null},[]]}"#
            )
        );
    }

    proptest! {
        #[test]
        fn a_body_is_laid_out_as_a_scan_finds_it(
            names in proptest::collection::vec(any::<String>(), 0..5),
            text in any::<String>(),
        ) {
            let mut out = b"before".to_vec();
            let layout = body(&mut out, |o| {
                for name in &names {
                    o.string(name, &text).object(name, |o| _ = o.string(name, &text));
                }
            });
            let object = Object::scan(&out).expect("what is written is JSON");
            prop_assert_eq!(&layout, &object.layout());
            let laid_out = Object::laid_out(&out, &layout).expect("its own layout");
            prop_assert_eq!(laid_out.layout(), layout);
        }

        #[test]
        fn any_text_reads_back_as_itself(name in any::<String>(), text in any::<String>()) {
            let read: Value = serde_json::from_str(&written(|o| _ = o.string(&name, &text)))
                .expect("what is written is JSON");
            prop_assert_eq!(read, json!({ name: text }));
        }
    }
}
