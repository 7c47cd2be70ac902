//! The grammar of a row.

use proptest::prelude::*;

use super::*;

const LINE: &str = "gpt-x\tacme\tchat\t2026-01-31\t128000\t-\tinput=2500000 output=10000000 \
                    request=5 >200000 input=5000000";

#[test]
fn a_row_reads_and_writes_as_the_same_line() {
    let row = Row::read(LINE).expect("a row");
    assert_eq!(row.write(), LINE);
    assert_eq!((row.mode, row.max_input, row.max_output), (Some("chat"), Some(128_000), None));
    let prices = Prices::read(row.prices).expect("prices");
    assert_eq!(prices.write(), row.prices);
    assert_eq!(prices.rates.get(UsageKind::Input), Some(Price::from_picos(2_500_000)));
    assert_eq!(prices.per_request, Some(Price::from_picos(5)));
    assert_eq!(prices.tiers.len(), 1);
}

#[test]
fn what_is_no_row_says_why() {
    let with = |column: usize, text: &str| {
        let mut columns: Vec<&str> = LINE.split('\t').collect();
        columns[column] = text;
        Row::read(&columns.join("\t")).map(|_| ())
    };
    assert_eq!(Row::read("a\tb"), Err(RowProblem::Columns(2)));
    assert_eq!(Row::read(&format!("{LINE}\tx")), Err(RowProblem::Columns(8)));
    assert_eq!(with(0, ""), Err(RowProblem::Name(String::new())));
    assert_eq!(with(3, "2026-1-31"), Err(RowProblem::Day("2026-1-31".to_owned())));
    assert_eq!(with(4, "-1"), Err(RowProblem::Limit("-1".to_owned())));
    for (prices, problem) in [
        ("", RowProblem::Price(String::new())),
        ("input", RowProblem::Price("input".to_owned())),
        ("input=-1", RowProblem::Price("input=-1".to_owned())),
        ("inputs=1", RowProblem::Price("inputs=1".to_owned())),
        ("input=1  output=1", RowProblem::Price(String::new())),
        (">x", RowProblem::Price(">x".to_owned())),
        (">2 input=1 >2 input=1", RowProblem::Price(">2".to_owned())),
        ("input=1 input=2", RowProblem::Twice("input".to_owned())),
    ] {
        assert_eq!(Prices::read(prices), Err(problem), "{prices:?}");
    }
}

#[test]
fn a_tier_is_put_in_its_place_and_the_first_price_stays() {
    let mut prices = Prices::default();
    let price = Price::from_picos;
    assert!(prices.put(Some(256), UsageKind::Input, price(3)));
    assert!(prices.put(Some(128), UsageKind::Input, price(2)));
    assert!(prices.put(None, UsageKind::Input, price(1)));
    assert!(!prices.put(Some(128), UsageKind::Input, price(9)));
    assert_eq!(prices.write(), "input=1 >128 input=2 >256 input=3");
}

proptest! {
    #[test]
    fn arbitrary_lines_never_panic(line in "\\PC*", tabs in "([a-z0-9=> -]{0,12}\t){0,9}") {
        let _ = Row::read(&line);
        let _ = Row::read(&tabs).map(|row| Prices::read(row.prices));
        let _ = Prices::read(&line);
    }
}
