//! The words of periods: what each means, that each is given back, and why any other text is none.

use proptest::prelude::*;

use super::*;

#[test]
fn every_word_has_its_meaning() {
    let cases = [
        ("30s", Rule::Seconds(30)),
        ("15m", Rule::Seconds(900)),
        ("1h", Rule::Seconds(3600)),
        ("24h", Rule::Seconds(86_400)),
        ("48h", Rule::Seconds(172_800)),
        ("hourly", Rule::Seconds(3600)),
        ("1d", Rule::Days(1)),
        ("daily", Rule::Days(1)),
        ("7d", Rule::Week),
        ("1w", Rule::Week),
        ("weekly", Rule::Week),
        ("10d", Rule::Days(10)),
        ("14d", Rule::Days(14)),
        ("2w", Rule::Days(14)),
        ("30d", Rule::Months(1)),
        ("1mo", Rule::Months(1)),
        ("monthly", Rule::Months(1)),
        ("2mo", Rule::Months(2)),
        ("quarterly", Rule::Months(3)),
        ("1y", Rule::Months(12)),
        ("yearly", Rule::Months(12)),
        ("2y", Rule::Months(24)),
        ("31d", Rule::Days(31)),
    ];
    for (word, rule) in cases {
        assert_eq!(Period::parse(word).map(|period| period.rule(false)), Ok(rule), "{word}");
    }
}

#[test]
fn strict_days_make_only_30d_thirty_days() {
    for (word, rule) in [
        ("30d", Rule::Days(30)),
        ("1mo", Rule::Months(1)),
        ("monthly", Rule::Months(1)),
        ("7d", Rule::Week),
    ] {
        assert_eq!(Period::parse(word).map(|period| period.rule(true)), Ok(rule), "{word}");
    }
}

#[test]
fn a_period_is_given_back_as_it_was_written() {
    for word in ["30s", "15m", "24h", "1d", "7d", "1w", "30d", "1mo", "1y", "daily", "quarterly"] {
        let period = Period::parse(word).expect("a period");
        assert_eq!(period.to_string(), word);
    }
    assert_eq!(Period::parse("007d").expect("a period").to_string(), "7d");
}

#[test]
fn two_words_for_one_period_are_two_words() {
    assert_ne!(Period::parse("7d"), Period::parse("1w"));
}

#[test]
fn what_is_no_period_is_told_why() {
    let unit = |unit: &str| PeriodProblem::UnknownUnit(unit.to_owned());
    let cases = [
        ("", PeriodProblem::Empty, None),
        ("fortnight", PeriodProblem::UnknownWord, None),
        ("montly", PeriodProblem::UnknownWord, Some("monthly")),
        ("Daily", PeriodProblem::UnknownWord, Some("daily")),
        ("annually", PeriodProblem::UnknownWord, Some("yearly")),
        (" 30d", PeriodProblem::UnknownWord, Some("30d")),
        ("30", PeriodProblem::NoUnit, None),
        ("1hr", unit("hr"), Some("1h")),
        ("30 days", unit(" days"), Some("30d")),
        ("1M", unit("M"), None),
        ("1MO", unit("MO"), Some("1mo")),
        ("1e3s", unit("e3s"), None),
        ("7日", unit("日"), None),
        ("0d", PeriodProblem::NotPositive, None),
        ("00mo", PeriodProblem::NotPositive, None),
        ("-1", PeriodProblem::NotPositive, None),
        ("-1d", PeriodProblem::NotPositive, None),
        ("1.5h", PeriodProblem::NotWhole, None),
        ("+5d", PeriodProblem::NotWhole, None),
        ("-", PeriodProblem::NotWhole, None),
        ("NaN", PeriodProblem::NotWhole, None),
        ("nand", PeriodProblem::NotWhole, None),
        ("Infinity", PeriodProblem::NotWhole, None),
    ];
    for (text, problem, meant) in cases {
        let error = Period::parse(text).expect_err(text);
        let meant = meant.map(str::to_owned);
        assert_eq!(error, PeriodError { text: text.to_owned(), problem, meant }, "{text:?}");
    }
}

#[test]
fn a_hundred_years_are_the_longest() {
    for longest in ["3162240000s", "52704000m", "878400h", "36600d", "5228w", "1200mo", "100y"] {
        let period = Period::parse(longest).expect("the longest");
        let unit = longest.trim_start_matches(|c: char| c.is_ascii_digit());
        let count: u64 = longest[..longest.len() - unit.len()].parse().expect("a count");
        for above in [format!("{}{unit}", count + 1), format!("99999999999999999999{unit}")] {
            let error = Period::parse(&above).expect_err("too long");
            assert_eq!(error.problem, PeriodProblem::TooLong(period), "{above}");
        }
    }
}

#[test]
fn an_error_names_the_text_the_problem_and_the_way_out() {
    assert_eq!(
        Period::parse("1hr").expect_err("no unit").to_string(),
        "`1hr` is no budget period: `hr` is no unit; write a whole number above zero and one of \
         s, m, h, d, w, mo or y, such as `30d`, or one of hourly, daily, weekly, monthly, \
         quarterly or yearly; did you mean `1h`"
    );
    let long = Period::parse(&"9".repeat(5000)).expect_err("too long a text");
    assert_eq!(long.text.len(), TEXT_CHARS_MAX);
    assert!(
        Period::parse("101y").expect_err("long").to_string().contains("it is longer than `100y`")
    );
}

proptest! {
    #[test]
    fn no_text_is_a_surprise(text in ".{0,12}") {
        match Period::parse(&text) {
            Ok(period) => prop_assert_eq!(Period::parse(&period.to_string()), Ok(period)),
            Err(error) => prop_assert_eq!(error.text, text),
        }
    }

    #[test]
    fn what_is_meant_is_a_period(text in "[0-9]{0,3} ?[a-zA-Z]{0,9}") {
        if let Some(meant) = Period::parse(&text).err().and_then(|error| error.meant) {
            prop_assert!(Period::parse(&meant).is_ok(), "{meant}");
        }
    }

    #[test]
    fn a_count_within_its_limit_reads_back(count in 1u32..=100, unit in 0..UNITS.len()) {
        let text = format!("{count}{}", UNITS[unit].suffix());
        prop_assert_eq!(Period::parse(&text).map(|period| period.to_string()), Ok(text));
    }
}
