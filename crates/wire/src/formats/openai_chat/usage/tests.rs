//! Usage objects, and the disjoint kinds they become.

use proptest::prelude::*;
use tollgate_domain::{Quantity, Usage, UsageKind};

use super::Reported;
use crate::json::Object;

/// What is made of a chunk of these members: the usage by kind in thousandths, and the anomalies.
fn read(members: &[&str]) -> (Vec<(UsageKind, u64)>, u64) {
    let reported = take(members);
    let usage = reported.usage().unwrap_or(Usage::UNKNOWN);
    let known = usage.known().map(|(kind, quantity)| (kind, quantity.milli())).collect();
    (known, reported.anomalies())
}

fn take(members: &[&str]) -> Reported {
    let mut reported = Reported::default();
    for chunk in members {
        let body = format!("{{{chunk}}}");
        let object = Object::scan(body.as_bytes()).expect("a JSON object");
        reported.take(object.value("usage"), object.value("x_groq"));
    }
    reported
}

use UsageKind::{
    CacheWrite, CachedRead, Input, InputAudio, InputImage, Output, OutputAudio, Reasoning,
};

/// Kinds with their quantities in thousandths.
type Kinds<'a> = &'a [(UsageKind, u64)];

#[test]
fn usage_is_brought_into_disjoint_kinds() {
    let (usage, anomalies) = read(&[r#""usage":{"prompt_tokens":100,"completion_tokens":50,
        "total_tokens":150,"prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":10,
        "audio_tokens":5,"image_tokens":20,"text_tokens":75},"completion_tokens_details":
        {"reasoning_tokens":30,"audio_tokens":4,"accepted_prediction_tokens":0}}"#]);
    let wanted = [
        (Input, 25_000),
        (CachedRead, 40_000),
        (CacheWrite, 10_000),
        (InputAudio, 5_000),
        (InputImage, 20_000),
        (Output, 16_000),
        (Reasoning, 30_000),
        (OutputAudio, 4_000),
    ];
    assert_eq!((usage.as_slice(), anomalies), (wanted.as_slice(), 0));
}

#[test]
fn every_vendors_spelling_is_read() {
    let cases: [(&str, Kinds<'_>); 6] = [
        (
            r#""usage":{"prompt_tokens":10,"completion_tokens":2,"prompt_cache_hit_tokens":6,
                "prompt_cache_miss_tokens":4}"#,
            &[(Input, 4_000), (CachedRead, 6_000), (Output, 2_000)],
        ),
        (
            r#""usage":{"prompt_tokens":10,"completion_tokens":2,"cached_tokens":3}"#,
            &[(Input, 7_000), (CachedRead, 3_000), (Output, 2_000)],
        ),
        (
            r#""x_groq":{"id":"r","usage":{"prompt_tokens":10,"completion_tokens":2}}"#,
            &[(Input, 10_000), (Output, 2_000)],
        ),
        (
            r#""usage":{"input_tokens":10,"output_tokens":2,"input_tokens_details":{"cached_tokens":1}}"#,
            &[(Input, 9_000), (CachedRead, 1_000), (Output, 2_000)],
        ),
        (
            r#""usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":17,
                "completion_tokens_details":{"reasoning_tokens":5}}"#,
            &[(Input, 10_000), (Output, 2_000), (Reasoning, 5_000)],
        ),
        (
            r#""usage":{"completion_tokens":2,"total_tokens":12}"#,
            &[(Input, 10_000), (Output, 2_000)],
        ),
    ];
    for (members, wanted) in cases {
        assert_eq!(read(&[members]), (wanted.to_vec(), 0), "{members}");
    }
}

#[test]
fn an_odd_number_never_fails_and_is_counted() {
    let cases: [(&str, Kinds<'_>, u64); 11] = [
        (r#""prompt_tokens":14417.92"#, &[(Input, 14_417_920)], 1),
        (r#""prompt_tokens":"12""#, &[(Input, 12_000)], 1),
        (r#""prompt_tokens":12.0"#, &[(Input, 12_000)], 0),
        (r#""prompt_tokens":-3,"completion_tokens":4"#, &[(Output, 4_000)], 1),
        (r#""prompt_tokens":null,"completion_tokens":4"#, &[(Output, 4_000)], 1),
        (r#""prompt_tokens":1e30"#, &[], 1),
        (r#""prompt_tokens":[1],"completion_tokens":{}"#, &[], 2),
        (r#""prompt_tokens":5,"prompt_tokens_details":null"#, &[(Input, 5_000)], 0),
        (
            r#""prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":null}"#,
            &[(Input, 5_000)],
            0,
        ),
        (
            r#""prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":9}"#,
            &[(Input, 0), (CachedRead, 5_000)],
            1,
        ),
        (
            r#""prompt_tokens":5,"completion_tokens":1,"total_tokens":99"#,
            &[(Input, 5_000), (Output, 1_000)],
            1,
        ),
    ];
    for (figures, wanted, anomalies) in cases {
        let members = format!(r#""usage":{{{figures}}}"#);
        assert_eq!(read(&[&members]), (wanted.to_vec(), anomalies), "{figures}");
    }
    assert_eq!(read(&[r#""usage":"none""#]), (vec![], 1));
}

#[test]
fn no_usage_is_unknown_rather_than_zero() {
    for members in ["", r#""usage":null"#, r#""usage":{}"#, r#""x_groq":{"id":"a"}"#] {
        assert_eq!(take(&[members]).usage(), None, "{members}");
    }
}

#[test]
fn of_two_reports_the_last_counts_and_nothing_is_added_up() {
    let first = r#""usage":{"prompt_tokens":10,"completion_tokens":1}"#;
    let last = r#""usage":{"prompt_tokens":10,"completion_tokens":7}"#;
    let partial = r#""usage":{"completion_tokens":7}"#;
    let wanted = (vec![(Input, 10_000), (Output, 7_000)], 0);
    assert_eq!(read(&[first, last]), wanted);
    assert_eq!(read(&[first, partial]), wanted);
    assert_eq!(read(&[first, last, r#""usage":null"#]), wanted);
}

proptest! {
    #[test]
    fn the_kinds_of_a_side_add_up_to_what_was_reported(
        figures in prop::array::uniform9(prop::option::of(0_u64..200)),
    ) {
        let [prompt, completion, cached, write, audio, image, reasoning, spoken, drawn] = figures;
        let pairs = |pairs: &[(&str, Option<u64>)]| -> String {
            let known = pairs.iter().filter_map(|(name, n)| Some(format!("\"{name}\":{}", (*n)?)));
            known.collect::<Vec<_>>().join(",")
        };
        let sides = pairs(&[("prompt_tokens", prompt), ("completion_tokens", completion)]);
        let input = pairs(&[("cached_tokens", cached), ("cache_write_tokens", write),
            ("audio_tokens", audio), ("image_tokens", image)]);
        let output = pairs(&[("reasoning_tokens", reasoning), ("audio_tokens", spoken),
            ("image_tokens", drawn)]);
        let details = format!(
            "\"prompt_tokens_details\":{{{input}}},\"completion_tokens_details\":{{{output}}}"
        );
        let comma = if sides.is_empty() { "" } else { "," };
        let usage = take(&[&format!("\"usage\":{{{sides}{comma}{details}}}")]).usage();
        let usage = usage.unwrap_or(Usage::UNKNOWN);
        prop_assert_eq!(usage.prompt(), prompt.map(Quantity::whole));
        prop_assert_eq!(usage.completion(), completion.map(Quantity::whole));
    }
}
