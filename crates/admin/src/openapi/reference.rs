//! The description as a page: complete without scripts, and nothing of it comes from elsewhere.

use std::fmt::Write as _;

use tollgate_faults::Reason;

use super::{Extra, Operation, Part, Place, families};

/// The page of these operations.
#[must_use]
pub fn reference(version: &str, operations: &[Operation]) -> String {
    let families = families(operations);
    let links = families.iter().map(|family| {
        let name = escaped(family);
        format!("<li><a href=\"#{name}\">{name}</a></li>")
    });
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>API reference · Tollgate</title><style>{STYLE}</style>\
         <h1>API reference</h1><p>Tollgate {}. The same for machines: \
         <a href=\"openapi.json\">openapi.json</a>. Why a call is refused: \
         <a href=\"errors\">errors</a>.</p><nav><ul>{}</ul></nav>",
        escaped(version),
        links.collect::<String>(),
    );
    for family in families {
        let name = escaped(family);
        let _ = write!(page, "<h2 id=\"{name}\">{name}</h2>");
        for operation in operations.iter().filter(|operation| operation.family == family) {
            page.push_str(&section(operation));
        }
    }
    page.push_str("</html>");
    page
}

fn section(operation: &Operation) -> String {
    let mut text = format!(
        "<section id=\"{}\"><h3><code>{} {}</code></h3><p>{}. For {}.</p>",
        operation.id(),
        operation.method,
        escaped(&operation.path),
        escaped(operation.about),
        escaped(operation.who),
    );
    if !operation.parts.is_empty() {
        text += "<table><thead><tr><th>name</th><th>in</th><th>holds</th><th>meaning</th></tr>\
                 </thead><tbody>";
        text.extend(operation.parts.iter().map(row));
        text += "</tbody></table>";
    }
    if operation.has_body && operation.extra == Extra::Kept {
        text += "<p>Further fields of the format pass.</p>";
    }
    if !operation.not_yet.is_empty() {
        let names = operation.not_yet.iter().map(|name| format!("<code>{}</code>", escaped(name)));
        let names: Vec<String> = names.collect();
        let _ = write!(text, "<p>Not supported yet: {}.</p>", names.join(", "));
    }
    for (status, reasons) in operation.refused_with() {
        let reasons: Vec<String> = reasons.into_iter().map(link).collect();
        let _ = write!(text, "<p class=\"no\">{status}: {}</p>", reasons.join(", "));
    }
    text + "</section>"
}

fn row(part: &Part) -> String {
    let place = match part.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Body => "body",
    };
    let required = if part.required { " (required)" } else { "" };
    format!(
        "<tr><td><code>{}</code></td><td>{place}</td><td>{}{required}</td><td>{}</td></tr>",
        escaped(part.name),
        escaped(&part.taken.word),
        escaped(part.about),
    )
}

fn link(reason: Reason) -> String {
    let slug = reason.slug();
    format!("<a href=\"errors/{slug}\">{slug}</a>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = ":root{color-scheme:light dark}\
    body{font:1rem/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}\
    nav ul{columns:14rem;padding-left:1rem}\
    section{border-top:1px solid #8886;margin-top:1.5rem}\
    h3{overflow-wrap:anywhere}\
    table{border-collapse:collapse;width:100%}\
    th,td{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}\
    .no{margin:.2rem 0;font-size:.85rem}";
