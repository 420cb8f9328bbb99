"""The connection `finer`: host, optional port, and an API key as the password; or an OAuth client's id and secret."""

from __future__ import annotations

from typing import Any

try:
    from airflow.sdk import BaseHook
except ImportError:  # Airflow 2, and 3.0
    from airflow.hooks.base import BaseHook

from finer_airflow.client import FinerClient, FinerError


class FinerHook(BaseHook):
    """Finer's public API, by a connection of Airflow."""

    conn_name_attr = "finer_conn_id"
    default_conn_name = "finer_default"
    conn_type = "finer"
    hook_name = "Finer"

    def __init__(self, finer_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.finer_conn_id = finer_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The fields of the connection, as the page of Airflow names them."""
        return {
            "hidden_fields": [],
            "relabeling": {
                "host": "Host (https://finer.example)",
                "login": "OAuth client id (empty with an API key)",
                "password": "API key, or OAuth client secret",
                "schema": "Scheme (https unless it says http)",
            },
        }

    def get_conn(self) -> FinerClient:
        """A client for the API. `verify` in the connection's extra names a CA file, or is false for a test machine."""
        found = self.get_connection(self.finer_conn_id)
        host = found.host or "localhost"
        address = host if "://" in host else f"{found.schema or 'https'}://{host}"
        if found.port:
            address = f"{address}:{found.port}"
        extra = found.extra_dejson
        return FinerClient(
            base_url=address,
            key=found.password or "",
            client_id=found.login or "",
            timeout_s=float(extra.get("timeout_s", 60.0)),
            verify=extra.get("verify", True),
        )

    def test_connection(self) -> tuple[bool, str]:
        """For the button of the connection's page."""
        try:
            self.get_conn().ready()
        except FinerError as error:
            return False, str(error)
        return True, "Finer answers and lets this client in."
