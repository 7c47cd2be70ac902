//! Edits of an object's top level that keep every byte they do not name.

use std::borrow::Cow;
use std::ops::Range;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Layout, Object, Raw, quoted};

/// Edits collected on one body. Without any, [`finish`](Self::finish) gives the body itself back.
///
/// An edit of a name that stands more than once leaves one member of that name, so that two readers
/// who disagree about duplicates still read the same.
#[derive(Debug)]
pub struct Splice {
    body: Bytes,
    layout: Layout,
    fates: Vec<Fate>,
    added: Vec<(Box<str>, Box<str>)>,
}

/// What becomes of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Keep,
    Replace(Box<str>),
    Remove,
}

impl Splice {
    /// Starts on a body and the scan of that same body.
    #[must_use]
    pub fn new(body: &Bytes, object: &Object<'_>) -> Self {
        Self::over(body, &object.layout())
    }

    /// Starts on a body whose layout was kept from its scan.
    #[must_use]
    pub fn over(body: &Bytes, layout: &Layout) -> Self {
        Self::owning(body.clone(), layout.clone())
    }

    /// Starts on a body that is given away, so that it can be edited in place.
    #[must_use]
    pub fn owning(body: Bytes, layout: Layout) -> Self {
        let fates = vec![Fate::Keep; layout.places.len()];
        Self { body, layout, fates, added: Vec::new() }
    }

    /// Gives a name this value, which must be valid JSON: in place of the last member of the name,
    /// or as a new member at the end.
    pub fn set(&mut self, name: &str, raw_json: impl Into<Box<str>>) {
        let raw_json = raw_json.into();
        if let Some(at) = self.last_standing(name) {
            self.remove_standing(name);
            self.fates[at] = Fate::Replace(raw_json);
            return;
        }
        match self.added.iter_mut().find(|(added, _)| **added == *name) {
            Some((_, value)) => *value = raw_json,
            None => self.added.push((name.into(), raw_json)),
        }
    }

    /// Removes every member of a name.
    pub fn remove(&mut self, name: &str) {
        self.remove_standing(name);
        self.added.retain(|(added, _)| **added != *name);
    }

    /// Removes every member of a name but the last, which is the one whose value counts.
    pub fn remove_shadowed(&mut self, name: &str) {
        if let Some(at) = self.last_standing(name) {
            let fate = self.fates[at].clone();
            self.remove_standing(name);
            self.fates[at] = fate;
        }
    }

    /// The value of a name with the edits made so far, unless it is absent or `null`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Raw<'_>> {
        let raw = match self.last_standing(name) {
            Some(at) => match &self.fates[at] {
                Fate::Replace(raw) => raw,
                Fate::Keep | Fate::Remove => {
                    std::str::from_utf8(self.slice(&self.layout.places[at].value)).ok()?
                }
            },
            None => &self.added.iter().find(|(added, _)| **added == *name)?.1,
        };
        Some(Raw::scanned(raw)).filter(|raw| !raw.is_null())
    }

    /// The edited body. A body that nobody else holds is edited in its own memory.
    #[must_use]
    pub fn finish(self) -> Bytes {
        let Self { body, layout, fates, added } = self;
        if added.is_empty() && fates.iter().all(|fate| *fate == Fate::Keep) {
            return body;
        }
        let pieces = pieces(&layout, &fates, &added, body.len());
        match body.try_into_mut() {
            Ok(mut own) => {
                rearrange(&mut own, &pieces);
                own.freeze()
            }
            Err(shared) => joined(&shared, &pieces),
        }
    }

    fn last_standing(&self, name: &str) -> Option<usize> {
        let standing = self.layout.places.iter().zip(&self.fates);
        standing
            .enumerate()
            .filter(|(_, (place, fate))| *place.name == *name && **fate != Fate::Remove)
            .map(|(at, _)| at)
            .next_back()
    }

    fn remove_standing(&mut self, name: &str) {
        for (place, fate) in self.layout.places.iter().zip(&mut self.fates) {
            if *place.name == *name {
                *fate = Fate::Remove;
            }
        }
    }

    /// A part of the body; empty when the layout belongs to another body.
    fn slice(&self, span: &Range<usize>) -> &[u8] {
        self.body.get(span.clone()).unwrap_or_default()
    }
}

