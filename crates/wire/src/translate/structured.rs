//! JSON answers of models that keep no form by themselves: what of the model's text is the JSON
//! that was asked for, in a whole answer and as a stream goes by.

use std::sync::Arc;

use bytestring::ByteString;

use super::course::Fault;
use crate::conversation::{Answer, Choice, FinishReason, Part, PartBody, ResponseFormat};
use crate::delta::{Delta, PartKind};
use crate::schema::{Schema, Verdict};

/// Longest text of one streamed answer that is collected to be checked, in bytes.
pub const STRUCTURED_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What stands around code in a model's prose.
const FENCE: &str = "```";

/// The form that an answer's text must have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    /// `None` for any JSON object.
    schema: Option<Schema>,
}

impl Form {
    /// The form that was asked for, if one was.
    pub(super) fn of(format: &ResponseFormat) -> Option<Self> {
        match format {
            ResponseFormat::Text => None,
            ResponseFormat::JsonObject => Some(Self { schema: None }),
            ResponseFormat::JsonSchema { schema, .. } => {
                Some(Self { schema: Some(Schema::read(schema)) })
            }
        }
    }

    /// The JSON in a text, which is all of it or stands in a code fence.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn find<'t>(&self, text: &'t str) -> Result<&'t str, String> {
        let mut wrong = "it is not JSON".to_owned();
        for json in std::iter::once(text.trim()).chain(fenced(text)) {
            match self.check(json) {
                Some(Verdict::Keeps | Verdict::Open) => return Ok(json),
                Some(Verdict::Breaks(breach)) => {
                    wrong =
                        format!("`{}` of the schema is broken at `{}`", breach.keyword, breach.at);
                }
                None => {}
            }
        }
        Err(wrong)
    }

    fn check(&self, json: &str) -> Option<Verdict> {
        match &self.schema {
            Some(schema) => schema.check(json),
            None => Schema::read(r#"{"type":"object"}"#).check(json),
        }
    }

    /// Makes the JSON in a whole answer its text.
    ///
    /// # Errors
    /// What is wrong with the text of a choice.
    pub(super) fn settle(&self, answer: &mut Answer) -> Result<(), String> {
        answer.choices.iter_mut().try_for_each(|choice| self.settle_choice(choice))
    }

    fn settle_choice(&self, choice: &mut Choice) -> Result<(), String> {
        let says_otherwise =
            |part: &Part| matches!(part.body, PartBody::ToolCall(_) | PartBody::Refusal { .. });
        if is_free(choice.finish) || choice.parts.iter().any(says_otherwise) {
            return Ok(());
        }
        let text: String = choice.parts.iter().filter_map(text_of).collect();
        if choice.finish == Some(FinishReason::Length) && begins_as_json(&text) {
            return Ok(());
        }
        let json = self.find(&text)?;
        if json != text {
            choice.parts.retain(|part| text_of(part).is_none());
            choice.parts.push(Part::text(json));
        }
        Ok(())
    }
}

/// Whether an answer that ended like this is not the one that has the form.
const fn is_free(finish: Option<FinishReason>) -> bool {
    matches!(finish, Some(FinishReason::ToolCalls | FinishReason::Refused | FinishReason::Paused))
}

fn text_of(part: &Part) -> Option<&str> {
    match &part.body {
        PartBody::Text { text, .. } => Some(text),
        _ => None,
    }
}

fn begins_as_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// What stands between the first fence of a text and the last, without the language's name.
fn fenced(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(FENCE)?;
    let (inside, _) = rest.rsplit_once(FENCE)?;
    Some(inside.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).trim())
}

/// Sees to it that a streamed answer has its form. Text that begins as JSON goes on as it comes and
/// is checked at its end; other text is held back until then.
#[derive(Debug)]
pub(super) struct Guard {
    form: Arc<Form>,
    choices: Vec<Spoken>,
    bytes: usize,
    /// What is wrong with the answer. Nothing of it goes on any more.
    missed: Option<String>,
}

/// What was said in one choice.
#[derive(Debug, Default)]
struct Spoken {
    choice: u32,
    text: String,
    /// The parts that are text.
    parts: Vec<u32>,
    /// Whether text goes on as it comes; `None` while nothing tells.
    relays: Option<bool>,
    held: Vec<Delta>,
    /// Whether a tool is called or the model declines.
    says_otherwise: bool,
}

