"""Makes calls with unmodified LangChain chat models. See dialect.py."""

from dialect import API_KEY, BASE_URL, RESULTS, TASK, report, told, tools_told
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI

TOOLS = [
    {
        "type": "function",
        "function": {name: t[name] for name in ("name", "description", "parameters")},
    }
    for t in TASK["tools"]
]


def openai(model):
    return ChatOpenAI(
        model=model,
        base_url=f"{BASE_URL}/v1",
        api_key=API_KEY,
        max_tokens=TASK["max_tokens"],
        max_retries=0,
        stream_usage=True,
    )


def anthropic(model):
    return ChatAnthropic(
        model=model,
        base_url=BASE_URL,
        api_key=API_KEY,
        max_tokens=TASK["max_tokens"],
        max_retries=0,
    )


def ask(chat, messages, streamed):
    if not streamed:
        return chat.invoke(messages)
    whole = None
    for chunk in chat.stream(messages):
        whole = chunk if whole is None else whole + chunk
    return whole


def begin(question):
    return [SystemMessage(TASK["system"]), HumanMessage(question)]


def answered(chat, streamed):
    message = ask(chat, begin(TASK["question"]), streamed)
    usage = message.usage_metadata
    return told(message.text, usage["input_tokens"], usage["output_tokens"])


def with_tools(chat, streamed):
    chat = chat.bind_tools(TOOLS)
    messages = begin(TASK["tools_question"])
    message = ask(chat, messages, streamed)
    calls = message.tool_calls
    messages.append(message)
    messages += [ToolMessage(RESULTS[c["name"]], tool_call_id=c["id"]) for c in calls]
    last = ask(chat, messages, streamed)
    return tools_told([(c["name"], c["args"]) for c in calls], last.text)


def seen_by(make):
    def see(model):
        chat = make(model)
        return {
            "create": answered(chat, False),
            "stream": answered(chat, True),
            "tools": with_tools(chat, False),
            "tools_streamed": with_tools(chat, True),
        }

    return see


report({"chat": seen_by(openai), "messages": seen_by(anthropic)})
