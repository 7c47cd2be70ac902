//! Settings in model names and in JSON.

use super::*;

fn behaviour(name: &str) -> Result<Behaviour, SettingError> {
    let (_, settings) = Settings::of_model(name)?;
    settings.unwrap_or_default().over(Behaviour::default())
}

#[test]
fn a_model_name_without_settings_is_only_a_name() {
    let (model, settings) = Settings::of_model("gpt-x").expect("a name");
    assert_eq!((model, settings.is_none()), ("gpt-x", true));
    assert_eq!(behaviour("gpt-x?"), Ok(Behaviour::default()));
}

#[test]
fn a_model_name_can_set_pace_and_size() {
    let (model, _) = Settings::of_model("simulated?tokens=2").expect("a name");
    assert_eq!(model, "simulated");
    let expected = Behaviour {
        prompt_tokens: Some(7),
        cached_tokens: 3,
        reasoning_tokens: 4,
        model_date: Some("2026-01-31".to_owned()),
        tool_call: Some(ToolCall { name: Some("now".to_owned()), arguments: "{}".to_owned() }),
        ..Behaviour::answering(200).paced(Duration::from_millis(300), 50.5)
    };
    let name = "m?ttft_ms=300&tps=50.5&tokens=200&prompt_tokens=7&cached_tokens=3\
                &reasoning_tokens=4&date=2026-01-31&tool=now";
    assert_eq!(behaviour(name), Ok(expected));
    assert_eq!(
        behaviour("m?tool=first").map(|b| b.tool_call),
        Ok(Some(ToolCall { name: None, arguments: "{}".to_owned() }))
    );
}

#[test]
fn a_model_name_can_set_each_fault() {
    let status = |status, retry_after| Fault::Status { status, retry_after, body: None };
    for (suffix, fault) in [
        ("fault=none", Fault::None),
        ("fault=429&retry_after=2", status(429, Some(Duration::from_secs(2)))),
        ("fault=300", status(300, None)),
        ("fault=599", status(599, None)),
        ("fault=hang_up", Fault::HangUp),
        ("fault=stall&after_tokens=3", Fault::Stall { after_tokens: 3 }),
        ("fault=end_early&after_tokens=3", Fault::EndEarly { after_tokens: 3 }),
        ("fault=malformed_frame&after_tokens=3", Fault::MalformedFrame { at: 3 }),
        ("fault=error_event&after_tokens=0", Fault::ErrorEvent { after_tokens: 0 }),
        ("fault=cut&after_bytes=10", Fault::CutAfterBytes(10)),
        ("fault=slow_headers&delay_ms=5", Fault::SlowHeaders(Duration::from_millis(5))),
        ("fault=error_inside_200", Fault::ErrorInside200),
        ("fault=no_usage", Fault::NoUsage),
        ("fault=no_done", Fault::NoDone),
        ("fault=html", Fault::Html),
    ] {
        assert_eq!(behaviour(&format!("m?{suffix}")).map(|b| b.fault), Ok(fault), "{suffix}");
    }
}

#[test]
fn nonsense_in_a_model_name_is_refused_with_its_reason() {
    for (suffix, reason) in [
        ("tokns=1", "there is no setting `tokns`; there are ttft_ms, tps,"),
        ("text=hello", "there is no setting `text`"),
        ("tokens", "`tokens` is ``, which is not a whole number"),
        ("tokens=-1", "`tokens` is `-1`"),
        ("tokens=1000001", "not at most 1000000"),
        ("tokens=1&tokens=1", "`tokens` is there twice"),
        ("ttft_ms=3600001", "an hour"),
        ("tps=0", "not a number from 0.001"),
        ("tps=NaN", "not a number from 0.001"),
        ("tps=inf", "not a number from 0.001"),
        ("fault=", "`fault` is ``"),
        ("fault=299", "a status from 300 to 599"),
        ("fault=600", "a status from 300 to 599"),
        ("fault=boom", "a status from 300 to 599 or one of none"),
        ("fault=stall", "needs the setting `after_tokens`"),
        ("fault=cut", "needs the setting `after_bytes`"),
        ("fault=slow_headers", "needs the setting `delay_ms`"),
        ("fault=stall&after_tokens=1&retry_after=2", "`retry_after` has no meaning here"),
        ("retry_after=2", "`retry_after` has no meaning here"),
        ("fault=html&after_bytes=2", "`after_bytes` has no meaning here"),
    ] {
        let error = behaviour(&format!("m?{suffix}")).expect_err(suffix).to_string();
        assert!(error.contains(reason), "{suffix}: {error}");
    }
}

#[test]
fn json_takes_the_same_settings_and_a_few_more() {
    let json = r#"{"tokens":9,"text":"héllo","tool":"now","arguments":"[1]","fault":503,
        "retry_after":1,"body":"<html>","headers":{"X-Extra":"yes"}}"#;
    let settings: Settings = serde_json::from_str(json).expect("settings");
    let behaviour = settings.over(Behaviour::default()).expect("a behaviour");
    assert_eq!(behaviour.text.as_deref(), Some("héllo"));
    assert_eq!(behaviour.tool_call.map(|call| call.arguments).as_deref(), Some("[1]"));
    assert_eq!(behaviour.headers[0].0, "x-extra");
    let fault = Fault::Status {
        status: 503,
        retry_after: Some(Duration::from_secs(1)),
        body: Some("<html>".to_owned()),
    };
    assert_eq!(behaviour.fault, fault);
}

#[test]
fn json_that_means_nothing_is_refused() {
    for json in [
        r#"{"tokns":1}"#,
        r#"{"tokens":-1}"#,
        r#"{"arguments":"{}"}"#,
        r#"{"body":"x"}"#,
        r#"{"fault":"429","after_tokens":1}"#,
        r#"{"headers":{"content-length":"5"}}"#,
        r#"{"headers":{"a b":"5"}}"#,
        r#"{"headers":{"a":"line\nbreak"}}"#,
    ] {
        let settings = serde_json::from_str::<Settings>(json).ok();
        let behaviour = settings.map(|settings| settings.over(Behaviour::default()));
        assert!(!matches!(behaviour, Some(Ok(_))), "{json}");
    }
}

#[test]
fn later_settings_stand_on_top_of_a_behaviour() {
    let base = Behaviour { text: Some("hi".to_owned()), ..Behaviour::refusing(500) };
    let over = |name: &str| {
        let (_, settings) = Settings::of_model(name).expect("a name");
        settings.unwrap_or_default().over(base.clone()).expect("a behaviour")
    };
    assert_eq!(over("m?prompt_tokens=1"), Behaviour { prompt_tokens: Some(1), ..base.clone() });
    assert_eq!(over("m?fault=none").fault, Fault::None);
    assert_eq!(over("m?tokens=4").text, None);
}

#[test]
fn every_setting_of_a_model_name_is_listed() {
    let listed: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
    for name in listed.iter().take_while(|name| **name != "text") {
        let unknown = matches!(Settings::default().set(name, "1"), Err(SettingError::Unknown(_)));
        assert!(!unknown, "{name}");
    }
    let error = serde_json::from_str::<Settings>(r#"{"x":1}"#).expect_err("an unknown field");
    for name in listed {
        assert!(error.to_string().contains(&format!("`{name}`")), "{name}");
    }
}
