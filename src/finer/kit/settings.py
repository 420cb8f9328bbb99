"""Every setting of Finer, in one typed place: `FINER_<NAME>` in the environment, or the default below.

docs/reference/settings.md is generated from this struct, and a test compares the two.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from finer.kit.errors import InvalidInput

PREFIX = "FINER_"
_D = Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one process. Sizes in bytes, times in seconds unless the name says otherwise."""

    data_dir: Annotated[str, _D(description="Folder of everything that Finer keeps on this machine.")] = ".finer"
    database_url: Annotated[
        str, _D(description="PostgreSQL 16+ to use instead of the embedded server: postgresql://user:password@host/db.")
    ] = ""
    database_tls: Annotated[
        str,
        _D(
            description="`verify-full`: `database_url` must say so when it leaves this machine; `any`: as it says.",
            pattern="^(verify-full|any)$",
        ),
    ] = "verify-full"
    log: Annotated[str, _D(description="The event log: `postgres`.", pattern="^postgres$")] = "postgres"
    lake: Annotated[
        str, _D(description="Place of the lake files: a folder, or s3://bucket/prefix; empty for <data_dir>/lake.")
    ] = ""
    lake_endpoint: Annotated[
        str, _D(description="Address of S3-compatible object storage, e.g. https://minio:9000; empty for AWS.")
    ] = ""
    lake_region: Annotated[str, _D(description="Region of the bucket.")] = "us-east-1"
    lake_access_key: Annotated[
        str, _D(description="Access key of the object storage; empty: what AWS finds for this machine.")
    ] = ""
    lake_secret_key: Annotated[str, _D(description="Secret of the access key.")] = ""
    lake_cache_mb: Annotated[
        int, _D(description="Copies of files in object storage that SQL keeps on this machine, in MB.", ge=64)
    ] = 8192
    key_file: Annotated[
        str, _D(description="File of the master keys (mode 0400); empty for <data_dir>/master.key.")
    ] = ""
    kms_url: Annotated[
        str,
        _D(
            description="Key of a Vault or OpenBao Transit engine in place of the key file: https://HOST/v1/transit/keys/K."
        ),
    ] = ""
    kms_token_file: Annotated[
        str, _D(description="File with the token for `kms_url`, that others cannot read; read anew at every use.")
    ] = ""
    data_key_days: Annotated[int, _D(description="Age at which a firm's data key is replaced.", ge=1)] = 90
    host: Annotated[str, _D(description="Address the API listens on.")] = "127.0.0.1"
    port: Annotated[int, _D(description="Port the API listens on.", ge=1, le=65535)] = 8000
    api_processes: Annotated[
        int,
        _D(
            description="API processes of `finer up`, on `port` and those after it, behind a proxy.",
            ge=1,
            le=64,
        ),
    ] = 1
    drain_s: Annotated[
        float,
        _D(
            description="How long an API process that was told to stop goes on serving, with 503 at /health/ready: "
            "longer than a proxy takes to notice.",
            ge=0.1,
            le=300,
        ),
    ] = 0.5
    public_url: Annotated[str, _D(description="Address that people use; empty for that of host and port.")] = ""
    tls_cert: Annotated[
        str, _D(description="PEM file of the certificate and its chain; with it the API speaks TLS 1.3 only.")
    ] = ""
    tls_key: Annotated[str, _D(description="PEM file of the certificate's private key; not for others to read.")] = ""
    allowed_hosts: Annotated[
        str,
        _D(description="Host names that Finer answers to, by comma; empty: that of `public_url`, or any without one."),
    ] = ""
    trusted_proxies: Annotated[
        str,
        _D(description="Networks of proxies whose X-Forwarded-For is believed, by comma, e.g. 10.0.0.0/8."),
    ] = ""
    outbound_hosts: Annotated[
        str,
        _D(description="host:port pairs, by comma, that outbound requests may reach although private or plain HTTP."),
    ] = ""
    outbound_only: Annotated[
        str,
        _D(description="The only hosts that may be asked, by comma, e.g. *.acme.example; empty: any public one."),
    ] = ""
    mail_url: Annotated[
        str, _D(description="Relay for e-mail, smtp://user:password@host:587 or smtps://...; empty: no e-mail is sent.")
    ] = ""
    mail_from: Annotated[str, _D(description="Address that e-mail comes from.")] = ""
    sources_hosts: Annotated[
        str,
        _D(
            description="host:port pairs (firm=host:port for one firm), by comma, that sources may reach although "
            "private or without TLS."
        ),
    ] = ""
    sources_folders: Annotated[
        str, _D(description="firm=/folder pairs, by comma: folders of this machine that a firm's sources may watch.")
    ] = ""
    database_pool_connections: Annotated[
        int, _D(description="Database connections that one process holds at most.", ge=2, le=200)
    ] = 10
    partitions: Annotated[
        int, _D(description="Log partitions of each stream (one worker writes each).", ge=1, le=64)
    ] = 1
    body_bytes_max: Annotated[int, _D(description="Largest request body accepted.", ge=1024)] = 32 * 2**20
    body_wait_s: Annotated[float, _D(description="How long a sender may pause within a body.", gt=0)] = 20.0
    unpacked_bytes_max: Annotated[
        int, _D(description="Largest size that a compressed body may unpack to.", ge=1024)
    ] = 128 * 2**20
    group_bytes_max: Annotated[int, _D(description="Bodies committed to the log together, in bytes.", ge=1024)] = (
        3 * 2**20
    )
    # Where more comes than can be decided, these two stay full, and all that comes waits that long (decision 0067).
    backlog_events_max: Annotated[
        int, _D(description="Events waiting for the worker above which senders get 429.", ge=1000)
    ] = 150_000
    decision_timeout_s: Annotated[float, _D(description="How long POST /decisions waits for its answer.", gt=0)] = 5.0
    worker_batch_events: Annotated[int, _D(description="Events that the worker handles at once.", ge=100)] = 8_000
    window_pool_events: Annotated[
        int, _D(description="Events that the sliding windows of one worker remember.", ge=1000)
    ] = 8_388_608
    deduplication_events: Annotated[
        int, _D(description="Event ids that are surely remembered for deduplication.", ge=1000)
    ] = 8_388_608
    snapshot_every_s: Annotated[float, _D(description="Time between two snapshots of the worker's state.", gt=0)] = (
        300.0
    )
    lake_flush_s: Annotated[float, _D(description="Time between two commits to the lake.", gt=0)] = 1.0
    lake_backlog_events_max: Annotated[
        int, _D(description="Events waiting for the lake above which the worker waits.", ge=1000)
    ] = 200_000
    lake_snapshots_keep_days: Annotated[int, _D(description="Days of lake history kept for time travel.", ge=0)] = 7
    lake_exports_keep_hours: Annotated[
        int, _D(description="Hours that the file of an export of the lake can be fetched.", ge=1)
    ] = 24
    lake_export_rows_max: Annotated[int, _D(description="Rows that one export of the lake may have.", ge=1)] = (
        100_000_000
    )
    lake_export_bytes_max: Annotated[
        int, _D(description="Size that the file of one export of the lake may have.", ge=2**20)
    ] = 20 * 2**30
    bi_database_url: Annotated[
        str, _D(description="PostgreSQL of its own for extracts that BI tools read; none when empty.")
    ] = ""
    bi_rows_max: Annotated[int, _D(description="Rows that one table of an extract may have.", ge=1)] = 5_000_000
    log_retention_hours: Annotated[int, _D(description="Hours that the event log keeps what was consumed.", ge=1)] = 72
    case_four_eyes_usd: Annotated[
        int,
        _D(
            description="US dollars from which releasing payments or undoing blocks and holds takes two people: in a "
            "case, and in 24 hours by one person or to one customer or account.",
            ge=0,
        ),
    ] = 5_000
    session_idle_minutes: Annotated[int, _D(description="A session ends after this long without a request.", ge=1)] = 30
    session_absolute_hours: Annotated[int, _D(description="A session ends after this long in any case.", ge=1)] = 12
    step_up_minutes: Annotated[
        int, _D(description="Sensitive acts ask again who it is after this long.", ge=1, le=720)
    ] = 10
    breached_passwords_file: Annotated[
        str, _D(description="Sorted file of leaked passwords, lines SHA1:COUNT (as Have I Been Pwned); may be empty.")
    ] = ""
    argon2_memory_kib: Annotated[int, _D(description="Memory of one password hash (argon2id).", ge=8)] = 19_456
    argon2_iterations: Annotated[int, _D(description="Passes of one password hash (argon2id).", ge=1)] = 2
    approvals: Annotated[
        str, _D(description="Acts that take two people: `all`, `none`, or kinds of proposals, comma-separated.")
    ] = "all"
    export_rows_max: Annotated[
        int, _D(description="Rows of one export above which a second person has to approve it.", ge=1)
    ] = 10_000
    sql_memory_mb: Annotated[int, _D(description="Memory that one user query may take.", ge=64)] = 1024
    sql_timeout_s: Annotated[float, _D(description="Time that one user query may take.", gt=0)] = 60.0
    sql_tenant_max: Annotated[int, _D(description="User queries of one firm that run at once.", ge=1, le=64)] = 3
    sql_person_max: Annotated[int, _D(description="Queries of one person that run at once.", ge=1, le=64)] = 2
    sql_process_max: Annotated[int, _D(description="User queries that one process works off at once.", ge=1, le=64)] = 4
    sql_warm_processes: Annotated[
        int, _D(description="Processes that wait for the next user query, once there was one.", ge=0, le=16)
    ] = 1
    audit_key_file: Annotated[
        str, _D(description="Private key that signs audit heads; empty for <data_dir>/keys/audit-signing.pem.")
    ] = ""
    audit_heads_dir: Annotated[
        str, _D(description="Folder that signed audit heads are written to; empty for <data_dir>/audit-heads.")
    ] = ""
    audit_head_every_s: Annotated[float, _D(description="Time between two signed audit heads of a firm.", gt=0)] = 60.0
    places_file: Annotated[
        str, _D(description="CSV of network,country,lat,lon that says where addresses are; empty: nobody knows.")
    ] = ""
    metrics_token: Annotated[
        str, _D(description="Bearer token that opens /metrics to other machines; empty: this machine only.")
    ] = ""
    log_to: Annotated[
        str,
        _D(
            description="Log of `finer up`: `stderr`, `file` (<data_dir>/logs/finer.log), `auto`: file on a terminal.",
            pattern="^(auto|stderr|file)$",
        ),
    ] = "auto"
    log_level: Annotated[
        str, _D(description="debug, info, warning or error.", pattern="^(debug|info|warning|error)$")
    ] = "info"

    @property
    def data_path(self) -> Path:
        """The data folder as an absolute path. Raises InvalidInput for one whose links lead in a circle."""
        try:
            return Path(self.data_dir).expanduser().resolve()
        except RuntimeError as error:
            raise InvalidInput(
                f"{PREFIX}DATA_DIR is {self.data_dir!r}, which cannot be found: {error}. Give another folder."
            ) from error

    @property
    def key_path(self) -> Path:
        """The file of the master keys."""
        return Path(self.key_file).expanduser().resolve() if self.key_file else self.data_path / "master.key"

    @property
    def local_url(self) -> str:
        """The address of the API for this machine itself."""
        return self.local_url_of(self.port)

    def local_url_of(self, port: int) -> str:
        """The address of the API process on this port, for this machine itself."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"{'https' if self.tls_cert else 'http'}://{host}:{port}"

    @property
    def api_ports(self) -> range:
        """The ports of the API processes of `finer up`."""
        return range(self.port, self.port + self.api_processes)

    @property
    def web_url(self) -> str:
        """The address that people open."""
        return self.public_url.rstrip("/") or self.local_url

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these settings."""
        return {PREFIX + name.upper(): str(getattr(self, name)) for name in self.__struct_fields__}


def load_settings(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from the environment, then `overrides` that are not None. Raises InvalidInput naming the variable."""
    environment = os.environ if environment is None else environment
    given: dict[str, Any] = {}
    for name in Settings.__struct_fields__:
        if (text := environment.get(PREFIX + name.upper())) is not None:
            given[name] = text
    given.update({name: value for name, value in overrides.items() if value is not None})
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"A setting cannot be used: {error}. Settings are {PREFIX}<NAME> in the environment; "
            "docs/reference/settings.md lists them."
        ) from error
    if settings.lake.lower().startswith("s3:") and not settings.lake.startswith("s3://"):
        # Taken as a folder, the records would be on this machine alone, and nobody would notice.
        raise InvalidInput(
            f"{PREFIX}LAKE is {settings.lake!r}. Object storage is written s3://bucket/prefix, with two slashes and in "
            "lower case; a folder of such a name is ./s3:..."
        )
    return settings
