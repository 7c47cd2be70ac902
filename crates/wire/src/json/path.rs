//! Places within a body, as LiteLLM's `additional_drop_params` writes them, and bodies without what
//! stands there: `a.b`, `tools[*].x`, `tools[0].x`.

use std::fmt;
use std::ops::Range;

use bytes::{BufMut as _, Bytes, BytesMut};
use thiserror::Error;

use super::grammar::Cursor;
use super::text::unescaped;
use super::{Malformed, Object};

/// Most steps of a path.
const STEPS_MAX: usize = 32;
/// Longest path, in bytes.
pub const PATH_BYTES_MAX: usize = 512;

/// A place in a JSON object, or several of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    written: Box<str>,
    steps: Box<[Step]>,
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// To the members of this name.
    Member(Box<str>),
    /// To the element at this place, from 0.
    Element(usize),
    /// To every element.
    Elements,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail} at character {at}")]
pub struct PathProblem {
    /// What is wrong.
    pub detail: &'static str,
    /// Where, in characters from 1.
    pub at: usize,
}

impl JsonPath {
    /// Reads a path: names with `.` between them, each followed by any number of `[*]` or `[0]`.
    ///
    /// # Errors
    /// [`PathProblem`] with the first place that is wrong.
    pub fn parse(text: &str) -> Result<Self, PathProblem> {
        let problem = |detail, rest: &str| {
            let before = text.get(..text.len() - rest.len()).unwrap_or_default();
            PathProblem { detail, at: before.chars().count() + 1 }
        };
        if text.len() > PATH_BYTES_MAX {
            return Err(problem("the path is too long", ""));
        }
        let (mut rest, mut steps) = (text, Vec::new());
        loop {
            let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() {
                return Err(problem("a name is missing", rest));
            }
            steps.push(Step::Member(name.into()));
            rest = after;
            while let Some(inside) = rest.strip_prefix('[') {
                let Some((index, after)) = inside.split_once(']') else {
                    return Err(problem("`[` is never closed", rest));
                };
                let step = element(index).ok_or("between `[` and `]` stands a number or `*`");
                steps.push(step.map_err(|detail| problem(detail, inside))?);
                rest = after;
            }
            if steps.len() > STEPS_MAX {
                return Err(problem("there are too many steps", rest));
            }
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => break,
                None => return Err(problem("`.` or the end is expected", rest)),
            }
        }
        Ok(Self { written: text.into(), steps: steps.into() })
    }

    /// The path as it was written.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// The name of the field, where the path is no more than that.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match &*self.steps {
            [Step::Member(name)] => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

fn element(index: &str) -> Option<Step> {
    match index {
        "*" => Some(Step::Elements),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().map(Step::Element)
        }
        _ => None,
    }
}

/// A body without what stands at these places, and the paths that led somewhere. What no path
/// names stays byte for byte; where none leads anywhere, it is the same body. Places are counted in
/// the body as it came.
///
/// # Errors
/// [`Malformed`] when `body` is no JSON object.
pub fn without<'p>(
    body: &Bytes,
    paths: &'p [JsonPath],
) -> Result<(Bytes, Vec<&'p JsonPath>), Malformed> {
    if paths.is_empty() {
        return Ok((body.clone(), Vec::new()));
    }
    Object::scan(body)?;
    let text = std::str::from_utf8(body).unwrap_or_default();
    let mut cut = Cut { hit: vec![false; paths.len()], gone: Vec::new() };
    let all: Vec<Going<'_>> =
        paths.iter().enumerate().map(|(path, p)| Going { path, steps: &p.steps }).collect();
    cut.value(text, 0, &all);
    let hit = paths.iter().zip(&cut.hit).filter(|(_, hit)| **hit).map(|(path, _)| path).collect();
    if cut.gone.is_empty() {
        return Ok((body.clone(), hit));
    }
    let mut out = BytesMut::with_capacity(body.len());
    let mut end = 0;
    for gone in &cut.gone {
        out.put_slice(body.get(end..gone.start).unwrap_or_default());
        end = gone.end;
    }
    out.put_slice(body.get(end..).unwrap_or_default());
    Ok((out.freeze(), hit))
}

/// A path on its way down.
#[derive(Debug, Clone, Copy)]
struct Going<'p> {
    path: usize,
    /// The steps that are left; never empty.
    steps: &'p [Step],
}

/// What is cut out of a text, in its order.
struct Cut {
    hit: Vec<bool>,
    gone: Vec<Range<usize>>,
}

/// A member or an element: the whole of it, and where its value stands.
struct Item<'p> {
    whole: Range<usize>,
    value: Range<usize>,
    goes: bool,
    onward: Vec<Going<'p>>,
}

impl Cut {
    /// Walks one value, which stands at `base` in the body. It is as deep as the paths are long.
    fn value(&mut self, text: &str, base: usize, going: &[Going<'_>]) {
        let mut cursor = Cursor::new(text);
        let mut items = Vec::new();
        if cursor.enter_object().is_ok() {
            while let Ok(Some(spans)) = cursor.next_member(items.is_empty()) {
                let name = unescaped(text.get(spans.name).unwrap_or_default());
                let fits = |step: &Step| matches!(step, Step::Member(wanted) if **wanted == *name);
                items.push(self.item((spans.member, spans.value), going, fits));
            }
        } else {
            cursor = Cursor::new(text);
            if cursor.enter_array().is_err() {
                return;
            }
            while let Ok(Some(span)) = cursor.next_element(items.is_empty()) {
                let at = items.len();
                let fits = |step: &Step| match step {
                    Step::Elements => true,
                    Step::Element(wanted) => *wanted == at,
                    Step::Member(_) => false,
                };
                items.push(self.item((span.clone(), span), going, fits));
            }
        }
        self.items(text, base, &items);
    }

    fn item<'p>(
        &mut self,
        (whole, value): (Range<usize>, Range<usize>),
        going: &[Going<'p>],
        fits: impl Fn(&Step) -> bool,
    ) -> Item<'p> {
        let mut item = Item { whole, value, goes: false, onward: Vec::new() };
        for going in going {
            match going.steps {
                [step, rest @ ..] if fits(step) => {
                    if rest.is_empty() {
                        self.hit[going.path] = true;
                        item.goes = true;
                    } else {
                        item.onward.push(Going { steps: rest, ..*going });
                    }
                }
                _ => {}
            }
        }
        item
    }

    /// Cuts the items that go, each with the separator before it, and the first ones with the
    /// separator behind; walks into the others.
    fn items(&mut self, text: &str, base: usize, items: &[Item<'_>]) {
        let mut kept: Option<usize> = None;
        for (at, item) in items.iter().enumerate() {
            if item.goes {
                let start = kept.unwrap_or(item.whole.start);
                let next = items.get(at + 1).map_or(item.whole.end, |next| next.whole.start);
                let end = if kept.is_some() { item.whole.end } else { next };
                self.gone.push(base + start..base + end);
                kept = kept.map(|_| item.whole.end);
                continue;
            }
            kept = Some(item.whole.end);
            if !item.onward.is_empty() {
                let inside = text.get(item.value.clone()).unwrap_or_default();
                self.value(inside, base + item.value.start, &item.onward);
            }
        }
    }
}

#[cfg(test)]
mod tests;
