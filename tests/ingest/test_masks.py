"""Secrets are masked by name and by shape, and vocabulary tokens are not taken for secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardlake.ingest.masks import is_secret_name, mask_arguments, mask_command, mask_text

SECRET = """
password db_password dbPassword passwd apiKey api-key WANDB_API_KEY hub_token HF_TOKEN token
auth.token secret client_secret secrets.wandb aws_access_key_id AWS_SECRET_ACCESS_KEY
private_key credentials.user use_auth_token push_to_hub_token accessToken account_key
connection_string cookie authorization
""".split()
HARMLESS = """
max_tokens max_new_tokens tokenizer tokenizer.name num_tokens tokens token_dim token_type_ids
pad_token bos_token eos_token_id unk_token mask_token cls_token image_token secretary key_dim
keypoints monkey lr compass passes passthrough attention_key model.special.pad_token
tokens_per_second author
""".split()


@pytest.mark.parametrize("name", SECRET)
def test_secret_names(name: str) -> None:
    """Names of passwords, keys and access tokens are secret in every spelling."""
    assert is_secret_name(name)


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_names(name: str) -> None:
    """Words of language models and words that only resemble a secret are shown."""
    assert not is_secret_name(name)


def test_a_number_is_no_token() -> None:
    """A number under `token` is shown; one under `password` is not."""
    assert not is_secret_name("loss.token", text=False)
    assert is_secret_name("password", text=False)


KEY = "abcdefghijklmnopqrst0123456789"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://me:pw@db/x", "postgres://***@db/x"),
        ("https://:token@host", "https://***@host"),
        ("https://host:8080/path", "https://host:8080/path"),
        ("s3://bucket/a@b:c", "s3://bucket/a@b:c"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        (f"use hf_{KEY} now", "use *** now"),
        (f"ghp_{KEY}", "***"),
        (f"github_pat_{KEY}", "***"),
        (f"glpat-{KEY}", "***"),
        (f"sk-proj-{KEY}", "***"),
        (f"task-{KEY}", f"task-{KEY}"),
        ("sk-learn-random-forest-classifier", "sk-learn-random-forest-classifier"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "***"),
        (f"Authorization: Bearer {KEY}", "Authorization: ***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "***"),
        ("https://h/x?a=1&X-Amz-Signature=abc&b=2", "https://h/x?a=1&X-Amz-Signature=***&b=2"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/***"),
        ("d670460b4b4aece5915caf5c68d12f560a9fe3e4", "d670460b4b4aece5915caf5c68d12f560a9fe3e4"),
    ],
)
def test_shapes(text: str, masked: str) -> None:
    """Keys of known shapes and logins in URLs go; hashes of commits and other words stay."""
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    ("command", "masked"),
    [
        ("python t.py --api-key x --lr 0.1", "python t.py --api-key *** --lr 0.1"),
        ("python  t.py --password='a b'", "python  t.py --password=***"),
        ('t.py --token "a b" c', "t.py --token *** c"),
        ("t.py --use_token --quiet", "t.py --use_token --quiet"),
        ("WANDB_API_KEY=abc t.py", "WANDB_API_KEY=*** t.py"),
        ("t.py +db.password=x lr=0.1", "t.py +db.password=*** lr=0.1"),
        ("t.py '--secret=x y'", "t.py '--secret=***"),
        ("t.py --max_tokens 5 --tokenizer t5", "t.py --max_tokens 5 --tokenizer t5"),
        ("it's --api_key x", "it's --api_key ***"),
    ],
)
def test_commands(command: str, masked: str) -> None:
    """The values of secret options go, the rest of the command stays as it was written."""
    assert mask_command(command) == masked


@given(st.text(max_size=300))
def test_any_command(text: str) -> None:
    """No text makes masking fail, and a masked text stays as it is."""
    mask_command(text)
    assert mask_text(mask_text(text)) == mask_text(text)


@given(st.lists(st.text(max_size=20), max_size=10))
def test_count_of_arguments(arguments: list[str]) -> None:
    """Masking neither drops nor adds arguments."""
    assert len(mask_arguments(arguments)) == len(arguments)
