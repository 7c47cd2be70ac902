"""Manages a gateway with LiteLLM's own client and command line, unmodified.

The first argument is a JSON object: "base_url" and "api_key". Printed is what the client saw, and
what each command wrote; a command that failed is null.
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
    run("teams list")
    return said


print(json.dumps({"client": by_client(), "commands": by_commands()}))
