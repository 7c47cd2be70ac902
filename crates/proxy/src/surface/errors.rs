//! The page behind the `doc` link of every refusal.

use axum::extract::Path;
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;
use tollgate_faults::{self as faults, Reason};

/// `GET /errors`: every reason a call can be refused for.
pub(super) async fn index() -> Html<String> {
    let items: String = Reason::ALL
        .iter()
        .filter_map(|reason| faults::article(reason.slug()))
        .map(|article| {
            let (slug, title) = (article.slug, escaped(article.title));
            format!("<li><a href=\"/errors/{slug}\"><code>{slug}</code></a> {title}</li>")
        })
        .collect();
    Html(page("Refusals", &format!("<ul>{items}</ul>")))
}

/// `GET /errors/{slug}`.
pub(super) async fn article(Path(slug): Path<String>) -> Response {
    let Some(article) = faults::article(&slug) else {
        let body = page("No such article", "<p><a href=\"/errors\">All articles</a></p>");
        return (StatusCode::NOT_FOUND, Html(body)).into_response();
    };
    let body = format!(
        "<p><code>{}</code>, HTTP {}, origin: {}.</p><p>{}</p><h2>What to do</h2><p>{}</p>\
         <p><a href=\"/errors\">All articles</a></p>",
        article.slug,
        article.status,
        article.origin.as_str(),
        escaped(article.meaning),
        escaped(article.fix),
    );
    Html(page(article.title, &body)).into_response()
}

fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Tollgate</title>\
         <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui;max-width:42rem;\
         margin:2rem auto;padding:0 1rem}}</style><h1>{title}</h1>{body}</html>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
