"""Makes calls to Responses with the unmodified OpenAI SDK. See dialect.py."""

import json

import openai
from dialect import API_KEY, BASE_URL, RESULTS, TASK, report, told, tools_told

client = openai.OpenAI(base_url=f"{BASE_URL}/v1", api_key=API_KEY, max_retries=0)
TOOLS = [
    {
        "type": "function",
        "name": t["name"],
        "description": t["description"],
        "parameters": t["parameters"],
        "strict": False,
    }
    for t in TASK["tools"]
]


def ask(model, items, streamed=False, **more):
    body = {
        "model": model,
        "max_output_tokens": TASK["max_tokens"],
        "instructions": TASK["system"],
        "input": items,
        "store": False,
        **more,
    }
    if not streamed:
        return client.responses.create(**body)
    with client.responses.stream(**body) as stream:
        for _ in stream:
            pass
        return stream.get_final_response()


def answered(model, streamed):
    response = ask(model, [{"role": "user", "content": TASK["question"]}], streamed)
    return told(response.output_text, response.usage.input_tokens, response.usage.output_tokens)


def with_tools(model, streamed):
    items = [{"role": "user", "content": TASK["tools_question"]}]
    response = ask(model, items, streamed, tools=TOOLS)
    calls = [item for item in response.output if item.type == "function_call"]
    items += [
        {"type": "function_call", "call_id": c.call_id, "name": c.name, "arguments": c.arguments}
        for c in calls
    ]
    items += [
        {"type": "function_call_output", "call_id": c.call_id, "output": RESULTS[c.name]}
        for c in calls
    ]
    last = ask(model, items, streamed, tools=TOOLS)
    return tools_told([(c.name, json.loads(c.arguments)) for c in calls], last.output_text)


def see(model):
    return {
        "create": answered(model, False),
        "stream": answered(model, True),
        "tools": with_tools(model, False),
        "tools_streamed": with_tools(model, True),
    }


report({"responses": see})
