//! What is cut out of a body, and that nothing else is.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn paths(written: &[&str]) -> Vec<JsonPath> {
    written.iter().map(|text| JsonPath::parse(text).expect("a path")).collect()
}

fn cut(body: &str, written: &[&str]) -> (String, Vec<String>) {
    let paths = paths(written);
    let (body, hit) = without(&Bytes::from(body.to_owned()), &paths).expect("an object");
    let text = String::from_utf8(body.to_vec()).expect("text");
    (text, hit.into_iter().map(ToString::to_string).collect())
}

#[test]
fn what_a_path_names_goes_and_every_other_byte_stays() {
    let body =
        r#"{ "a" : 1.0,  "tools":[ {"x":1, "y" : 2} ,{"y":3,"x":{"z":1}}, 7 ],"b":{"c":null}}"#;
    for (path, left) in [
        ("a", r#"{ "tools":[ {"x":1, "y" : 2} ,{"y":3,"x":{"z":1}}, 7 ],"b":{"c":null}}"#),
        ("b", r#"{ "a" : 1.0,  "tools":[ {"x":1, "y" : 2} ,{"y":3,"x":{"z":1}}, 7 ]}"#),
        ("b.c", r#"{ "a" : 1.0,  "tools":[ {"x":1, "y" : 2} ,{"y":3,"x":{"z":1}}, 7 ],"b":{}}"#),
        ("tools[*].x", r#"{ "a" : 1.0,  "tools":[ {"y" : 2} ,{"y":3}, 7 ],"b":{"c":null}}"#),
        (
            "tools[0].y",
            r#"{ "a" : 1.0,  "tools":[ {"x":1} ,{"y":3,"x":{"z":1}}, 7 ],"b":{"c":null}}"#,
        ),
        ("tools[1]", r#"{ "a" : 1.0,  "tools":[ {"x":1, "y" : 2}, 7 ],"b":{"c":null}}"#),
        ("tools[*]", r#"{ "a" : 1.0,  "tools":[  ],"b":{"c":null}}"#),
        (
            "tools[*].x.z",
            r#"{ "a" : 1.0,  "tools":[ {"x":1, "y" : 2} ,{"y":3,"x":{}}, 7 ],"b":{"c":null}}"#,
        ),
    ] {
        assert_eq!(cut(body, &[path]), (left.to_owned(), vec![path.to_owned()]), "{path}");
    }
}

#[test]
fn a_path_that_leads_nowhere_gives_the_same_body() {
    let body = Bytes::from_static(br#"{"a":{"b":1},"c":[1],"d":"x"}"#);
    let none = paths(&["z", "a.z", "a[0]", "a[*].b", "c[1]", "c.b", "d.e", "d[0]"]);
    let (same, hit) = without(&body, &none).expect("an object");
    assert_eq!((same.as_ptr(), same.len(), hit), (body.as_ptr(), body.len(), Vec::new()));
}

#[test]
fn several_paths_count_places_in_the_body_as_it_came() {
    let body = r#"{"a":[0,1,2,3],"b":{"c":1,"c":2,"d":3},"k\u0065y":1}"#;
    let (left, hit) = cut(body, &["a[0]", "a[1]", "a[3]", "b.c", "b", "key", "z"]);
    assert_eq!(left, r#"{"a":[2]}"#);
    assert_eq!(hit, ["a[0]", "a[1]", "a[3]", "b", "key"].map(String::from));
}

#[test]
fn a_text_that_is_no_path_says_where() {
    for (text, at, detail) in [
        ("", 1, "a name is missing"),
        ("a.", 3, "a name is missing"),
        (".a", 1, "a name is missing"),
        ("a..b", 3, "a name is missing"),
        ("[0]", 1, "a name is missing"),
        ("é[", 2, "`[` is never closed"),
        ("a[x]", 3, "between `[` and `]` stands a number or `*`"),
        ("a[]", 3, "between `[` and `]` stands a number or `*`"),
        ("a[-1]", 3, "between `[` and `]` stands a number or `*`"),
        ("a[0]b", 5, "`.` or the end is expected"),
        ("a]", 2, "`.` or the end is expected"),
        ("a[99999999999999999999]", 3, "between `[` and `]` stands a number or `*`"),
    ] {
        assert_eq!(JsonPath::parse(text), Err(PathProblem { detail, at }), "{text}");
    }
    let deepest = "a[0]".to_owned() + &"[0]".repeat(STEPS_MAX - 2);
    assert!(JsonPath::parse(&deepest).is_ok());
    assert!(JsonPath::parse(&(deepest + "[0]")).is_err());
    assert!(JsonPath::parse(&"a".repeat(PATH_BYTES_MAX)).is_ok());
    assert!(JsonPath::parse(&"a".repeat(PATH_BYTES_MAX + 1)).is_err());
}

/// What the paths mean, on a tree.
fn removed(value: &mut Value, steps: &[Step]) {
    let Some((step, rest)) = steps.split_first() else { return };
    match (step, value) {
        (Step::Member(name), Value::Object(map)) if rest.is_empty() => {
            map.remove(&**name);
        }
        (Step::Member(name), Value::Object(map)) => {
            if let Some(inside) = map.get_mut(&**name) {
                removed(inside, rest);
            }
        }
        (Step::Element(at), Value::Array(items)) if rest.is_empty() && *at < items.len() => {
            items.remove(*at);
        }
        (Step::Element(at), Value::Array(items)) => {
            if let Some(inside) = items.get_mut(*at) {
                removed(inside, rest);
            }
        }
        (Step::Elements, Value::Array(items)) if rest.is_empty() => items.clear(),
        (Step::Elements, Value::Array(items)) => {
            items.iter_mut().for_each(|inside| removed(inside, rest));
        }
        _ => {}
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn one_path_removes_from_the_text_what_it_removes_from_the_tree(
        body in prop::collection::btree_map("[a-c]", json(), 0..4),
        path in r"[a-c](\[(\*|[0-2])\]){0,2}(\.[a-c](\[(\*|[0-2])\])?){0,2}",
        pretty in any::<bool>(),
    ) {
        let mut tree = Value::Object(body.into_iter().collect());
        let text = if pretty { format!("{tree:#}") } else { tree.to_string() };
        let path = JsonPath::parse(&path).expect("a path");
        let only = std::slice::from_ref(&path);
        let (left, _) = without(&Bytes::from(text), only).expect("an object");
        removed(&mut tree, &path.steps);
        prop_assert_eq!(serde_json::from_slice::<Value>(&left).expect("JSON"), tree);
    }

    #[test]
    fn what_a_path_does_not_name_stays_byte_for_byte(
        body in prop::collection::btree_map("[a-c]", json(), 0..4),
        path in r"[a-c](\[(\*|[0-2])\]){0,2}(\.[a-c](\[(\*|[0-2])\])?){0,2}",
    ) {
        let text = Bytes::from(format!("{:#}", Value::Object(body.into_iter().collect())));
        let path = JsonPath::parse(&path).expect("a path");
        let (left, hit) = without(&text, std::slice::from_ref(&path)).expect("an object");
        let (before, after) =
            (Object::scan(&text).expect("JSON"), Object::scan(&left).expect("JSON"));
        let named = |name: &str| path.as_written().split(['.', '[']).next() == Some(name);
        for member in before.members().iter().filter(|member| !named(&member.name)) {
            let kept = after.find(&member.name).map(|kept| kept.value);
            prop_assert_eq!(kept, Some(member.value));
        }
        if hit.is_empty() {
            prop_assert_eq!(left, text);
        }
    }

    #[test]
    fn any_text_is_a_path_or_a_problem(text in r"[a\.\[\]\*0é]{0,12}") {
        if let Ok(path) = JsonPath::parse(&text) {
            prop_assert_eq!(path.as_written(), text);
        }
    }
}