impl Guard {
    pub(super) const fn new(form: Arc<Form>) -> Self {
        Self { form, choices: Vec::new(), bytes: 0, missed: None }
    }

    /// Takes a delta and gives what goes on.
    ///
    /// # Errors
    /// [`Fault::NotProduced`] at the end of an answer without its form, when all that it consumed
    /// has been told; [`Fault::TooLong`].
    pub(super) fn take(&mut self, delta: Delta, pass: &mut dyn FnMut(&Delta)) -> Result<(), Fault> {
        if let Some(missed) = &self.missed {
            let ended = delta == Delta::End;
            return if ended { Err(Fault::NotProduced(missed.clone())) } else { Ok(()) };
        }
        match delta {
            Delta::Open { choice, part, ref kind } => match kind {
                PartKind::Text => {
                    let spoken = self.spoken(choice);
                    spoken.parts.push(part);
                    spoken.hand_on(delta, pass);
                    return Ok(());
                }
                PartKind::ToolCall { .. } | PartKind::Refusal => {
                    self.spoken(choice).says_otherwise = true;
                }
                PartKind::Reasoning { .. } | PartKind::Redacted { .. } => {}
            },
            Delta::More { part, .. } | Delta::Cite { part, .. } | Delta::Close { part } => {
                if let Some(at) = self.choices.iter().position(|it| it.parts.contains(&part)) {
                    return self.text(at, delta, pass);
                }
            }
            Delta::Finish { choice, reason, .. } => {
                let form = Arc::clone(&self.form);
                if let Err(missed) = self.spoken(choice).finish(&form, reason, pass) {
                    self.missed = Some(missed);
                    return Ok(());
                }
            }
            Delta::Begin { .. }
            | Delta::Seal { .. }
            | Delta::Usage(_)
            | Delta::Failed(_)
            | Delta::End => {}
        }
        pass(&delta);
        Ok(())
    }

    fn spoken(&mut self, choice: u32) -> &mut Spoken {
        let at = self.choices.iter().position(|spoken| spoken.choice == choice);
        let at = at.unwrap_or_else(|| {
            self.choices.push(Spoken { choice, ..Spoken::default() });
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }

    /// More of a text part.
    fn text(&mut self, at: usize, delta: Delta, pass: &mut dyn FnMut(&Delta)) -> Result<(), Fault> {
        let Some(spoken) = self.choices.get_mut(at) else { return Ok(()) };
        if let Delta::More { text, .. } = &delta {
            self.bytes += text.len();
            if self.bytes > STRUCTURED_BYTES_MAX {
                let most = STRUCTURED_BYTES_MAX;
                let message = format!("a JSON answer that is checked is longer than {most} bytes");
                return Err(Fault::TooLong(message));
            }
            spoken.text.push_str(text);
        }
        spoken.hand_on(delta, pass);
        Ok(())
    }
}

impl Spoken {
    /// Passes a delta of a text part on, or holds it back.
    fn hand_on(&mut self, delta: Delta, pass: &mut dyn FnMut(&Delta)) {
        if self.relays.is_none() && !self.text.trim_start().is_empty() {
            let relays = begins_as_json(&self.text);
            self.relays = Some(relays);
            if relays {
                self.held.drain(..).for_each(|held| pass(&held));
            }
        }
        if self.relays == Some(true) {
            pass(&delta);
        } else {
            self.held.push(delta);
        }
    }

    /// The choice ends; what is left of it goes on.
    fn finish(
        &mut self,
        form: &Form,
        reason: FinishReason,
        pass: &mut dyn FnMut(&Delta),
    ) -> Result<(), String> {
        let relayed = self.relays == Some(true);
        if self.says_otherwise || is_free(Some(reason)) {
            self.held.drain(..).for_each(|held| pass(&held));
            return Ok(());
        }
        if relayed && reason == FinishReason::Length {
            return Ok(());
        }
        let json = form.find(&self.text)?;
        if relayed {
            // What stands beside it has gone out already.
            let alone = json.len() == self.text.trim().len();
            return if alone { Ok(()) } else { Err("there is text beside its JSON".to_owned()) };
        }
        let (choice, part) = (self.choice, self.parts.first().copied().unwrap_or_default());
        pass(&Delta::Open { choice, part, kind: PartKind::Text });
        pass(&Delta::More { part, text: ByteString::from(json) });
        pass(&Delta::Close { part });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
