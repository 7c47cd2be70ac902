//! What answers promise, route by route: the members that clients may rely on. Answers hold more.

mod bulk;
mod keys;
mod models;
mod people;
mod usage;

use crate::answer::{Answer, Part, Told};
use crate::route::Route;
use crate::shape::{Field, count, dollars, instant, object, text};

/// A route, by its method and path, and what it answers with.
type Promise = (&'static str, &'static str, Answer);

/// The same route with what is promised of its answers.
pub(crate) fn promise(mut route: Route) -> Route {
    let described = &mut route.described;
    let all = [keys::ALL, people::ALL, bulk::ALL, models::ALL, usage::ALL].into_iter().flatten();
    let mut of_route =
        all.filter(|(method, path, _)| (*method, *path) == (described.method, described.path));
    if let Some((_, _, answer)) = of_route.next() {
        described.answer = *answer;
    }
    route
}

/// When a row was made and changed, and by whom.
const MADE: Part = Part::Fields(&[
    instant("created_at", "When it was made"),
    text("created_by", "Who made it"),
    instant("updated_at", "When it was last changed"),
    text("updated_by", "Who changed it"),
]);
/// What was spent.
const ACCOUNT: Part = Part::Fields(&[
    dollars("spend", "Dollars spent, in the period of its main budget"),
    instant("budget_reset_at", "When that period ends"),
    object("litellm_budget_table", "The shared budget"),
]);
/// Where a page is among all of them, in the words of most lists.
const PAGE: Part = Part::Fields(&[
    count("total", "How many there are"),
    count("page", "The page, from 1"),
    count("page_size", "Most on a page"),
    count("total_pages", "How many pages there are"),
]);
/// The same in the words of lists of keys and deployments.
const COUNTED: Part = Part::Fields(&[
    count("total_count", "How many there are"),
    count("current_page", "The page, from 1"),
    count("total_pages", "How many pages there are"),
]);
/// What was done, in words.
const MESSAGE: Field = text("message", "What was done, in words");
const DONE: Told = Told { name: "Done", parts: &[Part::Fields(&[MESSAGE])] };
const METADATA: Field = object("metadata", "What is kept beside it");

#[cfg(test)]
mod tests;
