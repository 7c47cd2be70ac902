//! Finding a price by name and by day.

use tollgate_domain::{Money, Quantity, Usage, UsageKind};

use super::*;

const LIST: &str = "# head\n\
    b\tacme\tchat\t2026-03-01\t-\t100\tinput=3\n\
    b\tacme\tchat\t2026-01-01\t-\t100\tinput=1\n\
    b\tacme\tchat\t2026-02-01\t-\t100\tinput=2\n\
    \n\
    a\tother\t-\t2026-01-01\t10\t-\toutput=7\r\n";

fn list() -> PriceList {
    PriceList::parse(LIST).expect("a list")
}

fn id_on(list: &PriceList, day: &str) -> String {
    let now = Timestamp::parse(&format!("{day}T23:59:59Z")).expect("an instant");
    list.as_of(now).find(&["b"]).expect("a price").sheet.id.to_string()
}

#[test]
fn the_latest_row_in_force_is_found() {
    let list = list();
    assert_eq!(list.find(&["b"]).expect("a price").sheet.id.as_str(), "b@2026-03-01");
    for (day, id) in [
        ("2025-06-01", "b@2026-01-01"),
        ("2026-01-01", "b@2026-01-01"),
        ("2026-01-31", "b@2026-01-01"),
        ("2026-02-01", "b@2026-02-01"),
        ("2027-01-01", "b@2026-03-01"),
    ] {
        assert_eq!(id_on(&list, day), id, "{day}");
    }
}

#[test]
fn names_are_tried_in_order() {
    let list = list();
    let found = list.find(&["nobody", "a", "b"]).expect("a price");
    assert_eq!((&*found.provider, found.mode, found.max_input), ("other", None, Some(10)));
    assert_eq!(found.limits.max_output, None);
    assert_eq!(list.find(&["nobody"]), None);
    assert_eq!(list.find(&[]), None);
    assert_eq!(list.models_of("acme").collect::<Vec<_>>(), ["b"]);
    assert_eq!((list.len(), list.is_empty()), (4, false));
}

#[test]
fn a_line_that_is_no_row_is_named() {
    let error = PriceList::parse("# head\nb\tacme\n").expect_err("no list");
    assert_eq!(error, PriceListError { line: 2, problem: RowProblem::Columns(2) });
    assert!(PriceList::parse("").expect("an empty list").is_empty());
}

#[test]
fn every_row_of_the_embedded_list_is_a_row() {
    let checked = PriceList::parse(EMBEDDED).expect("the embedded list");
    assert!(checked.len() > 3000, "{}", checked.len());
    let list = PriceList::embedded();
    let names = (0..list.len()).filter_map(|at| list.rows.row(at)).map(|row| row.name);
    for name in names {
        assert!(list.find(&[name]).is_some(), "{name}");
    }
}

#[test]
fn the_embedded_list_is_sorted_and_without_repetition() {
    let lines: Vec<&str> = EMBEDDED.lines().filter(|line| is_row(line)).collect();
    let order = |line: &&str| {
        let columns: Vec<&str> = line.split('\t').collect();
        (columns[0].to_owned(), columns[3].to_owned())
    };
    assert!(lines.windows(2).all(|pair| order(&pair[0]) < order(&pair[1])));
}

#[test]
fn well_known_prices_are_exact() {
    let list = PriceList::embedded();
    let usage = Usage::UNKNOWN
        .with(UsageKind::Input, Quantity::whole(1_000_000))
        .with(UsageKind::Output, Quantity::whole(1_000_000));
    for (name, dollars) in [("gpt-4o", "12.5"), ("gpt-4o-mini", "0.75"), ("azure/gpt-4o", "12.5")] {
        let found = list.find(&[name]).expect(name);
        let expected = Money::parse_dollars(dollars).expect("an amount");
        assert_eq!(found.sheet.cost(&usage), Ok(expected), "{name}");
    }
    let tiered = list.find(&["claude-sonnet-4-5"]).expect("a price").sheet;
    assert_eq!(tiered.tiers.first().map(|tier| tier.above_prompt_tokens), Some(200_000));
}
