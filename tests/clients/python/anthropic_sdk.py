"""Makes calls with the unmodified Anthropic SDK. See dialect.py."""

import anthropic
from dialect import API_KEY, BASE_URL, RESULTS, TASK, report, told, tools_told

client = anthropic.Anthropic(base_url=BASE_URL, api_key=API_KEY, max_retries=0)
TOOLS = [
    {"name": t["name"], "description": t["description"], "input_schema": t["parameters"]}
    for t in TASK["tools"]
]


def ask(model, messages, streamed=False, **more):
    body = {
        "model": model,
        "max_tokens": TASK["max_tokens"],
        "system": TASK["system"],
        "messages": messages,
        **more,
    }
    if not streamed:
        return client.messages.create(**body)
    with client.messages.stream(**body) as stream:
        return stream.get_final_message()


def text(message):
    return "".join(block.text for block in message.content if block.type == "text")


def answered(model, streamed):
    message = ask(model, [{"role": "user", "content": TASK["question"]}], streamed)
    usage = message.usage
    return told(text(message), usage.input_tokens + (usage.cache_read_input_tokens or 0),
                usage.output_tokens)


def with_tools(model, streamed):
    messages = [{"role": "user", "content": TASK["tools_question"]}]
    message = ask(model, messages, streamed, tools=TOOLS)
    calls = [block for block in message.content if block.type == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": RESULTS[call.name]}
        for call in calls
    ]
    messages.append({"role": "assistant", "content": message.content})
    messages.append({"role": "user", "content": results})
    last = ask(model, messages, streamed, tools=TOOLS)
    return tools_told([(call.name, call.input) for call in calls], text(last))


def see(model):
    question = [{"role": "user", "content": TASK["question"]}]
    return {
        "create": answered(model, False),
        "stream": answered(model, True),
        "tools": with_tools(model, False),
        "tools_streamed": with_tools(model, True),
        "count": client.messages.count_tokens(model=model, messages=question).input_tokens,
    }


report({"anthropic": see})
