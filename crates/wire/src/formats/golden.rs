//! Walking the fixtures of wire formats, for their tests: one folder for each format, one in it for
//! each case.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use expect_test::expect_file;
use serde_json::{Value, json};

use super::openai_chat::ErrorBody;
use super::translation::{AnswerIn, Leniency, Target, Unsupported, Written};
use super::{anthropic_messages, openai_chat};
use crate::capability::Capability;
use crate::conversation::Conversation;
use crate::delta::{Close, Delta};
use crate::json::Malformed;
use crate::provider::Quirks;

/// A format that only upstreams speak, and where its fixtures are.
pub(super) struct Upstream {
    /// The folder of its fixtures.
    pub(super) name: &'static str,
    /// How many cases there are at least.
    pub(super) cases_min: usize,
    /// The file that holds a stream.
    pub(super) stream: &'static str,
    pub(super) from_conversation: fn(&Conversation, &Target<'_>) -> Result<Written, Unsupported>,
    pub(super) to_answer: fn(&[u8]) -> Result<AnswerIn, Malformed>,
    pub(super) read_error: fn(&[u8]) -> Option<ErrorBody>,
    /// What a stream says that arrives in these pieces and ends so.
    pub(super) interpret: fn(&[&[u8]], Close) -> Vec<Delta>,
}

impl Upstream {
    /// Checks every case. Requests are a client's, in the format of `openai_chat`
    /// (`request.json`) or `anthropic_messages` (`request.messages.json`), and name the model.
    pub(super) fn check(&self) {
        let cases = cases(self.name);
        assert!(cases.len() >= self.cases_min, "the fixtures are there");
        for case in cases {
            assert!(case.join("origin.toml").exists(), "{}", case.display());
            let given = ["request.json", "request.messages.json", "answer.json", "error.json"];
            match given.map(|name| fs::read(case.join(name))) {
                [Ok(body), ..] => {
                    let read = openai_chat::to_conversation(&body.into(), None);
                    self.check_request(&case, &read.expect("a request"));
                }
                [_, Ok(body), ..] => {
                    let read = anthropic_messages::to_conversation(&body.into(), None);
                    self.check_request(&case, &read.expect("a request"));
                }
                [_, _, Ok(body), _] => self.check_answer(&case, &body),
                [.., Ok(body)] => check_error(&case, (self.read_error)(&body)),
                _ => self.check_stream(&case),
            }
        }
    }

    /// What a request is written as; one that is refused is also written without what is refused.
    fn check_request(&self, case: &Path, conversation: &Conversation) {
        let write = |drops| {
            let leniency = Leniency { drops, ..Leniency::default() };
            let model = conversation.model.as_str();
            let target = Target {
                model,
                capability: &Capability::UNKNOWN,
                leniency,
                quirks: Quirks::none(),
            };
            (self.from_conversation)(conversation, &target)
        };
        let written = write(false).or_else(|refused| {
            expect(case, "refused.txt", &format!("{refused}\n"));
            write(true)
        });
        let Ok(written) = written else { return };
        serde_json::from_slice::<Value>(&written.body).expect("JSON");
        expect(case, &format!("to.{}.json", self.name), text(&written.body));
        let changed = format!("dropped: {:?}\nadjusted: {:?}\n", written.dropped, written.adjusted);
        expect(case, &format!("to.{}.txt", self.name), &changed);
        assert_eq!(write(true), Ok(written), "{}", case.display());
    }

    fn check_answer(&self, case: &Path, body: &[u8]) {
        match (self.to_answer)(body).expect("an object") {
            AnswerIn::Error(error) => expect(case, "error.txt", &format!("{error:#?}\n")),
            AnswerIn::Answer(answer) => expect(case, "answer.txt", &format!("{answer:#?}\n")),
        }
    }

