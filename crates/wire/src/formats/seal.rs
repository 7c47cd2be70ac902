//! The gateway's own signature on reasoning that nobody else vouches for.
//!
//! Clients of the Messages API hand a thinking block back only with its signature. Reasoning of
//! providers that send plain text has none, so it gets ours. From it the gateway later knows which
//! blocks a provider that checks signatures must not get, and whose text a block holds.
//!
//! A signature is `gw1.` and, in base64 for URLs, the provider, the model family and a code over
//! them and the text (HMAC-SHA256). It proves that the text is unchanged; it hides nothing.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Begins every signature. A later form gets another number.
const MARK: &str = "gw1.";

/// The mark at the beginning of a JSON string.
const MARKED: &str = "\"gw1.";

/// Bytes of the code.
const CODE_BYTES: usize = 32;

/// Longest name in a signature, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Longest signature that is looked at, in bytes: no longer one is made.
const SIGNATURE_BYTES_MAX: usize = 256;

/// Signs reasoning and knows its own signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealer {
    secret: [u8; 32],
}

/// The secret must not reach a log.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// Whose reasoning a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    provider: Box<str>,
    family: Box<str>,
}

impl Origin {
    /// The origin of what a provider's model thinks. The family is the model's id without the path
    /// before it and the variant behind a colon. Names are cut at 64 bytes.
    #[must_use]
    pub fn of(provider: &str, model: &str) -> Self {
        let id = model.rsplit('/').next().unwrap_or_default();
        let family = id.split(':').next().unwrap_or_default().to_ascii_lowercase();
        Self { provider: name(provider).into(), family: name(&family).into() }
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The model family.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.family
    }
}

/// A name as it can stand in a signature: up to the limit, and up to the byte that ends it there.
fn name(text: &str) -> &str {
    let text = text.split('\0').next().unwrap_or_default();
    text.get(..text.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or_default()
}

/// A signature in the making: the text may come in pieces, of which none is kept.
#[derive(Clone)]
pub struct Sealing {
    head: Vec<u8>,
    code: Hmac<Sha256>,
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing")
    }
}

impl Sealer {
    /// A sealer with this key. Blocks signed with another key are nobody's.
    #[must_use]
    pub const fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// The signature of a whole text.
    #[must_use]
    pub fn seal(&self, origin: &Origin, text: &str) -> String {
        let mut sealing = self.begin(origin);
        sealing.add(text);
        sealing.finish()
    }

    /// Begins the signature of a text that comes in pieces.
    #[must_use]
    pub fn begin(&self, origin: &Origin) -> Sealing {
        let names = [&*origin.provider, "\0", &*origin.family, "\0"];
        let head = names.concat().into_bytes();
        let mut code = Hmac::new(&self.block().into());
        code.update(&head);
        Sealing { head, code }
    }

    /// The key in the length of the hash's block, filled up with zeros (RFC 2104).
    fn block(&self) -> [u8; 64] {
        let mut block = [0; 64];
        block[..self.secret.len()].copy_from_slice(&self.secret);
        block
    }

    /// Whose text this is, if its signature is ours and the text unchanged.
    #[must_use]
    pub fn check(&self, text: &str, signature: &str) -> Option<Origin> {
        let (origin, code) = parse(signature)?;
        let mut sealing = self.begin(&origin);
        sealing.add(text);
        sealing.code.verify_slice(&code).ok().map(|()| origin)
    }
}

impl Sealing {
    /// More of the text.
    pub fn add(&mut self, text: &str) {
        self.code.update(text.as_bytes());
    }

    /// The signature.
    #[must_use]
    pub fn finish(self) -> String {
        let Self { mut head, code } = self;
        head.extend_from_slice(&code.finalize().into_bytes());
        format!("{MARK}{}", URL_SAFE_NO_PAD.encode(head))
    }
}

/// Whether a signature has the form of the gateway's own, whoever's key made it. No provider takes
/// one of these.
#[must_use]
pub fn is_ours(signature: &str) -> bool {
    signature.starts_with(MARK)
}

/// Whether a body may hold a signature of the gateway's own. Such a body cannot go as it came to a
/// provider that checks signatures. Texts that only look like one are found as well.
#[must_use]
pub fn may_hold_ours(body: &[u8]) -> bool {
    memchr::memmem::find(body, MARKED.as_bytes()).is_some()
}

/// Whose reasoning a signature of ours names. It is not checked here.
#[must_use]
pub fn origin_of(signature: &str) -> Option<Origin> {
    parse(signature).map(|(origin, _)| origin)
}

fn parse(signature: &str) -> Option<(Origin, Vec<u8>)> {
    let encoded = signature.strip_prefix(MARK).filter(|s| s.len() <= SIGNATURE_BYTES_MAX)?;
    let mut head = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let code = head.split_off(head.len().checked_sub(CODE_BYTES)?);
    let head = String::from_utf8(head).ok()?;
    let mut names = head.strip_suffix('\0')?.split('\0');
    let (provider, family) = (names.next()?, names.next()?);
    let whole = names.next().is_none();
    whole.then(|| (Origin { provider: provider.into(), family: family.into() }, code))
}

/// What the reasoning in one answer is signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// The key.
    pub sealer: Arc<Sealer>,
    /// Who answers.
    pub origin: Origin,
}

#[cfg(test)]
mod tests;
