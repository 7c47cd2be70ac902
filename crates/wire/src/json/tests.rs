//! Scanning and splicing against a full parse.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Kind, Malformed, NESTING_MAX, Object, Raw, Splice, quoted};

fn scan(body: &str) -> Object<'_> {
    Object::scan(body.as_bytes()).expect("a JSON object")
}

fn fault(body: &[u8]) -> Malformed {
    Object::scan(body).expect_err("not a JSON object")
}

/// The body edited, in memory of its own and in place, which must be the same.
fn edited(body: &str, edit: impl Fn(&mut Splice)) -> String {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let object = Object::scan(&body).expect("a JSON object");
    let mut splice = Splice::new(&body, &object);
    edit(&mut splice);
    let mut in_place = Splice::owning(Bytes::from(body.to_vec()), object.layout());
    edit(&mut in_place);
    let out = splice.finish();
    assert_eq!(in_place.finish(), out);
    String::from_utf8(out.to_vec()).expect("UTF-8")
}

/// Line, column and offset.
type Place = (usize, usize, usize);
type Edit<'a> = &'a dyn Fn(&mut Splice);

#[test]
fn members_are_listed_with_their_spans() {
    let body = " { \"model\" : \"gpt\\u002d4\",\n\"n\":1 } ";
    let object = scan(body);
    let model = &object.members()[0];
    assert_eq!(model.name, "model");
    assert_eq!(model.value, "\"gpt\\u002d4\"");
    assert_eq!(&body[model.value_span.clone()], model.value);
    assert_eq!(&body[model.member_span.clone()], "\"model\" : \"gpt\\u002d4\"");
    assert_eq!(model.raw().text().as_deref(), Some("gpt-4"));
    assert_eq!(object.find("n").map(|member| member.value), Some("1"));
    assert!(object.find("stream").is_none());
}

