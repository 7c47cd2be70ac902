//! What each keyword demands (JSON Schema 2020-12, and of earlier drafts what they call otherwise).

use serde_json::{Map, Number, Value};

use super::Verdict;
use super::check::Check;
use super::compare::{equal, is_multiple, is_whole};

/// A keyword's demand: the schema it stands in, what it says there, and the value.
type Keyword = for<'s> fn(&mut Check<'s>, &'s Map<String, Value>, &'s Value, &Value) -> Verdict;

/// Keywords that demand something and are not looked into.
pub(super) const OPEN_KEYWORDS: [&str; 4] =
    ["$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties"];

/// The keywords that are looked into. Those of arrays and objects that depend on each other stand
/// under the one that is always looked at.
#[rustfmt::skip]
pub(super) const KEYWORDS: [(&str, Keyword); 34] = [
    ("$ref", |c, _, demand, value| {
        match demand.as_str().and_then(|reference| c.referred(reference)) {
            Some(schema) => c.schema(schema, value),
            None => Verdict::Open,
        }
    }),
    ("type", |c, _, demand, value| {
        let named = demand.as_str().into_iter();
        let listed = demand.as_array().into_iter().flatten().filter_map(Value::as_str);
        c.demand(named.chain(listed).any(|name| is_of_type(value, name)), "type")
    }),
    ("enum", |c, _, demand, value| {
        let Some(listed) = demand.as_array() else { return Verdict::Open };
        if !c.spend(listed.len()) {
            return Verdict::Open;
        }
        c.demand(listed.iter().any(|one| equal(one, value)), "enum")
    }),
    ("const", |c, _, demand, value| c.demand(equal(demand, value), "const")),
    ("minimum", |c, _, d, v| number(c, (d, v), |number, least| number >= least, "minimum")),
    ("maximum", |c, _, d, v| number(c, (d, v), |number, most| number <= most, "maximum")),
    ("exclusiveMinimum", |c, _, d, v| number(c, (d, v), |n, least| n > least, "exclusiveMinimum")),
    ("exclusiveMaximum", |c, _, d, v| number(c, (d, v), |n, most| n < most, "exclusiveMaximum")),
    ("multipleOf", |c, _, d, v| number(c, (d, v), is_multiple, "multipleOf")),
    ("minLength", |c, _, d, v| count(c, (d, chars(v)), |have, least| have >= least, "minLength")),
    ("maxLength", |c, _, d, v| count(c, (d, chars(v)), |have, most| have <= most, "maxLength")),
    ("minItems", |c, _, d, v| count(c, (d, items(v)), |have, least| have >= least, "minItems")),
    ("maxItems", |c, _, d, v| count(c, (d, items(v)), |have, most| have <= most, "maxItems")),
    ("minProperties", |c, _, d, v| count(c, (d, members(v)), |n, l| n >= l, "minProperties")),
    ("maxProperties", |c, _, d, v| count(c, (d, members(v)), |n, m| n <= m, "maxProperties")),
    ("pattern", |c, _, demand, value| {
        let (Some(pattern), Some(text)) = (demand.as_str(), value.as_str()) else {
            return Verdict::Keeps;
        };
        match matches(c, pattern, text) {
            Some(found) => c.demand(found, "pattern"),
            None => Verdict::Open,
        }
    }),
    ("required", |c, _, demand, value| {
        let Some(object) = value.as_object() else { return Verdict::Keeps };
        let mut names = demand.as_array().into_iter().flatten().filter_map(Value::as_str);
        c.demand(names.all(|name| object.contains_key(name)), "required")
    }),
    ("dependentRequired", |c, _, demand, value| {
        let (Some(rules), Some(object)) = (demand.as_object(), value.as_object()) else {
            return Verdict::Keeps;
        };
        let mut needed = rules.iter().filter(|(name, _)| object.contains_key(*name))
            .flat_map(|(_, names)| names.as_array().into_iter().flatten())
            .filter_map(Value::as_str);
        c.demand(needed.all(|name| object.contains_key(name)), "dependentRequired")
    }),
    ("dependentSchemas", |c, _, demand, value| {
        let (Some(rules), Some(object)) = (demand.as_object(), value.as_object()) else {
            return Verdict::Keeps;
        };
        rules.iter().filter(|(name, _)| object.contains_key(*name))
            .fold(Verdict::Keeps, |so_far, (_, schema)| so_far.and(|| c.schema(schema, value)))
    }),
    ("properties", |c, _, demand, value| {
        let (Some(schemas), Some(object)) = (demand.as_object(), value.as_object()) else {
            return Verdict::Keeps;
        };
        schemas.iter().filter_map(|(name, schema)| Some((name, schema, object.get(name)?)))
            .fold(Verdict::Keeps, |so_far, (name, schema, value)| {
                so_far.and(|| c.below(name, schema, value))
            })
    }),
    ("patternProperties", |c, _, demand, value| {
        let (Some(schemas), Some(object)) = (demand.as_object(), value.as_object()) else {
            return Verdict::Keeps;
        };
        let pairs = schemas.iter().flat_map(|one| object.iter().map(move |member| (one, member)));
        pairs.fold(Verdict::Keeps, |so_far, ((pattern, schema), (name, value))| {
            so_far.and(|| match matches(c, pattern, name) {
                Some(true) => c.below(name, schema, value),
                Some(false) => Verdict::Keeps,
                None => Verdict::Open,
            })
        })
    }),
    ("additionalProperties", |c, schema, demand, value| {
        let Some(object) = value.as_object() else { return Verdict::Keeps };
        let listed = schema.get("properties").and_then(Value::as_object);
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let unlisted = object.iter().filter(|(name, _)| {
            listed.is_none_or(|listed| !listed.contains_key(*name))
        });
        unlisted.fold(Verdict::Keeps, |so_far, (name, value)| {
            so_far.and(|| {
                let mut found = Some(false);
                for pattern in patterns.into_iter().flat_map(Map::keys) {
                    match matches(c, pattern, name) {
                        Some(true) => return Verdict::Keeps,
                        Some(false) => {}
                        None => found = None,
                    }
                }
                match found {
                    Some(_) => c.below(name, demand, value),
                    None => Verdict::Open,
                }
            })
        })
    }),
    ("propertyNames", |c, _, demand, value| {
        let names = value.as_object().into_iter().flat_map(Map::keys);
        names.fold(Verdict::Keeps, |so_far, name| {
            so_far.and(|| c.below(name, demand, &Value::String(name.clone())))
        })
    }),
    ("prefixItems", |c, _, demand, value| tuple(c, demand, value)),
    ("items", |c, schema, demand, value| {
        // Earlier drafts put the tuple here.
        if demand.is_array() {
            return tuple(c, demand, value);
        }
        let first = schema.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
        each_from(c, first, demand, value)
    }),
    ("additionalItems", |c, schema, demand, value| {
        match schema.get("items").and_then(Value::as_array) {
            Some(tuple) => each_from(c, tuple.len(), demand, value),
            None => Verdict::Keeps,
        }
    }),
    ("contains", contains),
    ("uniqueItems", |c, _, demand, value| {
        let items = value.as_array().filter(|_| demand.as_bool() == Some(true));
        let items = items.map_or(&[][..], Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            if !c.spend(index) {
                return Verdict::Open;
            }
            if items.iter().take(index).any(|other| equal(other, item)) {
                return c.breach("uniqueItems");
            }
        }
        Verdict::Keeps
    }),
    ("allOf", |c, _, demand, value| {
        let schemas = demand.as_array().into_iter().flatten();
        schemas.fold(Verdict::Keeps, |so_far, schema| so_far.and(|| c.schema(schema, value)))
    }),
    ("anyOf", |c, _, demand, value| match tally(c, demand, value) {
        (0, 0) => c.breach("anyOf"),
        (0, _) => Verdict::Open,
        _ => Verdict::Keeps,
    }),
    ("oneOf", |c, _, demand, value| match tally(c, demand, value) {
        (0, 0) | (2.., _) => c.breach("oneOf"),
        (1, 0) => Verdict::Keeps,
        _ => Verdict::Open,
    }),
    ("not", |c, _, demand, value| match c.schema(demand, value) {
        Verdict::Keeps => c.breach("not"),
        Verdict::Open => Verdict::Open,
        Verdict::Breaks(_) => Verdict::Keeps,
    }),
    ("if", |c, schema, demand, value| {
        let branch = match c.schema(demand, value) {
            Verdict::Keeps => "then",
            Verdict::Breaks(_) => "else",
            Verdict::Open => return Verdict::Open,
        };
        schema.get(branch).map_or(Verdict::Keeps, |schema| c.schema(schema, value))
    }),
    ("dependencies", |c, _, demand, value| {
        let (Some(rules), Some(object)) = (demand.as_object(), value.as_object()) else {
            return Verdict::Keeps;
        };
        let rules = rules.iter().filter(|(name, _)| object.contains_key(*name));
        rules.fold(Verdict::Keeps, |so_far, (_, rule)| {
            so_far.and(|| match rule.as_array() {
                Some(names) => {
                    let mut names = names.iter().filter_map(Value::as_str);
                    c.demand(names.all(|name| object.contains_key(name)), "dependencies")
                }
                None => c.schema(rule, value),
            })
        })
    }),
];

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_number().is_some_and(is_whole),
        _ => false,
    }
}

