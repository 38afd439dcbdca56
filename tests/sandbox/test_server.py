"""Starting and stopping, and whom the sandbox serves."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import trustme

from cleanup_gitops.sandbox.seed import seed
from cleanup_gitops.sandbox.server import listen, running, serve
from cleanup_gitops.sandbox.world import SandboxError
from tests import canaries
from tests.patience import STALLED


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org", ""])
def test_only_this_machine_is_served(host: str) -> None:
    with pytest.raises(SandboxError, match="serves this machine only"):
        listen(host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_addresses_are_served(host: str) -> None:
    with running(seed(users=1), host=host) as box:
        assert httpx.get(f"{box.url}/_sandbox/world", trust_env=False, verify=False, timeout=STALLED).status_code == 200
        assert box.url.startswith("http://127.0.0.")


def test_a_taken_port_is_said_with_what_to_do() -> None:
    with running(seed(users=1)) as box:
        port = int(box.url.rpartition(":")[2])
        with pytest.raises(SandboxError, match=f"port {port}: .*choose another port"):
            running(seed(users=1), port=port)


def test_after_the_block_nobody_answers() -> None:
    with running(seed(users=1)) as box:
        url = box.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/_sandbox/world", trust_env=False, verify=False, timeout=STALLED)


def test_an_answer_that_was_begun_is_given_before_the_sandbox_ends() -> None:
    with ThreadPoolExecutor(1) as pool:
        with (
            running(seed(users=1)) as box,
            httpx.Client(base_url=box.url, trust_env=False, verify=False, timeout=STALLED) as http,
        ):
            http.post("/_sandbox/faults", json=[{"kind": "slow", "seconds": 0.3}]).raise_for_status()
            key = {"Authorization": f"Bearer {box.org_api_key}"}
            asked = pool.submit(
                httpx.get, f"{box.url}/admin/v1/orgs", headers=key, trust_env=False, verify=False, timeout=STALLED
            )
            while not http.get("/_sandbox/requests").json():
                time.sleep(0.01)
        assert asked.result().json()["data"][0]["id"] == box.org_id


def test_a_running_sandbox_tells_what_a_client_needs() -> None:
    world = seed(users=1)
    with running(world) as box:
        assert box.world is world
        assert box.org_id == "0f5e0000-0000-0000-0000-000000000000"
        assert (box.org_api_key, box.api_token) == (canaries.ORG_KEY, canaries.TOKEN)
        assert box.user_email == "cleanup-runner@acme.com"
        assert box.runner_account == world.users[0].id
        assert box.cloud_id == world.site.cloud_id


def test_tls_is_served_with_a_given_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.private_key_pem.write_to_path(key)
    for part in issued.cert_chain_pems:
        part.write_to_path(cert, append=True)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with running(seed(users=1), ssl_certfile=cert, ssl_keyfile=key) as box:
        assert box.url.startswith("https://")
        answer = httpx.get(f"{box.url}/_sandbox/world", verify=trusted, trust_env=False, timeout=STALLED)
        assert answer.status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{box.url}/_sandbox/world", trust_env=False, timeout=STALLED)


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    missing, nonsense = tmp_path / "missing.pem", tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    for file in (missing, nonsense):
        with pytest.raises(SandboxError, match=f"{file.name}: cannot be used for TLS"):
            running(seed(users=1), ssl_certfile=file)


SERVE = """
import sys
from cleanup_gitops.sandbox.server import serve
serve(sys.argv[1], port=0, on_ready=lambda url, world: print(url, flush=True))
"""


def test_ctrl_c_ends_serving_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    seed(users=5).save(path)
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        answer = httpx.get(f"{url}/_sandbox/world", trust_env=False, verify=False, timeout=STALLED)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=STALLED)
    assert answer.json()["users"] == 5
    assert (process.returncode, errors) == (0, "")


def test_serving_a_file_that_is_no_world_says_so(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot read the world"):
        serve(tmp_path / "missing.json", port=0)
