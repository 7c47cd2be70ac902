//! Every route of LiteLLM's that people use, asked of a running gateway: each is served, or the
//! table says why not.

use http::Method;
use tollgate_testkit::http::{Answer, Client};

use crate::stage::Stage;

/// The routes, with the reasons of those that are not served.
const TABLE: &str = include_str!("surface.txt");
/// What says that a route is there to be refused.
const REFUSED: &str = "refused";

/// A line of the table.
struct Line {
    method: &'static str,
    path: &'static str,
    /// Why it is not served; empty where it is.
    why: &'static str,
}

fn lines() -> impl Iterator<Item = Line> {
    let told = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    told.map(|line| {
        let (tier, rest) = line.split_once("  ").expect("a tier");
        assert!(["A", "B"].contains(&tier), "{line}");
        let (method, rest) = rest.trim_start().split_once(' ').expect("a method");
        let rest = rest.trim_start();
        let (path, why) = rest.split_once(' ').unwrap_or((rest, ""));
        Line { method, path, why: why.trim_start() }
    })
}

#[tokio::test]
async fn every_route_of_the_table_is_served_or_says_why_not() {
    let stage = Stage::new().await;
    let master = stage.gateway.master();
    let (mut wrong, mut served) = (Vec::new(), 0);
    for Line { method, path, why } in lines() {
        let answer = ask(&master, method, &concrete(path)).await;
        let found = match answer.refusal() {
            (404, reason) if reason == "route_unknown" => "absent",
            (405, _) => "absent",
            (400 | 503, reason) if reason == "parameter_unsupported" => REFUSED,
            _ => "served",
        };
        let expected = match why {
            "" => "served",
            REFUSED => REFUSED,
            _ => "absent",
        };
        served += usize::from(found == "served");
        if found != expected {
            let answer = answer.text();
            wrong.push(format!("{method} {path} is {found}, not {expected}: {answer:.200}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(served > 100, "{served}");
    let (books, _) = stage.close().await;
    books.must_balance();
}

async fn ask(client: &Client, method: &str, path: &str) -> Answer {
    let method = match method {
        "ANY" => Method::POST,
        // A socket begins as a request like others.
        "WS" => Method::GET,
        other => Method::from_bytes(other.as_bytes()).expect("the table names a method"),
    };
    let body = if method == Method::GET { "" } else { "{}" };
    client.try_whole(method, path, body.into()).await.expect("an answer")
}

/// A path that the template fits, of what is not there where it names something.
fn concrete(template: &str) -> String {
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').expect("a parameter ends");
        path += before;
        path += if name.starts_with("model_name") { "chat" } else { "nothing" };
        rest = after;
    }
    path + rest
}

#[test]
fn parameters_of_templates_are_filled() {
    for (template, path) in [
        ("/key/info", "/key/info"),
        ("/team/{team_id:path}/callback", "/team/nothing/callback"),
        ("/v1beta/models/{model_name:path}:generateContent", "/v1beta/models/chat:generateContent"),
    ] {
        assert_eq!(concrete(template), path);
    }
    let again = |line: &Line| (line.method, line.path);
    let routes: std::collections::BTreeSet<_> = lines().map(|line| again(&line)).collect();
    assert_eq!(routes.len(), lines().count(), "a route is listed twice");
}
