//! Counts against those of the reference implementation, and what holds for any text.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::{COUNTED_BYTES_MAX, SEGMENT_BYTES_MAX, Tally};

/// The tables of all tests of this file; each is loaded by the first that needs it.
static TABLES: Tokenizers = Tokenizers::new();

fn table(encoding: Encoding) -> &'static Table {
    TABLES.load(encoding).expect("the table is built in");
    TABLES.table(encoding).expect("it is loaded")
}

#[derive(Deserialize)]
struct Fixture {
    texts: Vec<Counted>,
}

#[derive(Deserialize)]
struct Counted {
    name: String,
    text: String,
    times: usize,
    o200k_base: u64,
    cl100k_base: u64,
}

#[test]
fn texts_have_as_many_tokens_as_the_reference_counts() {
    let fixture: Fixture =
        serde_json::from_str(include_str!("../../fixtures/counts.json")).expect("the fixture");
    assert!(fixture.texts.len() >= 30);
    for counted in fixture.texts {
        let text = counted.text.repeat(counted.times);
        let ours = Encoding::ALL.map(|encoding| table(encoding).count(&text));
        assert_eq!(ours, [counted.o200k_base, counted.cl100k_base], "{}", counted.name);
    }
}

#[test]
fn nothing_is_loaded_until_it_is_asked_for() {
    let tokenizers = Tokenizers::new();
    assert!(Encoding::ALL.iter().all(|encoding| tokenizers.table(*encoding).is_none()));
    tokenizers.load(Encoding::Cl100k).expect("the table is built in");
    assert!(tokenizers.table(Encoding::O200k).is_none());
    let count =
        |tokenizers: &Tokenizers| tokenizers.table(Encoding::Cl100k).map(|t| t.count("a b"));
    assert_eq!(count(&tokenizers), Some(2));
    tokenizers.load(Encoding::Cl100k).expect("it is there");
    assert_eq!(count(&tokenizers), Some(2));
}

/// A run of white space of a megabyte would overflow the stack of the expression behind the table.
#[test]
fn a_word_without_end_is_counted_in_steps_and_each_cut_as_a_token() {
    for unit in ["a", "aB", " ", " \n", "🫠", "!@"] {
        let step = unit.repeat(SEGMENT_BYTES_MAX / unit.len());
        let steps = 5;
        for encoding in Encoding::ALL {
            let one = table(encoding).count(&step);
            let all = table(encoding).count(&step.repeat(steps));
            assert_eq!(all, (one + 1) * steps as u64 - 1, "{unit:?}");
        }
    }
}

#[test]
fn a_tally_adds_texts_sizes_and_tokens() {
    let mut tally = Tally::new(table(Encoding::O200k));
    tally.text("hello");
    tally.text(" world");
    tally.bytes(3);
    tally.tokens(7);
    assert_eq!(tally.total(), 1 + 1 + 2 + 7);
}

#[test]
fn a_tally_tokenizes_so_much_and_bounds_the_rest() {
    let words = "word ".repeat(COUNTED_BYTES_MAX / 5 + 1);
    let within = words.get(..COUNTED_BYTES_MAX).expect("ASCII");
    let exact = table(Encoding::O200k).count(within);
    let mut tally = Tally::new(table(Encoding::O200k));
    tally.text(within);
    assert_eq!(tally.total(), exact);
    tally.text("12345");
    assert_eq!(tally.total(), exact + 3, "two bytes are a token past the limit");
    let mut at_once = Tally::new(table(Encoding::O200k));
    at_once.text(&format!("{within}12345"));
    assert_eq!(at_once.total(), exact + 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_byte_is_at_most_one_token(text in "\\PC{0,200}|[ \t\r\n]{0,200}|[a-zA-Z0-9 .,]{0,400}") {
        for encoding in Encoding::ALL {
            let count = table(encoding).count(&text);
            prop_assert!(count <= text.len() as u64);
            prop_assert_eq!(count == 0, text.is_empty());
        }
    }

    /// What the cuts of a long text rest on.
    #[test]
    fn a_text_cut_before_a_word_has_the_tokens_of_its_parts(
        before in "(\\PC|[ \r\n]){0,60}[^ \t\r\n\\p{Z}\\p{C}]",
        after in "(\\PC|[ \r\n]){0,60}",
        lines in "(\\PC|[ \r\n]){0,60}\n",
        letters in "\\p{L}(\\PC|[ \r\n]){0,60}",
    ) {
        let pairs = [(before, format!(" {after}")), (lines, letters)];
        for (left, right) in &pairs {
            for encoding in Encoding::ALL {
                let table = table(encoding);
                let whole = table.count(&format!("{left}{right}"));
                prop_assert_eq!(whole, table.count(left) + table.count(right));
            }
        }
    }
}
