//! Findings as a person sees them.

use super::*;

fn shown(text: &str, needle: &str, finding: fn(Span) -> Finding) -> String {
    let at = text.find(needle).expect("the needle is in the text");
    let source = Source { name: "config.yaml", text };
    Findings::placed(&source, vec![finding(at..at + needle.len())]).render(&source)
}

#[test]
fn a_finding_is_shown_as_a_compiler_would() {
    let shown = shown("a: 1\nüb: twe\n", "twe", |span| {
        Finding::error(code::WRONG_TYPE, span, "`b` is `twe`").with_nearest(&["two", "ten"])
    });
    expect_test::expect![[r#"
        error[wrong_type]: `b` is `twe`
         --> config.yaml:2:5
          |
        2 | üb: twe
          |     ^^^
          |
          = help: did you mean `two` or `ten`?"#]]
    .assert_eq(&shown);
}

#[test]
fn a_credential_in_the_line_is_never_shown() {
    let lines = [
        "api_key: sk-live-1234",
        "  - api_key: \"sk-live-1234\" # comment",
        "MASTER_KEY : sk-live-1234",
        "{model: x, aws_secret_access_key: sk-live-1234}",
        "\"Authorization\": Bearer sk-live-1234",
        "database_url: postgres://u:sk-live-1234@h/d",
        "datbase_ulr: postgres://user:live-1234@h/d",
        "api_kye: 'sk-live-1234'",
    ];
    for line in lines {
        let shown = shown(line, line, |span| Finding::warning(code::MALFORMED, span, "it"));
        assert!(!shown.contains("1234"), "{shown}");
        assert!(shown.contains("****"), "{shown}");
    }
    let kept = [
        "api_key: os.environ/OPENAI_API_KEY",
        "max_tokens: 12",
        "cost_per_token: 12",
        "key",
        "model: key/x",
    ];
    for line in kept {
        let shown = shown(line, line, |span| Finding::warning(code::MALFORMED, span, "it"));
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn a_finding_beyond_the_text_is_held_within_it() {
    let source = Source { name: "x", text: "ä\nö" };
    let spans = [0..0, 1..2, 3..99, 99..100, Span { start: 5, end: 1 }];
    let findings =
        spans.map(|span| Finding::error(code::MALFORMED, span, "it")).into_iter().collect();
    for finding in Findings::placed(&source, findings).iter() {
        assert!(source.text.get(finding.span.clone()).is_some(), "{finding:?}");
        assert!((1..=2).contains(&finding.line) && (1..=2).contains(&finding.column));
        assert!(finding.render(&source).contains("malformed"));
    }
}

#[test]
fn findings_come_in_the_order_of_the_file_and_once() {
    let source = Source { name: "x", text: "ab\ncd" };
    let late = || Finding::error(code::MALFORMED, 3..4, "late");
    let findings = vec![late(), Finding::note(code::NO_EFFECT, 0..1, "early"), late()];
    let placed = Findings::placed(&source, findings);
    let order: Vec<(&str, usize)> = placed.iter().map(|f| (&*f.message, f.line)).collect();
    assert_eq!(order, [("early", 1), ("late", 2)]);
    assert_eq!(placed.to_string(), "the configuration has 1 error");
}
