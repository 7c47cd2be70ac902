//! Ids for tool calls of upstreams that give none.

use bytestring::ByteString;

/// Longest piece of an answer's id that goes into the ids of its calls, in bytes. Some providers
/// take ids of 40 bytes at most.
const ID_BYTES_MAX: usize = 28;

/// Gives calls without ids the ids they get.
///
/// Such an id is made of the answer's own and the call's number, so that it is the same however the
/// answer arrived, and another in every answer.
#[derive(Debug, Default)]
pub(in crate::formats) struct CallIds {
    answer: String,
    next: u32,
}

impl CallIds {
    /// Ids for the answer to a call of the gateway's that has this id, whatever the answer calls
    /// itself.
    pub(in crate::formats) fn of_call(call: &str) -> Self {
        let mut ids = Self::default();
        // Where the id is a UUID its hyphens say nothing.
        ids.learn(Some(&call.replace('-', "").into()));
        ids
    }

    /// Takes the answer's id from the first chunk that has one.
    pub(in crate::formats) fn learn(&mut self, answer: Option<&ByteString>) {
        if let (Some(answer), true) = (answer, self.answer.is_empty()) {
            let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            self.answer = answer.chars().filter(plain).take(ID_BYTES_MAX).collect();
        }
    }

    /// The id of the next call. Where the answer has no id, a checksum of what is called stands in.
    pub(in crate::formats) fn next(
        &mut self,
        given: Option<ByteString>,
        name: &str,
        arguments: &str,
    ) -> ByteString {
        let number = self.next;
        self.next += 1;
        given.unwrap_or_else(|| {
            if !self.answer.is_empty() {
                return format!("call_{}_{number}", self.answer).into();
            }
            let mut sum = crc32fast::Hasher::new();
            sum.update(name.as_bytes());
            sum.update(arguments.as_bytes());
            format!("call_{:08x}_{number}", sum.finalize()).into()
        })
    }
}
