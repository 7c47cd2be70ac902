//! A signature vouches for one text of one origin under one key, and nothing else passes.

use proptest::prelude::*;

use super::*;

fn sealer() -> Sealer {
    Sealer::new([7; 32])
}

#[test]
fn a_signature_names_whose_text_it_is() {
    let origin = Origin::of("acme", "acme/Thinker-4:free");
    let signature = sealer().seal(&origin, "Hm.");
    // Computed by another implementation of HMAC-SHA256.
    assert_eq!(signature, "gw1.YWNtZQB0aGlua2VyLTQAptV1pV60qA3NAT65_BHQ0h1K4FUsb-RQE-jgU6bYw_Q");
    let read = sealer().check("Hm.", &signature).expect("it is ours");
    assert_eq!((read.provider(), read.family()), ("acme", "thinker-4"));
    assert_eq!(origin_of(&signature), Some(read));
    assert!(is_ours(&signature));
}

#[test]
fn what_was_changed_or_made_elsewhere_is_not_ours() {
    let origin = Origin::of("acme", "thinker");
    let signature = sealer().seal(&origin, "Hm.");
    let elsewhere = Sealer::new([8; 32]).seal(&origin, "Hm.");
    let short = format!("gw1.{}", URL_SAFE_NO_PAD.encode([0; 31]));
    let unnamed = format!("gw1.{}", URL_SAFE_NO_PAD.encode([1; 40]));
    for (text, signature) in [
        ("Hm!", &*signature),
        ("Hm.", &elsewhere),
        ("Hm.", signature.get(1..).expect("ASCII")),
        ("Hm.", signature.get(..signature.len() - 2).expect("ASCII")),
        ("Hm.", "gw1."),
        ("Hm.", "gw1.%%%"),
        ("Hm.", &short),
        ("Hm.", &unnamed),
        ("Hm.", "c2ln"),
        ("Hm.", ""),
    ] {
        assert_eq!(sealer().check(text, signature), None, "{signature}");
    }
    assert!(!is_ours("c2ln") && is_ours(&elsewhere));
}

#[test]
fn the_longest_names_still_make_a_signature_that_is_read() {
    let long = "n".repeat(1000);
    let signature = sealer().seal(&Origin::of(&long, &long), "Hm.");
    assert!(signature.len() <= SIGNATURE_BYTES_MAX);
    assert!(sealer().check("Hm.", &signature).is_some());
}

#[test]
fn a_body_with_one_of_ours_is_told_apart() {
    let signature = sealer().seal(&Origin::of("acme", "thinker"), "Hm.");
    let body = format!(r#"{{"type":"thinking","thinking":"Hm.","signature":"{signature}"}}"#);
    assert!(may_hold_ours(body.as_bytes()));
    assert!(!may_hold_ours(br#"{"type":"thinking","thinking":"a gw1.","signature":"c2ln"}"#));
}

#[test]
fn the_key_is_not_shown() {
    assert_eq!(format!("{:?}", sealer()), "Sealer");
}

proptest! {
    #[test]
    fn any_split_of_a_text_gives_its_signature(
        text in "\\PC{0,40}",
        at in 0_usize..200,
        provider in "\\PC{0,80}|a\0b",
        model in "\\PC{0,80}",
    ) {
        let origin = Origin::of(&provider, &model);
        let (head, tail) = text.split_at(text.floor_char_boundary(at.min(text.len())));
        let mut sealing = sealer().begin(&origin);
        sealing.add(head);
        sealing.add(tail);
        let signature = sealing.finish();
        prop_assert_eq!(&signature, &sealer().seal(&origin, &text));
        prop_assert_eq!(sealer().check(&text, &signature), Some(origin));
        let longer = format!("{text}x");
        prop_assert_eq!(sealer().check(&longer, &signature), None);
    }

    #[test]
    fn nothing_makes_the_check_panic(signature in "(gw1\\.)?[A-Za-z0-9_\\-]{0,80}|\\PC{0,30}") {
        prop_assert_eq!(sealer().check("Hm.", &signature), None);
    }
}
