"""What is refused before Kubernetes would refuse it, and what is done by kubectl."""

from __future__ import annotations

import json

import pytest

from tests.launch.conftest import Programs, Terminal
from tests.launch.test_k8s import IMAGE, RUN


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kind", "cronjob"], "must be one of job, deployment, scaledjob"),
        (["--cpu", "two"], "must be a quantity"),
        (["--namespace", "A b"], "must be a name of Kubernetes"),
        (["--namespace", "a.b"], "must be a name of Kubernetes"),
        (["--namespace", "a" * 64], "at most 63"),
        (["--secret", "x;y"], "must be a name of Kubernetes"),
        (["--secret", "x..y"], "must be a name of Kubernetes"),
        (["--port", "65536"], "must be between 1024 and 65535: minions are not root"),
        (["--port", "80"], "must be between 1024 and 65535: minions are not root"),
        (["--uid", "0"], "must be between 1 and 2147483647"),
        (["--uid", "2147483648"], "must be between 1 and 2147483647"),
        (["--image", "registry/me/app :1"], "must be the name of an image"),
        (["--image", "registry/Me"], "must be the name of an image"),
        (["--image", "-x"], "must be the name of an image"),
        (["--image", "https://registry/me/app"], "must be the name of an image"),
    ],
)
def test_an_option_that_kubernetes_would_refuse_is_refused(launch: Terminal, words: list[str], message: str) -> None:
    assert message in launch.refusal(*IMAGE, *words, *RUN)


@pytest.mark.parametrize(
    "image",
    [
        "a", "a:1", "me/app", "localhost/me/app:v1.0_x", "reg:5000/a/b__c-d.e:1", "[::1]:5000/a", "Registry.example/a",
        "a@sha256:" + "0" * 64, "reg.example/a/b:1@sha256:" + "f" * 64,
    ],
)  # fmt: skip
def test_names_of_images(launch: Terminal, image: str) -> None:
    assert f"image: {image}\n" in launch.text("k8s", "--image", image, *RUN).replace("'", "")


def test_what_must_be_seen_to_is_told_on_the_terminal_too(launch: Terminal, programs: Programs) -> None:
    programs.add("kubectl")
    programs.answer("kubectl", "scaledjob.keda.sh/fleet created\n")
    google = ("--env", "GOOGLE_PROJECT_ID=p", "--env", "GOOGLE_SUBSCRIPTION=s", "--env", "GOOGLE_TOPIC_ID=t")
    words = (*IMAGE, "--kind", "scaledjob", "--name", "fleet", "--secret", "s", "--env", "API_KEY", *google)
    done = launch(*words, "--submit", "--", "minionize", "-e", "google", "./a.out", PATH="/bin:/usr/bin")
    assert (done.exit_code, done.stdout) == (0, "scaledjob.keda.sh/fleet created\n")
    assert done.stderr.splitlines() == [
        "minion-launch: To watch, from a pod of the cluster: mtop dns+http://fleet:9464",
        "minion-launch: The Secret s must hold: API_KEY.",
        "minion-launch: KEDA needs rights of its own to ask Pub/Sub: make a TriggerAuthentication, and give "
        "--trigger-auth NAME; without one it starts no minion.",
    ]


LOG = (
    'E1201 14:24:33.369040   31186 memcache.go:265] "Unhandled Error" err="couldn\'t get current server API group list"'
)
REFUSED = "The connection to the server localhost:8080 was refused - did you specify the right host or port?"


def test_of_what_kubectl_logs_only_its_last_word_is_shown(launch: Terminal, programs: Programs) -> None:
    programs.add("kubectl")
    programs.fail("kubectl", f"{LOG}\n{LOG}\n{REFUSED}\n")
    for act in ("--list", "--stop"):
        said = launch.refusal("k8s", "--name", "fleet", act, status=3, PATH="/bin:/usr/bin")
        assert said == f"kubectl has failed (7): {REFUSED}\n"
    programs.fail("kubectl", f"{LOG}\n")
    assert LOG in launch.refusal("k8s", "--name", "fleet", "--list", status=3, PATH="/bin:/usr/bin")


def test_submit_list_and_stop(launch: Terminal, programs: Programs) -> None:
    programs.add("kubectl")
    run = [*IMAGE, "--namespace", "lab", "--name", "fleet"]
    launch.text(*run, "--submit", *RUN, PATH="/bin:/usr/bin")
    assert programs.stdin("kubectl") == launch.text(*run, *RUN)
    pods = [
        {"metadata": {"name": "fleet-a"}, "status": {"phase": "Running"}, "spec": {"nodeName": "node1"}},
        {"metadata": {"name": "fleet-b", "deletionTimestamp": "now"}, "status": {"phase": "Running"}, "spec": {}},
        {"metadata": {"name": "fleet-c"}, "status": {"phase": "Pending"}, "spec": {}},
    ]
    programs.answer("kubectl", json.dumps({"items": pods}))
    look = ["k8s", "--namespace", "lab", "--name", "fleet"]
    assert launch.text(*look, "--list", PATH="/bin:/usr/bin") == (
        "fleet-a\tRunning\tnode1\nfleet-b\tTerminating\t\nfleet-c\tPending\t\n"
    )
    launch.text(*look, "--stop", PATH="/bin:/usr/bin")
    launch.text("k8s", "--name", "fleet", "--kind", "scaledjob", "--stop", PATH="/bin:/usr/bin")
    label = "app.kubernetes.io/name=minionize,app.kubernetes.io/instance=fleet"
    assert programs.calls == [
        ["kubectl", "apply", "-f", "-"],
        ["kubectl", "get", "pods", "--namespace", "lab", "-l", label, "-o", "json"],
        ["kubectl", "delete", "scaledjobs.keda.sh", "--namespace", "lab", "-l", label],
        ["kubectl", "delete", "job,deployment,service", "--namespace", "lab", "-l", label],
        ["kubectl", "delete", "scaledjobs.keda.sh", "-l", label],
        ["kubectl", "delete", "job,deployment,service", "-l", label],
    ]
