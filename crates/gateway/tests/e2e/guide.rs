//! Pages of the guide whose commands are run by the tests, and say what stands there.

/// What begins a command.
const PROMPT: &str = "$ ";

/// The page with what each command of its `console` blocks says now.
pub(crate) async fn told(page: &str, said: impl AsyncFn(&str) -> String) -> String {
    let (mut text, mut in_block) = (String::new(), false);
    for line in page.lines() {
        let told = in_block && !line.starts_with(PROMPT) && line != "```";
        if !told {
            text.extend([line, "\n"]);
        }
        match line {
            "```console" => in_block = true,
            "```" => in_block = false,
            _ => {}
        }
        if let (true, Some(command)) = (in_block, line.strip_prefix(PROMPT)) {
            text += &said(command).await;
        }
    }
    text
}