/// A demand on numbers.
fn number(
    c: &Check<'_>,
    (demand, value): (&Value, &Value),
    kept: fn(f64, f64) -> bool,
    keyword: &str,
) -> Verdict {
    let (Some(have), Some(bound)) = (value.as_number().and_then(Number::as_f64), demand.as_f64())
    else {
        return Verdict::Keeps;
    };
    c.demand(kept(have, bound), keyword)
}

/// A demand on how many there are of something that the value may not have.
fn count(
    c: &Check<'_>,
    (demand, have): (&Value, Option<usize>),
    kept: fn(f64, f64) -> bool,
    keyword: &str,
) -> Verdict {
    let (Some(have), Some(bound)) = (have, demand.as_f64()) else { return Verdict::Keeps };
    c.demand(kept(have as f64, bound), keyword)
}

fn chars(value: &Value) -> Option<usize> {
    value.as_str().map(|text| text.chars().count())
}

fn items(value: &Value) -> Option<usize> {
    value.as_array().map(Vec::len)
}

fn members(value: &Value) -> Option<usize> {
    value.as_object().map(Map::len)
}

fn matches<'s>(c: &mut Check<'s>, pattern: &'s str, text: &str) -> Option<bool> {
    c.spend(text.len()).then(|| c.patterns.matches(pattern, text)).flatten()
}

