//! Error bodies in the shapes that upstreams send.

use super::{ErrorBody, error_event, read_error};

fn check(body: &str, message: &str, [kind, code, param]: [Option<&str>; 3]) {
    let wanted = ErrorBody {
        message: message.to_owned(),
        kind: kind.map(str::to_owned),
        code: code.map(str::to_owned),
        param: param.map(str::to_owned),
    };
    assert_eq!(read_error(body.as_bytes()), Some(wanted), "{body}");
}

#[test]
fn every_vendors_error_shape_is_read() {
    check(
        r#"{"error":{"message":"no","type":"t","param":"p","code":"c"}}"#,
        "no",
        [Some("t"), Some("c"), Some("p")],
    );
    check(r#"{"error":{"message":"no","type":null,"code":429}}"#, "no", [None, Some("429"), None]);
    check(r#"{"error":"model 'x' not found"}"#, "model 'x' not found", [None; 3]);
    check(
        r#"{"object":"error","message":"no","type":"BadRequestError","param":null,"code":400}"#,
        "no",
        [Some("BadRequestError"), Some("400"), None],
    );
    check(r#"{"statusCode":401,"message":"no"}"#, "no", [None, Some("401"), None]);
    check(r#"{"error_code":"X","message":"no"}"#, "no", [None, Some("X"), None]);
    check(r#"{"detail":"no"}"#, "no", [None; 3]);
    check(r#"{"detail":[{"msg":"no"}]}"#, r#"[{"msg":"no"}]"#, [None; 3]);
    check(r#" [{"error":{"message":"no","code":400}}]"#, "no", [None, Some("400"), None]);
    check(r#"{"error":{"code":"c"}}"#, r#"{"code":"c"}"#, [None, Some("c"), None]);
    check(r#"{"error":["a"]}"#, r#"["a"]"#, [None; 3]);
}

#[test]
fn what_is_no_error_is_none() {
    for body in ["", "<html>", "{}", "[]", "[1]", r#"{"error":null}"#, r#"{"id":"a"}"#, "\u{1}"] {
        assert_eq!(read_error(body.as_bytes()), None, "{body}");
    }
    assert_eq!(read_error(&b"[".repeat(100_000)), None);
    assert_eq!(read_error(b"\xff"), None);
}

#[test]
fn a_message_is_kept_whole_and_a_made_one_is_bounded() {
    let long = "é".repeat(5000);
    let kept = read_error(format!(r#"{{"error":"{long}"}}"#).as_bytes()).expect("an error");
    assert_eq!(kept.message, long);
    let made = read_error(format!(r#"{{"error":{{"what":"{long}"}}}}"#).as_bytes());
    let message = made.expect("an error").message;
    assert!(message.len() <= 1024 && message.len() > 1020, "{}", message.len());
}

#[test]
fn an_error_event_is_one_event() {
    assert_eq!(error_event(r#"{"error":{}}"#), "data: {\"error\":{}}\n\n");
}
