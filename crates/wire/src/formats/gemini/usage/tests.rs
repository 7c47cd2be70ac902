//! Tests of the usage arithmetic.

use proptest::prelude::*;

use super::*;
use crate::json::Object;
use crate::json::write::object;

fn read(json: &str) -> Option<Usage> {
    let wrapped = format!(r#"{{"usageMetadata":{json}}}"#);
    let object = Object::scan(wrapped.as_bytes()).expect("JSON");
    let mut reported = Reported::default();
    reported.take(object.value("usageMetadata").expect("a value"));
    reported.usage()
}

fn whole(kinds: &[(UsageKind, u64)]) -> Option<Usage> {
    let set = |usage: Usage, (kind, tokens): &(UsageKind, u64)| {
        usage.with(*kind, Quantity::whole(*tokens))
    };
    Some(kinds.iter().fold(Usage::UNKNOWN, set)).filter(|usage| !usage.is_unknown())
}

#[test]
fn overlapping_figures_become_disjoint_kinds() {
    use UsageKind::{CachedRead, Input, InputAudio, InputImage, Output, OutputImage, Reasoning};
    for (given, expected) in [
        ("{}", vec![]),
        ("7", vec![]),
        (r#"{"promptTokenCount":"x"}"#, vec![]),
        (
            r#"{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}"#,
            vec![(Input, 10), (Output, 5)],
        ),
        // Cached tokens are inside the prompt, thoughts beside the candidates.
        (
            r#"{"promptTokenCount":100,"cachedContentTokenCount":80,"candidatesTokenCount":5,"thoughtsTokenCount":30,"totalTokenCount":135}"#,
            vec![(Input, 20), (CachedRead, 80), (Output, 5), (Reasoning, 30)],
        ),
        // Thoughts inside the candidates: the total tells.
        (
            r#"{"promptTokenCount":100,"candidatesTokenCount":35,"thoughtsTokenCount":30,"totalTokenCount":135}"#,
            vec![(Input, 100), (Output, 5), (Reasoning, 30)],
        ),
        // Tool-use tokens are beside the prompt.
        (
            r#"{"promptTokenCount":10,"toolUsePromptTokenCount":40,"candidatesTokenCount":5,"thoughtsTokenCount":2,"totalTokenCount":57}"#,
            vec![(Input, 50), (Output, 5), (Reasoning, 2)],
        ),
        // A count of 0 is left out.
        (
            r#"{"promptTokenCount":10,"thoughtsTokenCount":50,"totalTokenCount":60}"#,
            vec![(Input, 10), (Output, 0), (Reasoning, 50)],
        ),
        (r#"{"promptTokenCount":10,"totalTokenCount":10}"#, vec![(Input, 10), (Output, 0)]),
        (
            r#"{"promptTokenCount":100,"cachedContentTokenCount":50,"candidatesTokenCount":9,"promptTokensDetails":[{"modality":"TEXT","tokenCount":30},{"modality":"AUDIO","tokenCount":60},{"modality":"IMAGE","tokenCount":10}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":45}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":7}]}"#,
            vec![
                (Input, 25),
                (CachedRead, 50),
                (InputAudio, 15),
                (InputImage, 10),
                (Output, 2),
                (OutputImage, 7),
            ],
        ),
    ] {
        assert_eq!(read(given), whole(&expected), "{given}");
    }
}

#[test]
fn a_modality_that_nothing_was_counted_of_is_not_listed() {
    use UsageKind::{Input, InputAudio, InputImage, Output, OutputAudio};
    let usage =
        whole(&[(Input, 3), (InputAudio, 0), (InputImage, 2), (Output, 1), (OutputAudio, 0)]);
    let mut out = Vec::new();
    object(&mut out, |o| write(o, usage.as_ref().expect("known")));
    let text = String::from_utf8(out).expect("text");
    assert!(
        text.contains(r#""promptTokensDetails":[{"modality":"IMAGE","tokenCount":2}]"#),
        "{text}"
    );
    assert!(!text.contains("AUDIO") && !text.contains("candidatesTokensDetails"), "{text}");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        plain in 0u64..1_000_000,
        cached in 0u64..1_000_000,
        output in 0u64..1_000_000,
        thoughts in 0u64..1_000_000,
        image in 1u64..1_000_000,
    ) {
        let usage = whole(&[
            (UsageKind::Input, plain),
            (UsageKind::CachedRead, cached),
            (UsageKind::Output, output),
            (UsageKind::Reasoning, thoughts),
            (UsageKind::OutputImage, image),
        ]);
        let mut out = Vec::new();
        object(&mut out, |o| write(o, usage.as_ref().expect("known")));
        let object = Object::scan(&out).expect("JSON");
        let mut reported = Reported::default();
        reported.take(object.value("usageMetadata").expect("usage"));
        prop_assert_eq!(reported.usage(), usage);
    }
}