#[test]
fn an_escaped_name_is_the_name_it_spells() {
    let object = scan(r#"{"mod\u0065l":"a","\ud83d\ude00":1,"\ud800":2,"\ud800\u0041":3}"#);
    let names: Vec<&str> = object.members().iter().map(|member| &*member.name).collect();
    assert_eq!(names, ["model", "😀", "\u{FFFD}", "\u{FFFD}A"]);
}

#[test]
fn of_duplicates_the_last_counts_and_all_are_listed() {
    let object = scan(r#"{"n":1,"n":2}"#);
    assert_eq!(object.members().len(), 2);
    assert_eq!(object.find("n").map(|member| member.value), Some("2"));
}

#[test]
fn a_fault_is_named_with_its_line_column_and_offset() {
    let cases: [(&[u8], &str, Place); 24] = [
        (b"", "expected an object, found the end", (1, 1, 0)),
        (b"  ", "expected an object, found the end", (1, 3, 2)),
        (b"[]", "expected an object, found `[`", (1, 1, 0)),
        (b"{", "expected a member name or `}`, found the end", (1, 2, 1)),
        (b"{\"a\"}", "expected `:`, found `}`", (1, 5, 4)),
        (b"{\"a\":}", "expected a value, found `}`", (1, 6, 5)),
        (b"{\"a\":1,}", "expected a member name, found `}`", (1, 8, 7)),
        (b"{,}", "expected a member name or `}`, found `,`", (1, 2, 1)),
        (b"{a:1}", "expected a member name or `}`, found `a`", (1, 2, 1)),
        (b"{\"a\":1\n \"b\":2}", "expected `,` or `}`, found `\"`", (2, 2, 8)),
        (b"{\"a\":[1 2]}", "expected `,` or `]`, found `2`", (1, 9, 8)),
        (b"{\"a\":[1,]}", "expected a value, found `]`", (1, 9, 8)),
        (b"{\"a\":[1}}", "expected `,` or `]`, found `}`", (1, 8, 7)),
        (b"{\"a\":1}x", "expected the end of the body, found `x`", (1, 8, 7)),
        (b"{\"a\":tru}", "expected a value, found `t`", (1, 6, 5)),
        (b"{\"a\":01}", "expected `,` or `}`, found `1`", (1, 7, 6)),
        (b"{\"a\":+1}", "expected a value, found `+`", (1, 6, 5)),
        (b"{\"a\":1.}", "expected a digit, found `}`", (1, 8, 7)),
        (b"{\"a\":-}", "expected a digit, found `}`", (1, 7, 6)),
        (b"{\"a\":1e+}", "expected a digit, found `}`", (1, 9, 8)),
        (b"{\"a\":\"b", "expected the closing `\"`, found the end", (1, 8, 7)),
        (b"{\"a\":\"\\x\"}", "an unknown escape sequence", (1, 7, 6)),
        (b"{\"a\":\"\\u00g0\"}", "an unknown escape sequence", (1, 7, 6)),
        (b"{\"a\":\"b\nc\"}", "a control character inside a string must be escaped", (1, 8, 7)),
    ];
    for (body, detail, place) in cases {
        let found = fault(body);
        let text = String::from_utf8_lossy(body);
        assert_eq!(found.detail, detail, "{text}");
        assert_eq!((found.line, found.column, found.offset), place, "{text}");
    }
}

#[test]
fn columns_count_characters_and_offsets_count_bytes() {
    let found = fault("{\"ä\":\n\"öö\" x}".as_bytes());
    assert_eq!((found.line, found.column, found.offset), (2, 6, 14));
    let text = "expected `,` or `}`, found `x` at line 2, column 6";
    assert_eq!(found.to_string(), text);
}

#[test]
fn a_body_that_is_not_utf8_is_refused_with_the_place() {
    let found = fault(b"{\"a\":\"\xff\"}");
    assert_eq!(found.detail, "the body is not valid UTF-8");
    assert_eq!(found.offset, 6);
    assert_eq!(fault(b"{\"a\":\"\xed\xa0\x80\"}").offset, 6, "an encoded surrogate");
}

#[test]
fn nesting_is_read_to_its_limit_and_no_deeper() {
    let nested = |levels: u32, open: &str, close: &str| {
        let inner = levels as usize - 1;
        format!("{{\"a\":{}1{}}}", open.repeat(inner), close.repeat(inner))
    };
    for (open, close) in [("[", "]"), ("{\"b\":", "}")] {
        assert!(Object::scan(nested(NESTING_MAX, open, close).as_bytes()).is_ok());
        let deeper = fault(nested(NESTING_MAX + 1, open, close).as_bytes());
        assert_eq!(deeper.detail, "nested deeper than 128 levels");
    }
    let hostile = "[".repeat(1_000_000);
    assert_eq!(fault(format!("{{\"a\":{hostile}").as_bytes()).offset, 5 + 127);
}

#[test]
fn a_raw_value_reads_as_what_it_is_and_as_nothing_else() {
    let object = scan(
        r#"{"s":"a\nb","t":true,"i":7,"f":7.0,"e":1e2,"x":1.5,"m":-1,"z":null,
        "a":[1,[2],{}],"o":{"k":null,"l":1,"l":2},"ea":[ ],"eo":{}}"#,
    );
    let raw = |name: &str| object.find(name).expect("a member").raw();
    assert_eq!(raw("s").text().as_deref(), Some("a\nb"));
    assert_eq!((raw("t").boolean(), raw("s").boolean()), (Some(true), None));
    let whole = ["i", "f", "e", "x", "m", "s", "a"].map(|name| raw(name).whole());
    assert_eq!(whole, [Some(7), Some(7), Some(100), None, None, None, None]);
    assert!(raw("z").is_null() && object.value("z").is_none());
    let elements: Vec<&str> = raw("a").elements().map(Raw::as_written).collect();
    assert_eq!(elements, ["1", "[2]", "{}"]);
    assert_eq!(raw("o").find("l").map(Raw::as_written), Some("2"));
    assert!(raw("o").find("k").is_none());
    assert_eq!(raw("o").elements().count() + raw("a").members().count(), 0);
    let holds = ["a", "o", "ea", "eo", "s"].map(|name| raw(name).holds_something());
    assert_eq!(holds, [true, true, false, false, false]);
    assert_eq!(raw("f").kind(), Kind::Number);
    assert_eq!(raw("f").kind().in_words(), "a number");
}

#[test]
fn a_splice_keeps_every_byte_it_does_not_name() {
    let body = "{ \"a\" : 1e-7 ,\n  \"b\":[ 1,2 ], \"c\" : \"\\u0041\" }\n";
    let cases: [(&str, Edit<'_>); 6] = [
        ("{ \"a\" : 1e-7 ,\n  \"b\":0, \"c\" : \"\\u0041\" }\n", &|s| s.set("b", "0")),
        ("{ \"a\" : 1e-7, \"c\" : \"\\u0041\" }\n", &|s| s.remove("b")),
        ("{ \"b\":[ 1,2 ], \"c\" : \"\\u0041\" }\n", &|s| s.remove("a")),
        ("{ \"a\" : 1e-7 ,\n  \"b\":[ 1,2 ] }\n", &|s| s.remove("c")),
        ("{ \"a\" : 1e-7 ,\n  \"b\":[ 1,2 ], \"c\" : \"\\u0041\",\"d\":true }\n", &|s| {
            s.set("d", "true");
        }),
        ("{ \"d\\\"\":2 }\n", &|s| {
            for name in ["a", "b", "c"] {
                s.remove(name);
            }
            s.set("d\"", "1");
            s.set("d\"", "2");
        }),
    ];
    for (wanted, edit) in cases {
        assert_eq!(edited(body, edit), wanted);
    }
    assert_eq!(edited("{}", |s| s.set("a", "1")), "{\"a\":1}");
    assert_eq!(edited(" { } ", |s| s.set("a", "1")), " {\"a\":1 } ");
}

#[test]
fn an_edited_name_stands_once() {
    let body = r#"{"m":"a","x":1,"\u006d":"b","y":2}"#;
    assert_eq!(edited(body, |s| s.set("m", "\"c\"")), r#"{"x":1,"\u006d":"c","y":2}"#);
    assert_eq!(edited(body, |s| s.remove("m")), r#"{"x":1,"y":2}"#);
    assert_eq!(edited(body, |s| s.remove_shadowed("m")), r#"{"x":1,"\u006d":"b","y":2}"#);
    assert_eq!(edited(body, |s| s.remove_shadowed("x")), body);
}

#[test]
fn a_splice_reads_its_own_edits() {
    let body = Bytes::from_static(br#"{"a":1,"b":null}"#);
    let object = Object::scan(&body).expect("a JSON object");
    let mut splice = Splice::new(&body, &object);
    assert_eq!(splice.value("a").map(Raw::as_written), Some("1"));
    assert!(splice.value("b").is_none() && splice.value("c").is_none());
    splice.set("a", "2");
    splice.set("c", "3");
    assert_eq!(splice.value("a").map(Raw::as_written), Some("2"));
    assert_eq!(splice.value("c").map(Raw::as_written), Some("3"));
    splice.remove("a");
    splice.remove("c");
    assert!(splice.value("a").is_none() && splice.value("c").is_none());
}

#[test]
fn members_found_in_one_walk_are_those_found_one_by_one() {
    let body = r#"{"o":{"a":1,"b":null,"\u0063":3,"a":2,"e":[]}}"#;
    let object = scan(body);
    let inside = object.value("o").expect("an object");
    let names = ["a", "b", "c", "d", "e"];
    assert_eq!(inside.find_each(names), names.map(|name| inside.find(name)));
    assert_eq!(
        inside.find_each(["c", "a"]).map(|raw| raw.map(Raw::as_written)),
        [Some("3"), Some("2")]
    );
    assert_eq!(inside.find("e").expect("a list").find_each(["a"]), [None]);
}

#[test]
fn without_edits_the_body_itself_comes_back() {
    let body = Bytes::from_static(b" {\"a\" : 1} ");
    let object = Object::scan(&body).expect("a JSON object");
    let mut splice = Splice::new(&body, &object);
    splice.remove("absent");
    let out = splice.finish();
    assert_eq!(out.as_ptr(), body.as_ptr());
    assert_eq!(out, body);
}

/// Any JSON value of a few levels.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"\\\\é\n]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[a-f]{1,2}", value(), 0..6)
        .prop_map(|map| map.into_iter().collect())
}

/// A body with random white space between its members.
fn written(object: &Map<String, Value>, spaces: &[u8]) -> String {
    let mut space = spaces.iter().cycle().map(|n| [" ", "", "\n", "\t "][usize::from(*n) % 4]);
    let mut blank = || space.next().unwrap_or("");
    let members: Vec<String> = object
        .iter()
        .map(|(k, v)| format!("{}{}{}:{}{v}{}", blank(), quoted(k), blank(), blank(), blank()))
        .collect();
    format!("{}{{{}}}{}", blank(), members.join(","), blank())
}

proptest! {
    #[test]
    fn what_is_quoted_reads_back(text in any::<String>()) {
        let json = quoted(&text);
        prop_assert_eq!(serde_json::from_str::<String>(&json).ok(), Some(text.clone()));
        let body = format!("{{{json}:{json}}}");
        let object = scan(&body);
        prop_assert_eq!(&object.members()[0].name, &text);
        let read = object.members()[0].raw().text();
        prop_assert_eq!(read.as_deref(), Some(&*text));
    }

    #[test]
    fn a_scan_accepts_exactly_what_a_strict_parser_accepts(
        valid in object(),
        at in any::<prop::sample::Index>(),
        byte in prop::sample::select(b"{}[]\",:\\ntfe+-.0 1\n\x01x".as_slice()),
    ) {
        let mut body = serde_json::to_vec(&valid).expect("JSON");
        prop_assert!(Object::scan(&body).is_ok());
        let at = at.index(body.len());
        body[at] = byte;
        // Values are left unread: the grammar allows numbers that no machine number can hold.
        let strict = serde_json::from_slice::<BTreeMap<String, &RawValue>>(&body).is_ok();
        prop_assert_eq!(Object::scan(&body).is_ok(), strict, "{}", String::from_utf8_lossy(&body));
    }

    #[test]
    fn a_scan_of_any_bytes_does_not_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Err(malformed) = Object::scan(&body) {
            prop_assert!(malformed.offset <= body.len());
            prop_assert!(malformed.line >= 1 && malformed.column >= 1);
        }
    }

    #[test]
    fn splicing_is_editing(
        before in object(),
        spaces in prop::collection::vec(any::<u8>(), 1..16),
        edits in prop::collection::vec(("[a-h]{1,2}", prop::option::of(value())), 0..6),
    ) {
        let text = written(&before, &spaces);
        let mut wanted = before;
        let spliced = edited(&text, |splice| {
            for (name, new) in &edits {
                match new {
                    Some(new) => splice.set(name, new.to_string()),
                    None => splice.remove(name),
                }
            }
        });
        for (name, new) in &edits {
            match new {
                Some(new) => wanted.insert(name.clone(), new.clone()),
                None => wanted.remove(name),
            };
        }
        let read: Map<String, Value> = serde_json::from_str(&spliced).expect("JSON");
        prop_assert_eq!(read, wanted);
        // What no edit names is there byte for byte, and in the same order.
        let kept = scan(&text);
        let after = scan(&spliced);
        let touched = |name: &str| edits.iter().any(|(edited, _)| edited == name);
        let members = |object: &Object<'_>, text: &str| -> Vec<String> {
            let kept = object.members().iter().filter(|member| !touched(&member.name));
            kept.map(|member| text[member.member_span.clone()].to_owned()).collect()
        };
        prop_assert_eq!(members(&kept, &text), members(&after, &spliced));
        if edits.is_empty() {
            prop_assert_eq!(spliced, text);
        }
    }

    #[test]
    fn a_string_scan_finds_the_end_at_every_alignment(
        prefix in "[ -!#-\\[\\]-~é😀]{0,20}",
        rest in "[ -!#-\\[\\]-~é😀]{0,20}",
    ) {
        let body = format!("{{\"a\":\"{prefix}\\\"{rest}\",\"b\":\"{rest}\"}}");
        let object = scan(&body);
        let text = object.find("a").and_then(|member| member.raw().text());
        prop_assert_eq!(text.as_deref(), Some(&*format!("{prefix}\"{rest}")));
    }
}

proptest! {
    #[test]
    fn a_run_ends_at_the_first_special_byte(
        plain in prop::collection::vec(prop::sample::select(&b"az !#[]\x7f\x80\xff"[..]), 0..100),
        rest in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
        let bytes = [plain, rest].concat();
        let expected = bytes.iter().position(special).unwrap_or(bytes.len());
        prop_assert_eq!(super::grammar::plain_run(&bytes), expected);
    }
}