/// A piece of the edited body.
enum Piece<'a> {
    /// What stands there in the body as it was.
    Kept(Range<usize>),
    /// Something new.
    New(Cow<'a, str>),
}

impl Piece<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Kept(span) => span.len(),
            Self::New(text) => text.len(),
        }
    }
}

/// The edited body in pieces, what is kept in the order in which it stood. Members are written with
/// the separator that stood before them; the first one written needs none.
fn pieces<'a>(
    layout: &Layout,
    fates: &'a [Fate],
    added: &'a [(Box<str>, Box<str>)],
    bytes: usize,
) -> Vec<Piece<'a>> {
    let mut list = Pieces { list: Vec::with_capacity(fates.len() + 3 * added.len() + 2), bytes };
    let mut end = layout.inside;
    list.keep(0..layout.places.first().map_or(end, |place| place.member.start));
    let mut written = false;
    for (place, fate) in layout.places.iter().zip(fates) {
        if *fate != Fate::Remove {
            if written {
                list.keep(end..place.member.start);
            }
            written = true;
        }
        match fate {
            Fate::Keep => list.keep(place.member.clone()),
            Fate::Replace(raw) => {
                list.keep(place.member.start..place.value.start);
                list.add(&**raw);
            }
            Fate::Remove => {}
        }
        end = place.member.end;
    }
    for (name, raw) in added {
        if written {
            list.add(",");
        }
        written = true;
        list.add(quoted(name) + ":");
        list.add(&**raw);
    }
    list.keep(end..bytes);
    list.list
}

/// Pieces of a body of so many bytes.
struct Pieces<'a> {
    list: Vec<Piece<'a>>,
    bytes: usize,
}

impl<'a> Pieces<'a> {
    /// Neighbours are one piece. A layout of another body names spans that are not there.
    fn keep(&mut self, span: Range<usize>) {
        if span.start > span.end || span.end > self.bytes {
            return;
        }
        match self.list.last_mut() {
            Some(Piece::Kept(last)) if last.end == span.start => last.end = span.end,
            _ => self.list.push(Piece::Kept(span)),
        }
    }

    fn add(&mut self, text: impl Into<Cow<'a, str>>) {
        self.list.push(Piece::New(text.into()));
    }
}

/// The pieces in memory of their own.
fn joined(body: &[u8], pieces: &[Piece<'_>]) -> Bytes {
    let mut out = BytesMut::with_capacity(pieces.iter().map(Piece::len).sum());
    for piece in pieces {
        match piece {
            Piece::Kept(span) => out.put_slice(body.get(span.clone()).unwrap_or_default()),
            Piece::New(text) => out.put_slice(text.as_bytes()),
        }
    }
    out.freeze()
}

/// The pieces in the memory of the body. Because they keep their order, what moves to the front
/// from front to back, and then what moves to the back from back to front, meets nothing that has
/// yet to move.
fn rearrange(body: &mut BytesMut, pieces: &[Piece<'_>]) {
    let length: usize = pieces.iter().map(Piece::len).sum();
    if length > body.len() {
        body.resize(length, 0);
    }
    let mut to = 0;
    let mut behind = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Kept(span) if span.start > to => body.copy_within(span.clone(), to),
            Piece::Kept(span) if span.start < to => behind.push((span, to)),
            Piece::Kept(_) | Piece::New(_) => {}
        }
        to += piece.len();
    }
    for (span, to) in behind.into_iter().rev() {
        body.copy_within(span.clone(), to);
    }
    let mut to = 0;
    for piece in pieces {
        if let (Piece::New(text), Some(place)) = (piece, body.get_mut(to..to + piece.len())) {
            place.copy_from_slice(text.as_bytes());
        }
        to += piece.len();
    }
    body.truncate(length);
}
