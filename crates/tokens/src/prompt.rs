//! What the chat template of models with a public tokenizer adds to the texts of a prompt.
//!
//! Source: OpenAI's cookbook, "How to count tokens with tiktoken", for chat completions with and
//! without tools. A tool's schema is put before the model in a shorter form than its JSON, so the
//! tokens of the JSON bound it.

/// Tokens around every message.
pub const MESSAGE_TOKENS: u64 = 3;
/// Tokens of a participant's name beside those of its text.
pub const NAME_TOKENS: u64 = 1;
/// Tokens that begin the answer, once in a prompt.
pub const ANSWER_TOKENS: u64 = 3;
/// Tokens around every tool.
pub const TOOL_TOKENS: u64 = 7;
/// Tokens around all tools, once where there are any.
pub const TOOLS_TOKENS: u64 = 12;
