//! Edits of an object's top level that keep every byte they do not name.

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
        let fates = vec![Fate::Keep; layout.places.len()];
        Self { body: body.clone(), layout: layout.clone(), fates, added: Vec::new() }
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

    /// The edited body.
    #[must_use]
    pub fn finish(self) -> Bytes {
        if self.added.is_empty() && self.fates.iter().all(|fate| *fate == Fate::Keep) {
            return self.body;
        }
        let added: usize = self.added.iter().map(|(name, raw)| name.len() + raw.len() + 8).sum();
        let replaced: usize = self.fates.iter().map(Fate::added_bytes).sum();
        let mut out = BytesMut::with_capacity(self.body.len() + added + replaced);
        self.write(&mut out);
        out.freeze()
    }

    /// Members are written with the separator that stood before them; the first one written needs
    /// none.
    fn write(&self, out: &mut BytesMut) {
        let mut end = self.layout.inside;
        let first = self.layout.places.first().map_or(end, |place| place.member.start);
        out.put_slice(self.slice(&(0..first)));
        let mut written = false;
        for (place, fate) in self.layout.places.iter().zip(&self.fates) {
            if *fate != Fate::Remove {
                if written {
                    out.put_slice(self.slice(&(end..place.member.start)));
                }
                written = true;
            }
            match fate {
                Fate::Keep => out.put_slice(self.slice(&place.member)),
                Fate::Replace(raw) => {
                    out.put_slice(self.slice(&(place.member.start..place.value.start)));
                    out.put_slice(raw.as_bytes());
                }
                Fate::Remove => {}
            }
            end = place.member.end;
        }
        for (name, raw) in &self.added {
            if written {
                out.put_u8(b',');
            }
            written = true;
            out.put_slice(quoted(name).as_bytes());
            out.put_u8(b':');
            out.put_slice(raw.as_bytes());
        }
        out.put_slice(self.slice(&(end..self.body.len())));
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

impl Fate {
    fn added_bytes(&self) -> usize {
        match self {
            Self::Replace(raw) => raw.len(),
            Self::Keep | Self::Remove => 0,
        }
    }
}
