"""Makes calls with the unmodified google-genai SDK. See dialect.py."""

import json

from dialect import API_KEY, BASE_URL, RESULTS, TASK, report, told, tools_told
from google import genai
from google.genai import types

client = genai.Client(api_key=API_KEY, http_options={"base_url": BASE_URL})
TOOLS = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(
                name=t["name"],
                description=t["description"],
                parameters_json_schema=t["parameters"],
            )
            for t in TASK["tools"]
        ]
    )
]


def ask(model, contents, streamed=False, **more):
    """The parts of the answer, and its usage."""
    config = types.GenerateContentConfig(
        system_instruction=TASK["system"],
        max_output_tokens=TASK["max_tokens"],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        **more,
    )
    call = {"model": model, "contents": contents, "config": config}
    if streamed:
        chunks = list(client.models.generate_content_stream(**call))
    else:
        chunks = [client.models.generate_content(**call)]
    parts = []
    for chunk in chunks:
        for candidate in chunk.candidates or []:
            parts += (candidate.content and candidate.content.parts) or []
    return parts, chunks[-1].usage_metadata


def text(parts):
    return "".join(part.text for part in parts if part.text and not part.thought)


def user(*parts):
    return types.Content(role="user", parts=list(parts))


def answered(model, streamed):
    parts, usage = ask(model, [user(types.Part(text=TASK["question"]))], streamed)
    output = usage.candidates_token_count + (usage.thoughts_token_count or 0)
    return told(text(parts), usage.prompt_token_count, output)


def with_tools(model, streamed):
    contents = [user(types.Part(text=TASK["tools_question"]))]
    parts, _ = ask(model, contents, streamed, tools=TOOLS)
    calls = [part.function_call for part in parts if part.function_call]
    results = [
        types.Part(
            function_response=types.FunctionResponse(
                id=call.id, name=call.name, response=json.loads(RESULTS[call.name])
            )
        )
        for call in calls
    ]
    contents += [types.Content(role="model", parts=parts), user(*results)]
    last, _ = ask(model, contents, streamed, tools=TOOLS)
    return tools_told([(call.name, call.args) for call in calls], text(last))


def see(model):
    count = client.models.count_tokens(model=model, contents=TASK["question"])
    return {
        "create": answered(model, False),
        "stream": answered(model, True),
        "tools": with_tools(model, False),
        "tools_streamed": with_tools(model, True),
        "count": count.total_tokens,
    }


report({"genai": see})
