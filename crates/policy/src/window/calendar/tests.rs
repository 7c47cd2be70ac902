//! Zones, days of the week and times of day as they are written.

use super::*;

#[test]
fn a_zone_is_found_by_its_name() {
    for (written, name) in [
        ("UTC", "UTC"),
        ("Asia/Kathmandu", "Asia/Kathmandu"),
        ("europe/berlin", "Europe/Berlin"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ] {
        assert_eq!(Zone::parse(written).expect("a zone").name(), name);
    }
    assert_eq!(Zone::parse("UTC"), Ok(Zone::utc()));
}

#[test]
fn every_listed_zone_can_be_used() {
    let names = Zone::names();
    assert!(names.len() > 500, "{} zones", names.len());
    for name in names {
        assert_eq!(Zone::parse(&name).expect("a listed zone").name(), name);
    }
}

#[test]
fn an_unknown_zone_is_an_error_with_near_names_and_never_utc() {
    let cases: [(&str, &[&str]); 6] = [
        ("Europe/Berln", &["Europe/Berlin"]),
        ("Tokyo", &["Asia/Tokyo"]),
        ("America/New York", &["America/New_York"]),
        ("", &[]),
        ("Etc/Unknown", &[]),
        ("Mars/Olympus_Mons", &[]),
    ];
    for (text, near) in cases {
        let error = Zone::parse(text).expect_err(text);
        assert_eq!(error.text, text);
        assert_eq!(error.near.first().map(String::as_str), near.first().copied(), "{text}");
    }
    let many = Zone::parse("Etc/GMT+99").expect_err("no such offset").near;
    assert_eq!(many.len(), NEAR_NAMES_MAX, "{many:?}");
    assert_eq!(
        Zone::parse("Europe/Berln").expect_err("a slip").to_string(),
        "`Europe/Berln` is no time zone of the IANA database, such as `Europe/Berlin` or `UTC`; \
         did you mean `Europe/Berlin`"
    );
}

#[test]
fn standard_time_is_todays_and_not_summer_time() {
    for (zone, hours) in [
        ("UTC", 0.0),
        ("Europe/Berlin", 1.0),
        ("Australia/Sydney", 10.0),
        ("Australia/Lord_Howe", 10.5),
        ("Asia/Kathmandu", 5.75),
        ("Europe/Dublin", 0.0),
        ("Africa/Casablanca", 1.0),
        ("America/Caracas", -4.0),
    ] {
        let seconds = Zone::parse(zone).expect("a zone").standard_seconds();
        assert!((f64::from(seconds) / 3600.0 - hours).abs() < f64::EPSILON, "{zone}: {seconds}");
    }
}

/// What [`crate::QuarterHours`] promises rests on this.
#[test]
fn all_offsets_are_quarter_hours_from_1980_on() {
    let (from, until) = (instant("1979-12-31T00:00:00Z"), instant("2120-01-01T00:00:00Z"));
    for name in Zone::names() {
        let zone = Zone::parse(&name).expect("a listed zone").zone;
        assert_eq!(zone.to_offset(from).seconds() % 900, 0, "{name}");
        for change in zone.following(from).take_while(|change| change.timestamp() < until) {
            assert_eq!(change.offset().seconds() % 900, 0, "{name} at {}", change.timestamp());
        }
    }
}

fn instant(text: &str) -> jiff::Timestamp {
    text.parse().expect("an instant")
}

#[test]
fn a_week_starts_on_a_named_day() {
    assert_eq!(WeekStart::parse("Monday"), Ok(WeekStart::MONDAY));
    let sunday = WeekStart::parse("sunday").expect("a day");
    // 2026-05-02 is a Saturday.
    let saturday = jiff::civil::date(2026, 5, 2);
    assert_eq!((sunday.days_before(saturday), WeekStart::MONDAY.days_before(saturday)), (6, 5));
    assert_eq!(WeekStart::parse("saturday").map(|day| day.days_before(saturday)), Ok(0));
    assert_eq!(
        WeekStart::parse("sundya").expect_err("a slip").to_string(),
        "`sundya` is no day of the week: write one of monday, tuesday, wednesday, thursday, \
         friday, saturday or sunday; did you mean `sunday`"
    );
    assert!(WeekStart::parse("").is_err() && WeekStart::parse("0").is_err());
}

#[test]
fn a_time_of_day_is_hours_and_minutes() {
    assert_eq!(TimeOfDay::parse("00:00"), Ok(TimeOfDay::MIDNIGHT));
    assert!(TimeOfDay::parse("23:59").is_ok());
    for text in ["", "24:00", "12:60", "6:00", "06:0", "06:00:00", "-1:00", "+6:00", "noon", "0600"]
    {
        assert_eq!(TimeOfDay::parse(text), Err(TimeOfDayError(text.to_owned())), "{text}");
    }
}