    fn check_stream(&self, case: &Path) {
        let stream = fs::read(case.join(self.stream)).expect("one of the files of a case");
        let deltas = check_splits(case, &stream, &[Close::Cut, Close::Clean], &self.interpret);
        expect(case, "deltas.txt", &lines(&deltas));
    }
}

/// In how many places a stream is split: each takes the time to read all of it.
const SPLITS_MAX: usize = 300;

/// What a stream says that arrives in these pieces and ends so.
pub(super) type Interpret<'a> = &'a dyn Fn(&[&[u8]], Close) -> Vec<Delta>;

/// What a stream says: the same under every split of its bytes. A stream that is cut in one of
/// these ways keeps the laws, and has an end only where all was said.
pub(super) fn check_splits(
    case: &Path,
    stream: &[u8],
    cuts: &[Close],
    interpret: Interpret<'_>,
) -> Vec<Delta> {
    let deltas = interpret(&[stream], Close::Clean);
    obeys_the_laws(&deltas);
    // Every byte on its own is below; two pieces differ from that in little.
    for at in (0..stream.len()).step_by(5.max(stream.len() / SPLITS_MAX)) {
        let (head, tail) = stream.split_at(at);
        assert_eq!(interpret(&[head, tail], Close::Clean), deltas, "{} at {at}", case.display());
        for how in cuts {
            let cut = interpret(&[head], *how);
            obeys_the_laws(&cut);
            assert!(!cut.contains(&Delta::End) || cut == deltas, "{} at {at}", case.display());
        }
    }
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(interpret(&bytes, Close::Clean), deltas, "{}", case.display());
    deltas
}

/// What is read from the body of an error, which may be nothing.
pub(super) fn check_error(case: &Path, error: Option<ErrorBody>) {
    let read = error.map_or("nothing can be read".to_owned(), |error| format!("{error:#?}"));
    expect(case, "error.txt", &format!("{read}\n"));
}

/// The cases of a format, in order.
pub(super) fn cases(format: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format);
    let mut cases: Vec<PathBuf> =
        fs::read_dir(root).expect("the fixtures").map(|e| e.expect("a case").path()).collect();
    cases.sort();
    cases
}

/// Deltas, one on each line.
pub(super) fn lines(deltas: &[Delta]) -> String {
    deltas.iter().fold(String::new(), |mut lines, delta| {
        writeln!(lines, "{delta:?}").expect("a string takes any text");
        lines
    })
}

/// Every opened part closes once, parts are counted from 0, and nothing follows the end.
pub(super) fn obeys_the_laws(deltas: &[Delta]) {
    let mut open = Vec::new();
    let mut opened = 0;
    for delta in deltas {
        match delta {
            Delta::Open { part, .. } => {
                assert_eq!(*part, opened, "parts are counted");
                open.push(*part);
                opened += 1;
            }
            Delta::More { part, text } => {
                assert!(!text.is_empty() && open.contains(part), "more of an open part");
            }
            Delta::Seal { part, .. } | Delta::Cite { part, .. } => assert!(open.contains(part)),
            Delta::Close { part } => {
                let at = open.iter().position(|open| open == part).expect("it was opened");
                open.remove(at);
            }
            Delta::Begin { .. }
            | Delta::Finish { .. }
            | Delta::Usage(_)
            | Delta::Failed(_)
            | Delta::End => {}
        }
    }
    assert!(open.is_empty(), "what is opened is closed");
    let begin = deltas.iter().rposition(|d| matches!(d, Delta::Begin { .. }));
    assert!(begin.is_none_or(|at| at == 0), "it begins once, first");
    let last = deltas.iter().position(|d| matches!(d, Delta::End | Delta::Failed(_)));
    assert!(last.is_none_or(|at| at + 1 == deltas.len()), "nothing follows the end");
}

/// Compares with a file of a case, byte for byte: the line ends too, which `expect_test` reads as
/// one kind.
pub(super) fn expect(case: &Path, name: &str, text: &str) {
    let path = case.join(name);
    if fs::read(&path).is_ok_and(|expected| expected == text.as_bytes()) {
        return;
    }
    expect_file![path].assert_eq(text);
}

/// What a writer wrote.
pub(super) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// A request with these members is refused with the field's name, and written without them where
/// the caller allows that.
pub(super) fn refuses_or_drops(
    from_conversation: fn(&Conversation, &Target<'_>) -> Result<Written, Unsupported>,
    members: &Value,
    field: &str,
) {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in members.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let read = openai_chat::to_conversation(&Bytes::from(body.to_string()), None);
    let conversation = read.expect("a request");
    let write = |drops| {
        let leniency = Leniency { drops, ..Leniency::default() };
        let target = Target {
            model: "m",
            capability: &Capability::UNKNOWN,
            leniency,
            quirks: Quirks::none(),
        };
        from_conversation(&conversation, &target)
    };
    let refused = write(false).expect_err(field);
    assert_eq!((&*refused.field, &*refused.model), (field, "m"));
    assert_eq!(write(true).expect(field).dropped, [field.into()]);
}
