//! A request's body with what its reasoning is checked with.

use std::ops::Deref;

use bytes::Bytes;

use crate::formats::seal::Sealer;
use crate::formats::values;
pub(super) use crate::formats::values::{Place, Unmapped, count, flag, of_kind};

/// A body whose texts are given out as slices of it.
#[derive(Debug)]
pub(super) struct Body<'k> {
    values: values::Body,
    /// The key of the gateway's own signatures, where they are to be checked.
    pub(super) sealer: Option<&'k Sealer>,
}

impl<'k> Body<'k> {
    /// Takes a body that has been scanned, which means that it is UTF-8.
    pub(super) fn new(body: &Bytes, sealer: Option<&'k Sealer>) -> Self {
        Self { values: values::Body::new(body), sealer }
    }
}

impl Deref for Body<'_> {
    type Target = values::Body;

    fn deref(&self) -> &values::Body {
        &self.values
    }
}
