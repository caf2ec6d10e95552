from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml

from docs.launch_tables import written
from minionize.launch.k8s_options import KINDS
from tests.launch.conftest import Terminal
from tests.launch.scripts import HOSTILE as ANY

HOSTILE = [word for word in ANY if "\udcff" not in word]
VERSIONS = [f"1.{minor}" for minor in range(25, 38)]
RUN = ["--", "minionize", "-e", "redis", "./a.out"]
IMAGE = ["k8s", "--image", "registry/me/app:1"]
REDIS = ["--env", "REDIS_URL=redis://db:6379/2", "--env", "REDIS_STREAM=jobs"]
FULL = [
    *("--namespace", "lab", "--cpu", "500m", "--memory", "2Gi", "--secret", "redis", "--secret", "other"),
    *("--token-secret", "tokens", "--pull-secret", "pull", "--uid", "1000", "--port", "8000"),
]


def manifests(launch: Terminal, *words: str, **environ: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(launch.text(*IMAGE, *words, **environ)))


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    spec = manifest["spec"]
    found: dict[str, Any] = spec.get("jobTargetRef", spec)["template"]["spec"]["containers"][0]
    return found


def env_of(manifest: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(manifest)["env"]}


def as_job(manifest: dict[str, Any]) -> dict[str, Any]:
    """The Jobs that KEDA makes."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": manifest["metadata"],
        "spec": manifest["spec"]["jobTargetRef"],
    }


@pytest.fixture(scope="module")
def every_kind() -> list[dict[str, Any]]:
    """With the fewest options, and with all."""
    lines = [
        " ".join(["minion-launch", *IMAGE, "--kind", kind, "-n", "3", *REDIS, *more, *RUN])
        for kind in KINDS
        for more in ([], FULL)
    ]
    return [each for line in lines for each in yaml.safe_load_all(written(line))]


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_are_valid_for_every_kubernetes(every_kind: list[dict[str, Any]], version: str) -> None:
    assert [each["kind"].lower() for each in every_kind[::2]] == [kind for kind in KINDS for _ in range(2)]
    assert {each["kind"] for each in every_kind[1::2]} == {"Service"}
    for each in [*every_kind[::2], *every_kind[1:4:2]]:
        kubernetes_validate.validate(as_job(each) if each["kind"] == "ScaledJob" else each, version, strict=True)


def test_a_typo_would_be_seen(launch: Terminal) -> None:
    job, _ = manifests(launch, *RUN)
    job["spec"]["paralellism"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, VERSIONS[-1], strict=True)


def test_a_job_is_done_when_all_have_left(launch: Terminal) -> None:
    job, _ = manifests(launch, "-n", "5", "--walltime", "2h", *RUN)
    spec = job["spec"]
    assert (spec["parallelism"], spec["completions"], spec["activeDeadlineSeconds"]) == (5, 5, 7200)
    assert spec["backoffLimit"] > 5
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert env_of(job)["MINION_EXIT_WHEN_EMPTY"] == "90"


def test_who_was_told_to_go_has_not_failed(launch: Terminal) -> None:
    job, _ = manifests(launch, *RUN)
    rules = job["spec"]["podFailurePolicy"]["rules"]
    codes = [(rule["action"], rule["onExitCodes"]["values"]) for rule in rules if "onExitCodes" in rule]
    assert codes == [("FailJob", [2]), ("Ignore", [99, 143])]


def test_lifetimes_without_end_are_refused(launch: Terminal) -> None:
    words = ["--", "minionize", "--max-lifetime", "1h", "--expect"]
    said = launch.refusal(*IMAGE, *words, "3585", "./a.out")
    assert "no param would ever fit into --max-lifetime 1h: 3585 s of it are left for one" in said
    manifests(launch, *words, "3584", "./a.out")
    said = launch.refusal(*IMAGE, "--walltime", "30m", "--", "minionize", "--expect", "1h", "./a.out")
    assert "no param would ever fit into --walltime 0:30:00" in said


def test_what_is_to_be_finished_is_drained(launch: Terminal) -> None:
    said = launch.refusal(*IMAGE, "--", "minionize", "--on-stop", "finish", "./a.out")
    assert said.startswith("--on-stop finish: ")
    assert "--drain SECONDS" in said


def test_a_minion_of_a_job_leaves_when_it_is_told(launch: Terminal) -> None:
    job, _ = manifests(launch, "--", "minionize", "--exit-when-empty", "5", "./a.out")
    assert "MINION_EXIT_WHEN_EMPTY" not in env_of(job)
    job, _ = manifests(launch, "--env", "MINION_EXIT_WHEN_EMPTY=7", *RUN)
    assert env_of(job)["MINION_EXIT_WHEN_EMPTY"] == "7"


def test_a_deployment_stays(launch: Terminal) -> None:
    deployment, _ = manifests(launch, "--kind", "deployment", "-n", "5", *RUN)
    assert deployment["spec"]["replicas"] == 5
    assert deployment["spec"]["template"]["spec"]["restartPolicy"] == "Always"
    assert "MINION_EXIT_WHEN_EMPTY" not in env_of(deployment)
    selector, labels = (
        deployment["spec"]["selector"]["matchLabels"],
        deployment["spec"]["template"]["metadata"]["labels"],
    )
    assert selector.items() <= labels.items()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--walltime", "2h", *RUN], "a Deployment has none"),
        (["--", "minionize", "--exit-when-empty", "5", "./a.out"], "leave again and again"),
    ],
)
def test_what_a_deployment_cannot_do_is_refused(launch: Terminal, words: list[str], message: str) -> None:
    assert message in launch.refusal(*IMAGE, "--kind", "deployment", *words)


@pytest.mark.parametrize("kind", ["job", "deployment", "scaledjob"])
def test_mtop_finds_the_pods_by_the_service(launch: Terminal, kind: str) -> None:
    found, service = manifests(launch, "--kind", kind, "--name", "fleet", *REDIS, *RUN)
    assert service["metadata"]["name"] == "fleet"
    assert service["spec"]["clusterIP"] == "None"
    template = found["spec"].get("jobTargetRef", found["spec"])["template"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert (env_of(found)["MINION_HOST"], env_of(found)["MINION_PORT"]) == ("0.0.0.0", "9464")
    assert env_of(found)["MINION_REGISTRY"] == "none"
    assert container(found)["ports"][0]["containerPort"] == service["spec"]["ports"][0]["port"] == 9464
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container(found)[probe]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert "mtop dns+http://fleet:9464\n" in launch.text(*IMAGE, "--kind", kind, "--name", "fleet", *REDIS, *RUN)


def test_the_port_of_the_command_line_counts(launch: Terminal) -> None:
    job, service = manifests(launch, "--", "minionize", "--port", "8123", "./a.out")
    assert container(job)["ports"][0]["containerPort"] == service["spec"]["ports"][0]["port"] == 8123


def test_a_minion_without_a_server_has_no_service_and_no_probes(launch: Terminal) -> None:
    (job,) = manifests(launch, "--", "minionize", "--no-server", "./a.out")
    assert not {"ports", "livenessProbe", "startupProbe", "readinessProbe"} & set(container(job))


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ([], 40),
        (["--grace", "60"], 90),
        (["--grace", "2m"], 150),
    ],
)
def test_the_grace_period_is_that_of_the_minion_and_more(launch: Terminal, words: list[str], seconds: int) -> None:
    job, _ = manifests(launch, "--", "minionize", *words, "./a.out")
    assert job["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == seconds


def test_a_pod_that_is_to_go_may_finish_what_runs_for_some_time(launch: Terminal) -> None:
    job, _ = manifests(launch, "--drain", "60", *RUN)
    hook = ["/bin/sh", "-c", "kill -USR1 1; sleep 60"]
    assert container(job)["lifecycle"] == {"preStop": {"exec": {"command": hook}}}
    assert job["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 90


def test_without_that_time_there_is_no_hook(launch: Terminal) -> None:
    job, _ = manifests(launch, "--drain", "0", *RUN)
    assert "lifecycle" not in container(job)
    assert job["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 30


def test_a_minion_has_few_rights(launch: Terminal) -> None:
    job, _ = manifests(launch, *RUN)
    pod = job["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(job)["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert pod["automountServiceAccountToken"] is False


def expanded(words: str) -> str:
    """What Kubernetes makes of a word of a command where no variable is known: of two $ one, and nothing else."""
    found, at = "", 0
    while at < len(words):
        if words[at : at + 2] == "$$":
            at += 1
        elif words[at : at + 2] == "$(" and ")" in words[at:]:
            found, at = f"{found}?", at + words[at:].index(")")
            continue
        found += words[at]
        at += 1
    return found


def test_hostile_words_reach_the_minion_as_they_are(launch: Terminal) -> None:
    job, _ = manifests(launch, "--name", "fleet", "--", "minionize", "./a.out", *HOSTILE)
    assert [expanded(word) for word in container(job)["command"]] == ["minionize", "./a.out", *HOSTILE]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_reach_the_minion_as_they_are(launch: Terminal, value: str) -> None:
    job, _ = manifests(launch, "--env", f"X={value}", *RUN)
    assert expanded(env_of(job)["X"]) == value


def test_bytes_that_are_no_text_are_refused(launch: Terminal) -> None:
    said = launch.refusal(*IMAGE, "--", "minionize", "./a.out", "\udcff")
    assert "a manifest is a text in UTF-8" in said


def test_the_registry_may_be_another(launch: Terminal) -> None:
    job, _ = manifests(launch, "--env", "MINION_REGISTRY=redis://db", *RUN)
    assert env_of(job)["MINION_REGISTRY"] == "redis://db"


def test_what_the_environment_says_of_the_engine_goes_along(launch: Terminal) -> None:
    job, _ = manifests(
        launch,
        "--",
        "minionize",
        "./a.out",
        MINION_ENGINE="redis",
        REDIS_URL="redis://db",
        REDIS_STREAM="jobs",
        OTHER="x",
    )
    env = env_of(job)
    assert (env["MINION_ENGINE"], env["REDIS_URL"], env["REDIS_STREAM"]) == ("redis", "redis://db", "jobs")
    assert "OTHER" not in env


def test_so_does_what_stands_in_dotenv(launch: Terminal) -> None:
    (launch.folder / ".env").write_text("MINION_ENGINE=redis\nREDIS_STREAM=jobs\nOTHER=x\n")
    job, _ = manifests(launch, "--env", "OTHER", "--", "minionize", "./a.out", REDIS_STREAM="more")
    env = env_of(job)
    assert (env["MINION_ENGINE"], env["REDIS_STREAM"], env["OTHER"]) == ("redis", "more", "x")


LOCAL = {
    "redis": [
        *("redis://localhost/0", "redis://me@LOCALHOST:1", "rediss://127.0.0.1", "redis://[::1]:6379/0"),
        *("redis+sentinel://db,localhost:26379/main", "redis://127.1.2.3?db=3"),
    ],
    "kafka": ["localhost", "localhost:9092", "kafka:9092,127.0.0.1:9093", "[::1]:9092", "::1"],
}
PLACE = {"redis": "REDIS_URL", "kafka": "KAFKA_BOOTSTRAP"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("engine", "address"), [(engine, each) for engine in LOCAL for each in LOCAL[engine]])
def test_an_address_on_this_host_is_none_for_a_pod(launch: Terminal, kind: str, engine: str, address: str) -> None:
    words = [*IMAGE, "--kind", kind, "--", "minionize", "-e", engine, "./a.out"]
    name = PLACE[engine]
    said = launch.refusal(*words, status=2, REDIS_STREAM="s", KAFKA_TOPIC="t", **{name: address})
    assert said.startswith(f"{name} is ")
    assert f" here, which no pod reaches: give --env {name}=..., as it is reached from a pod" in said
    assert "me@" not in said


@pytest.mark.parametrize(
    "environ",
    [
        {"REDIS_URL": "redis://localhost.example.org/0"},
        {"REDIS_URL": "redis://my-localhost/0"},
        {"REDIS_URL": "redis://10.127.0.0/0"},
        {"REDIS_URL": "redis://[fd00::1]/0"},
        {"REDIS_STREAM": "localhost-jobs"},
        {"REDIS_STREAM": "jobs/localhost"},
    ],
)
def test_an_address_elsewhere_may_look_like_one_on_this_host(launch: Terminal, environ: dict[str, str]) -> None:
    job, _ = manifests(launch, *RUN, **environ)
    assert environ.items() <= env_of(job).items()


@pytest.mark.parametrize("words", [["--env", "REDIS_URL"], ["--env", "REDIS_URL=redis://localhost/0"]])
def test_an_address_of_a_sidecar_can_be_given(launch: Terminal, words: list[str]) -> None:
    job, _ = manifests(launch, *words, *RUN, REDIS_URL="redis://localhost/0")
    assert env_of(job)["REDIS_URL"] == "redis://localhost/0"


def test_an_address_with_a_password_comes_from_the_secret_whatever_it_is_here(launch: Terminal) -> None:
    url = "redis://:hush@127.0.0.1/0"
    job, _ = manifests(launch, "--secret", "redis", *RUN, REDIS_URL=url)
    assert "REDIS_URL" not in env_of(job)
    words = [*IMAGE, "--kind", "scaledjob", "--secret", "redis", *RUN]
    assert "REDIS_URL must be set" in launch.refusal(*words, REDIS_URL=url, REDIS_STREAM="jobs")


def test_how_it_was_made_can_be_read_again(launch: Terminal) -> None:
    words = ["--secret", "redis", "--token-secret=tokens", "--pull-secret", "pull"]
    first, *_ = launch.text(*IMAGE, *words, "--", "minionize", "./a.out", "--secret", "hush").splitlines()
    assert " ".join(words) in first
    assert first.endswith("./a.out --secret '********'")


def test_a_secret_comes_from_a_secret(launch: Terminal) -> None:
    url = "redis://:hush@db:6379/0"
    words = ["--env", "REDIS_STREAM=jobs", *RUN]
    said = launch.refusal(*IMAGE, *words, REDIS_URL=url)
    assert said.startswith("REDIS_URL: secret, so not written into the manifest")
    assert "--secret NAME" in said
    text = launch.text(*IMAGE, "--secret", "redis", *words, REDIS_URL=url)
    assert "hush" not in text
    assert "# The Secret redis must hold: REDIS_URL.\n" in text
    (job, _) = yaml.safe_load_all(text)
    assert container(job)["envFrom"] == [{"secretRef": {"name": "redis"}}]
    assert "REDIS_URL" not in env_of(job)


def test_a_variable_may_be_known_in_the_cluster_only(launch: Terminal) -> None:
    job, _ = manifests(launch, "--secret", "redis", "--env", "REDIS_URL", *RUN)
    assert "REDIS_URL" not in env_of(job)


def test_the_token_is_a_file(launch: Terminal) -> None:
    job, _ = manifests(launch, "--token-secret", "tokens", *RUN)
    (volume,) = job["spec"]["template"]["spec"]["volumes"]
    assert volume["secret"]["secretName"] == "tokens"
    (mount,) = container(job)["volumeMounts"]
    assert env_of(job)["MINION_TOKEN_FILE"] == f"{mount['mountPath']}/token"


def test_a_queue_of_which_nothing_is_said_is_looked_for_in_the_pod(launch: Terminal) -> None:
    words = (
        "# REDIS_URL is not set: minions look for redis://localhost:6379/0 in their own pod; give --env REDIS_URL=...\n"
    )
    assert words in launch.text(*IMAGE, *RUN)
    for more in (REDIS, ["--secret", "redis"], ["--env", "REDIS_URL=redis://localhost"]):
        assert "is not set" not in launch.text(*IMAGE, *more, *RUN)
    assert "is not set" not in launch.text(*IMAGE, "--", "minionize", "-e", "google", "./a.out")
