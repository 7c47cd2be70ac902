//! What the HTTP client's errors mean.

use std::error::Error as StdError;

use hyper_util::client::legacy;

use crate::connect::ConnectError;
use crate::error::{DispatchError, Phase};

/// Why there was no head of an answer.
#[derive(Debug)]
pub(crate) enum NoHead {
    /// The connect limit expired in the connector.
    ConnectExpired,
    /// There was no connection.
    NoConnection(String),
    /// There was a connection.
    Broken(DispatchError),
}

/// Reads an error of the pool.
pub(crate) fn no_head(error: &legacy::Error) -> NoHead {
    match find::<ConnectError>(error) {
        Some(ConnectError::Expired) => return NoHead::ConnectExpired,
        Some(ConnectError::Failed(detail)) => return NoHead::NoConnection(detail.clone()),
        None => {}
    }
    match find::<hyper::Error>(error) {
        Some(hyper) => NoHead::Broken(broken(hyper, Phase::FirstByte)),
        None => NoHead::NoConnection(chain(error)),
    }
}

/// Reads an error of an established connection.
pub(crate) fn broken(error: &hyper::Error, phase: Phase) -> DispatchError {
    let detail = chain(error);
    match () {
        () if error.is_parse_too_large() => DispatchError::HeadersTooLarge,
        () if error.is_parse() => DispatchError::NotHttp { detail },
        () => DispatchError::Reset { phase, detail },
    }
}

/// An error with its causes, outermost first, each said once.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for cause in causes(error) {
        let part = cause.to_string();
        if text.is_empty() {
            text = part;
        } else if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
    }
    text
}

fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// An error, then what caused it, and so on.
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    #[error("{0}")]
    struct Link(&'static str, #[source] Option<Box<Link>>);

    #[test]
    fn a_chain_says_each_cause_once() {
        let link = |text, cause| Some(Box::new(Link(text, cause)));
        let error = Link("tcp connect error", link("refused: os error 111", link("refused", None)));
        assert_eq!(chain(&error), "tcp connect error: refused: os error 111");
    }
}
