//! YAML as people write it.

use super::*;
use crate::diagnostic::code;

fn tree(text: &str) -> Value {
    let (node, findings) = read(text);
    assert!(findings.is_empty(), "{findings:?}");
    node.expect("a document").value
}

fn value_of(text: &str) -> Value {
    let Value::Map(map) = tree(text) else { panic!("not a mapping") };
    map.find("x").expect("x").node.value.clone()
}

/// The codes of the findings, each with the text it points at.
fn problems(text: &str) -> Vec<(&'static str, &str)> {
    read(text).1.into_iter().map(|f| (f.code, &text[f.span.start..f.span.end])).collect()
}

fn number(written: &str, json: &str) -> Value {
    Value::Number(Number { written: written.into(), json: json.into() })
}

#[test]
fn plain_scalars_mean_what_they_mean_to_a_yaml_1_1_loader() {
    let text = |text: &str| Value::Text(text.into());
    let cases = [
        ("", Value::Null),
        ("~", Value::Null),
        ("null", Value::Null),
        ("yes", Value::Bool(true)),
        ("On", Value::Bool(true)),
        ("OFF", Value::Bool(false)),
        ("y", text("y")),
        ("12", number("12", "12")),
        ("+12", number("+12", "12")),
        ("-0.5", number("-0.5", "-0.5")),
        ("1_000", number("1_000", "1000")),
        ("0123", number("0123", "83")),
        ("0189", text("0189")),
        ("0x1F", number("0x1F", "31")),
        ("0b101", number("0b101", "5")),
        (".5", number(".5", "0.5")),
        ("5.", number("5.", "5")),
        ("00.5", number("00.5", "0.5")),
        ("1.5e-7", number("1.5e-7", "1.5e-7")),
        ("1e-6", number("1e-6", "1e-6")),
        ("1e", text("1e")),
        ("1.2.3", text("1.2.3")),
        ("-", text("-")),
        ("'12'", text("12")),
        ("\"yes\"", text("yes")),
        ("!!str 12", text("12")),
        ("2024-10-21", text("2024-10-21")),
        (".nan", text(".nan")),
        ("1:30", text("1:30")),
        ("os.environ/NAME", text("os.environ/NAME")),
        ("|\n  a\n  b\n", text("a\nb\n")),
    ];
    for (written, expected) in cases {
        // A lone dash would begin a list.
        let written = if written == "-" { "\"-\"" } else { written };
        assert_eq!(value_of(&format!("x: {written}")), expected, "{written}");
    }
}

#[test]
fn every_number_is_valid_json() {
    for text in ["0", "-0", "007", "1_0.5_0", ".5", "5.", "-.5e+3", "0.10", "0xff"] {
        let Value::Number(number) = value_of(&format!("x: {text}")) else { panic!("{text}") };
        serde_json::from_str::<f64>(&number.json).unwrap_or_else(|_| panic!("{text}: {number:?}"));
    }
}

#[test]
fn every_value_knows_where_it_stands() {
    let text = "a: 1\nlist:\n  - é: two\n";
    let Value::Map(map) = tree(text) else { panic!("not a mapping") };
    let list = map.find("list").expect("list");
    assert_eq!(&text[list.name_span.clone()], "list");
    let Value::List(items) = &list.node.value else { panic!("not a list") };
    let Value::Map(inner) = &items[0].value else { panic!("not a mapping") };
    assert_eq!(&text[inner.entries[0].name_span.clone()], "é");
    assert_eq!(&text[inner.entries[0].node.span.clone()], "two");
}

#[test]
fn all_duplicates_are_found_and_the_first_one_stays() {
    let text = "x: 1\ny: {z: 1, z: 2}\nx: 3\n";
    assert_eq!(problems(text), [(code::DUPLICATE_KEY, "z"), (code::DUPLICATE_KEY, "x")]);
    let (node, _) = read(text);
    let Some(Value::Map(map)) = node.map(|node| node.value) else { panic!("not a mapping") };
    assert_eq!(map.find("x").map(|e| &e.node.value), Some(&number("1", "1")));
}

#[test]
fn merge_keys_and_aliases_are_resolved() {
    let text = "base: &b {a: 1, b: 2}\nother: &o {b: 3, c: 4}\nx: {<<: [*b, *o], a: 9}\n";
    let Value::Map(x) = value_of(text) else { panic!("not a mapping") };
    let json: Vec<(&str, &Value)> = x.entries.iter().map(|e| (&*e.name, &e.node.value)).collect();
    assert_eq!(
        json,
        [("a", &number("9", "9")), ("b", &number("2", "2")), ("c", &number("4", "4"))]
    );
    assert_eq!(problems("x: {<<: 3}"), [(code::WRONG_TYPE, "3")]);
    assert_eq!(value_of("x: {\"<<\": 3}"), tree("{\"<<\": 3}"));
}

#[test]
fn what_is_no_yaml_is_one_finding_where_reading_stopped() {
    for text in ["a: [1, 2", "a:\n\t- b\n", "a: b: c", "\"open", "a: 1\n b: 2\n", "%", "@x"] {
        let (node, findings) = read(text);
        assert!(node.is_none(), "{text:?}");
        assert_eq!(findings.last().map(|f| f.code), Some(code::YAML_SYNTAX), "{text:?}");
    }
}

#[test]
fn what_a_loader_would_pass_over_is_a_finding() {
    let cases = [
        ("a: *nowhere", code::YAML_ALIAS),
        ("a: &x [*x]", code::YAML_ALIAS),
        ("a: 1\n---\nb: 2", code::YAML_DOCUMENTS),
        ("? [a, b]\n: c", code::YAML_KEY),
        ("a: !secret b", code::YAML_TAG),
    ];
    for (text, code) in cases {
        assert_eq!(problems(text).first().map(|(code, _)| *code), Some(code), "{text}");
    }
}

#[test]
fn aliases_cannot_blow_a_file_up() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let row = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{row}]\n"));
    }
    assert_eq!(problems(&text).first().map(|(code, _)| *code), Some(code::YAML_LIMIT));
}

#[test]
fn a_file_cannot_be_nested_without_end() {
    let deep = |levels: usize| format!("x: {}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(problems(&deep(90)).is_empty());
    assert!(!problems(&deep(100)).is_empty());
    assert!(!problems(&deep(100_000)).is_empty());
    let mut chain = String::from("a0: &a0 [x]\n");
    for level in 1..200 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert_eq!(problems(&chain).first().map(|(code, _)| *code), Some(code::YAML_LIMIT));
}
