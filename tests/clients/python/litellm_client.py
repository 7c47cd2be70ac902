"""Manages a gateway with LiteLLM's own client and command line, unmodified.

The first argument is a JSON object: "base_url" and "api_key" of the gateway, and of a provider that
deployments are made of "upstream" and "secret". Printed is what the client saw, and what each
command wrote; a command that failed is null.
"""

import json
import os
import sys
import tempfile

# Nothing is fetched, and nothing of this user's own settings is read.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
home = tempfile.TemporaryDirectory()
os.environ["HOME"] = home.name

from litellm.proxy.client import (  # noqa: E402
    Client,
    HealthManagementClient,
    UnauthorizedError,
    UsersManagementClient,
)

TASK = json.loads(sys.argv[1])
BASE_URL, API_KEY = TASK["base_url"], TASK["api_key"]
PARAMS = {"model": "openai_like/simulated", "api_base": TASK["upstream"]}


def by_client():
    client = Client(base_url=BASE_URL, api_key=API_KEY)
    users = UsersManagementClient(BASE_URL, API_KEY)
    seen = {"models": [model["id"] for model in client.models.list()]}
    made = {"user_id": "ada", "user_role": "internal_user", "auto_create_key": False}
    users.create_user(made)
    team = {"team_id": "loom", "team_alias": "Loom"}
    client.http.request("POST", "/team/new", json=team)
    made = client.keys.generate(key_alias="from-litellm", duration="30d", user_id="ada", spend=0)
    listed = client.keys.list(return_full_object=True, include_team_keys=False, size=50)
    seen["listed"] = [key["key_alias"] for key in listed["keys"]]
    seen["info"] = client.keys.info(made["token"])["info"]
    seen["updated"] = client.keys.update(made["key"], models=["chat"], duration="7d")
    seen["users"] = [user["user_id"] for user in users.list_users()]
    seen["user"] = users.get_user("ada")
    seen["teams"] = [team["team_id"] for team in client.teams.list()]
    seen["readiness"] = HealthManagementClient(BASE_URL, API_KEY).get_readiness()
    try:
        Client(base_url=BASE_URL, api_key="sk-of-nobody-0000").models.list()
        seen["unauthorized"] = False
    except UnauthorizedError:
        seen["unauthorized"] = True
    client.keys.delete(keys=[made["key"]])
    seen["left"] = client.keys.list(return_full_object=True)["keys"]
    seen["user_v2"] = users.get_user_v2("ada")["user_id"]
    page = client.teams.list_v2(team_alias="loo", page_size=5, sort_by="team_alias")
    seen["teams_v2"] = [page["total"], [team["team_id"] for team in page["teams"]]]
    seen["available"] = client.teams.get_available()
    return seen | models_by_client(client)


def models_by_client(client):
    seen = {}
    values = {"api_key": TASK["secret"]}
    info = {"custom_llm_provider": "openai_like"}
    seen["credential_made"] = client.credentials.create("kept", info, values)
    seen["credentials"] = client.credentials.list()["credentials"]
    seen["credential"] = client.credentials.get("kept")
    params = PARAMS | {"litellm_credential_name": "kept"}
    made = client.models.new(model_name="added", model_params=params, model_info={"id": "one"})
    seen["model_made"] = [made["model_id"], made["model_name"]]
    call = {"model": "added", "messages": [{"role": "user", "content": "one two three"}]}
    answer = client.http.request("POST", "/v1/chat/completions", json=call)
    seen["called"] = answer["choices"][0]["message"]["role"]
    changed = client.models.update("one", model_params={"max_tokens": 9})
    seen["model_changed"] = changed["litellm_params"]["max_tokens"]
    seen["model_info"] = sorted(model["model_name"] for model in client.models.info())
    seen["model"] = client.models.get(model_id="one")["litellm_params"]
    page = client.http.request("GET", "/v2/model/info?search=add&size=1")
    seen["models_v2"] = [page["total_count"], page["data"][0]["model_info"]["id"]]
    seen["groups"] = sorted(group["model_group"] for group in client.model_groups.info())
    seen["model_deleted"] = client.models.delete("one")["message"]
    seen["credential_deleted"] = client.credentials.delete("kept")
    seen["models_left"] = [model["model_name"] for model in client.models.info()]
    return seen


def by_commands():
    # In this process: the program spends seconds on its imports before each command.
    from click.testing import CliRunner
    from litellm.proxy.client.cli.main import cli

    env = {
        "LITELLM_PROXY_URL": BASE_URL,
        "LITELLM_PROXY_API_KEY": API_KEY,
        "COLUMNS": "240",
        "NO_COLOR": "1",
    }
    said = {}

    def run(name, *arguments):
        ran = CliRunner().invoke(cli, [*name.split(), *arguments], env=env)
        said[name] = ran.stdout if ran.exit_code == 0 else None
        if ran.exit_code != 0:
            said[name + " failed"] = ran.output
        return ran.stdout

    run("models list", "--format", "json")
    run("keys generate", "--key-alias", "by-command", "--duration", "1d")
    listed = run("keys list", "--format", "json", "--return-full-object")
    assert json.loads(listed)["keys"][0]["token"]
    run("keys delete", "--key-aliases", "by-command")
    run("users list")
    run("users get", "--id", "ada")
    run("teams list")
    run("teams available")
    values = json.dumps({"api_key": TASK["secret"]})
    info = json.dumps({"custom_llm_provider": "openai_like"})
    run("credentials create", "by-command", "--info", info, "--values", values)
    run("credentials list", "--format", "json")
    run("credentials get", "by-command")
    params = PARAMS | {"litellm_credential_name": "by-command"}
    params = [f"--param={name}={value}" for name, value in params.items()]
    run("models add", "commanded", *params, "--info", "id=two")
    run("models info", "--format", "json")
    run("models get", "--id", "two")
    run("models update", "two", "--param", "organization=engine", "--info", "id=two")
    run("model-groups list", "--format", "json")
    run("models delete", "two")
    run("credentials delete", "by-command")
    return said


print(json.dumps({"client": by_client(), "commands": by_commands()}))