/// Each item against the schema of its place.
fn tuple<'s>(c: &mut Check<'s>, demand: &'s Value, value: &Value) -> Verdict {
    let (Some(schemas), Some(items)) = (demand.as_array(), value.as_array()) else {
        return Verdict::Keeps;
    };
    schemas.iter().zip(items).enumerate().fold(Verdict::Keeps, |so_far, (at, (schema, item))| {
        so_far.and(|| c.below(&at.to_string(), schema, item))
    })
}

/// Each item from this one on against one schema.
fn each_from<'s>(c: &mut Check<'s>, first: usize, demand: &'s Value, value: &Value) -> Verdict {
    let items = value.as_array().into_iter().flatten().enumerate().skip(first);
    items.fold(Verdict::Keeps, |so_far, (at, item)| {
        so_far.and(|| c.below(&at.to_string(), demand, item))
    })
}

/// `contains` with `minContains` and `maxContains`.
fn contains<'s>(
    c: &mut Check<'s>,
    schema: &'s Map<String, Value>,
    demand: &'s Value,
    value: &Value,
) -> Verdict {
    let Some(items) = value.as_array() else { return Verdict::Keeps };
    let bound = |name| schema.get(name).and_then(Value::as_u64);
    let (least, most) = (bound("minContains").unwrap_or(1), bound("maxContains"));
    let (mut found, mut open) = (0, 0);
    for item in items {
        match c.schema(demand, item) {
            Verdict::Keeps => found += 1,
            Verdict::Open => open += 1,
            Verdict::Breaks(_) => {}
        }
    }
    let too_many = |count: u64| most.is_some_and(|most| count > most);
    if found + open < least || too_many(found) {
        return c.breach("contains");
    }
    if found < least || too_many(found + open) { Verdict::Open } else { Verdict::Keeps }
}

/// How many of these schemas the value keeps, and of how many that is open.
fn tally<'s>(c: &mut Check<'s>, demand: &'s Value, value: &Value) -> (u32, u32) {
    let schemas = demand.as_array().into_iter().flatten();
    schemas.fold((0, 0), |(kept, open), schema| match c.schema(schema, value) {
        Verdict::Keeps => (kept + 1, open),
        Verdict::Open => (kept, open + 1),
        Verdict::Breaks(_) => (kept, open),
    })
}
