"""A Site's own authorities: the file is looked at when policies are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from tests.policy.documents import load_texts, policy, problems, site

WITH = ", tls: {ca_bundle: ca.pem}"


def bundle() -> bytes:
    return trustme.CA().cert_pem.bytes()


def with_file(folder: Path, data: bytes, name: str = "ca.pem") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)


def test_the_path_starts_in_the_folder_of_the_policies(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    with_file(folder, bundle() + bundle())
    (found,) = load_texts(folder, site(more=WITH)).sites
    assert found.ca_bundle == str(folder / "ca.pem")
    assert found.where_tls == "policies/00.yaml:4"


def test_a_site_without_the_key_trusts_the_system_alone(tmp_path: Path) -> None:
    (found,) = load_texts(tmp_path / "policies", site()).sites
    assert (found.ca_bundle, found.where_tls) == (None, "")


def test_where_the_file_lies_changes_no_digest(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        folder = tmp_path / name / "policies"
        folder.parent.mkdir()
        with_file(folder, bundle())
        digests.add(load_texts(folder, site(more=WITH)).digest)
    assert len(digests) == 1


KEY = trustme.CA().private_key_pem.bytes()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "names no file; the path starts in the policies' folder"),
        (b"", "holds no certificates in PEM form"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificates in PEM form"),
        (b"\xff\xfe\x00", "holds no certificates in PEM form"),
        (bundle().ljust(1024 * 1024 + 1, b"\n"), "must be at most 1 MiB"),
        (bundle() + KEY, "holds a private key; only certificates belong there, and the key should be replaced"),
    ],
    ids=["missing", "empty", "broken", "binary", "large", "key"],
)
def test_a_file_that_cannot_serve_is_a_problem_of_its_line(tmp_path: Path, data: bytes | None, said: str) -> None:
    folder = tmp_path / "policies"
    if data is not None:
        with_file(folder, data)
    (found,) = problems(folder, site(more=WITH))
    assert found.startswith("policies/00.yaml:4:")
    assert f"`ca_bundle` {said}" in found


def test_a_file_may_be_as_large_as_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    with_file(folder, bundle().ljust(1024 * 1024, b"\n"))
    assert load_texts(folder, site(more=WITH)).sites[0].ca_bundle


def test_why_a_file_cannot_be_read_is_said(tmp_path: Path) -> None:
    (found,) = problems(tmp_path / "policies", site(more=f", tls: {{ca_bundle: {'a' * 300}}}"))
    assert "`ca_bundle` cannot be read (File name too long)" in found


def test_the_key_of_a_site_names_no_file_in_a_policy(tmp_path: Path) -> None:
    text = policy().replace("spec: {", "spec: {tls: {ca_bundle: ca.pem}, ")
    found = problems(tmp_path / "policies", text)
    assert found
    assert not [one for one in found if "names no file" in one]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "policies" / "ca.pem").mkdir(parents=True)
    (found,) = problems(tmp_path / "policies", site(more=WITH))
    assert "names no file" in found


@pytest.mark.parametrize("more", [", tls: {}", ", tls: {verify: false}", ", tls: {ca_bundle: 1}", ", tls: false"])
def test_there_is_no_other_key_and_none_that_switches_the_check_off(tmp_path: Path, more: str) -> None:
    assert problems(tmp_path / "policies", site(more=more))


@pytest.mark.parametrize("url", ["http://acme.atlassian.net", "http://10.0.0.1", "http://localhost.acme.com"])
def test_an_address_without_tls_is_for_this_computer_only(tmp_path: Path, url: str) -> None:
    text = site().replace("https://acme.atlassian.net", url)
    assert any("must begin with https://" in one for one in problems(tmp_path / "policies", text))
