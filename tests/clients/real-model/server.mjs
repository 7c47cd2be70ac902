// A real model behind an OpenAI-compatible server: POST /v1/chat/completions, buffered or streamed.
// Started as `node server.mjs MODEL.gguf`; prints the address it listens on. One answer at a time.
import { createServer } from "node:http";
import { getLlama, LlamaCompletion, LlamaLogLevel } from "node-llama-cpp";

const OUTPUT_TOKENS_MAX = 256;
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: process.argv[2] });
// One thread: several spin while they wait for each other, a hundred times slower on busy cores.
const context = await model.createContext({ contextSize: 2048, threads: 1 });
let turn = Promise.resolve();

// The model is a base model without a chat template: it continues the text of the last message.
async function answer(request, onTextChunk, signal) {
  const contextSequence = context.getSequence();
  try {
    const completion = new LlamaCompletion({ contextSequence, autoDisposeSequence: false });
    const maxTokens = Math.min(request.max_tokens ?? OUTPUT_TOKENS_MAX, OUTPUT_TOKENS_MAX);
    const options = { maxTokens, temperature: 0, onTextChunk, signal };
    const prompt = request.messages.at(-1).content;
    const { response, metadata } = await completion.generateCompletionWithMeta(prompt, options);
    const { usedInputTokens, usedOutputTokens } = contextSequence.tokenMeter.getState();
    const usage = {
      prompt_tokens: usedInputTokens,
      completion_tokens: usedOutputTokens,
      total_tokens: usedInputTokens + usedOutputTokens,
    };
    const finish = metadata.stopReason === "maxTokens" ? "length" : "stop";
    return { text: response, finish, usage };
  } finally {
    contextSequence.dispose();
  }
}

async function respond(body, response, signal) {
  const request = JSON.parse(body);
  const created = Math.floor(Date.now() / 1000);
  const head = { id: `chatcmpl-${Date.now()}`, created, model: request.model };
  if (!request.stream) {
    const { text, finish, usage } = await answer(request, undefined, signal);
    const message = { role: "assistant", content: text };
    const choices = [{ index: 0, message, finish_reason: finish }];
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify({ ...head, object: "chat.completion", choices, usage }));
  }
  const object = "chat.completion.chunk";
  const send = (rest) =>
    response.write(`data: ${JSON.stringify({ ...head, object, ...rest })}\n\n`);
  const chunk = (delta, finish_reason = null) =>
    send({ choices: [{ index: 0, delta, finish_reason }] });
  response.setHeader("content-type", "text/event-stream");
  chunk({ role: "assistant", content: "" });
  const { finish, usage } = await answer(request, (content) => chunk({ content }), signal);
  chunk({}, finish);
  if (request.stream_options?.include_usage) send({ choices: [], usage });
  response.end("data: [DONE]\n\n");
}

const server = createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  turn = turn.then(() => respond(body, response, gone.signal)).catch((problem) => {
    response.statusCode = 500;
    response.end(JSON.stringify({ error: { message: String(problem), type: "server_error" } }));
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
