"""Reads a bench file: the C++ loader has checked it, here its values become Python's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._core import BenchFile
from .app_build import App
from .bench_config import (
    BenchConfig,
    Budgets,
    ButtonContract,
    ConsoleConfig,
    Contract,
    Kind,
    LedBeforeFrame,
    LineConfig,
    PowerConfig,
    ResetConfig,
    Role,
    ServerConfig,
    ServesConfig,
    Speed,
    TargetConfig,
    Verifies,
)


def read_bench_file(bench_file: BenchFile) -> BenchConfig:
    """The values of a bench file that the C++ side has loaded and checked."""
    # The loader has checked every key; a missing one is a mistake of this program.
    whole: dict[str, Any] = json.loads(bench_file.to_json())
    target: dict[str, Any] = whole["target"]
    server: dict[str, Any] = whole["server"]
    contract: dict[str, Any] = target["contract"]
    return BenchConfig(
        name=bench_file.name,
        kind=Kind(bench_file.kind),
        loopback=whole["bench"].get("loopback") or "",
        device_id=bench_file.device_id,
        lines={
            name: LineConfig(
                name,
                line.get("active", "high") == "high",
                is_driven=line["direction"] == "output",
                debounce_us=int(line.get("debounce_us") or 0),
            )
            for name, line in whole["lines"].items()
        },
        target=TargetConfig(
            mac=target["device"],
            role=Role(target["role"]),
            serves=_serves(target["serves"]),
            app=_app(target),
            program=target.get("program") or "",
            arguments=tuple(target.get("arguments") or ()),
            environment=dict(target.get("environment") or {}),
            speed=Speed(target["speed"] or "host"),
            root_certificate=target.get("root_certificate") or "ca",
            ready=target.get("ready") or "",
            ready_timeout_ms=int(target.get("ready_timeout_ms", 10000)),
            contract=Contract(
                first_value=int(contract["first_value"]),
                led_before_frame=LedBeforeFrame(contract["led_before_frame"]),
                reads_reply=bool(contract["reads_reply"]),
                debounce_ms=int(contract["debounce_ms"]),
                retries=int(contract["retries"]),
                verifies=frozenset(Verifies(each) for each in contract["verifies"]),
                buttons={
                    name: ButtonContract(each.get("led") or "", bool(each.get("secure")))
                    for name, each in (contract.get("buttons") or {}).items()
                },
            ),
            console=_console(target.get("console")),
            reset=_reset(target.get("reset")),
            power=_power(target.get("power")),
            flash=tuple(target.get("flash") or ()),
            flash_timeout_ms=int(target["flash_timeout_ms"]),
        ),
        budgets=Budgets(**whole["budgets"]),
        server=ServerConfig(
            address=server.get("address") or "",
            names=tuple(server["names"]),
            plain_port=int(server["plain_port"]),
            tls_port=int(server["tls_port"]),
            identity=server["identity"],
            tls_profile=server["tls_profile"],
        ),
        folder=whole["bench"]["folder"] or "",
    )


def _console(console: Mapping[str, Any] | None) -> ConsoleConfig | None:
    return ConsoleConfig(console["port"], int(console["baud"])) if console else None


def _reset(reset: Mapping[str, Any] | None) -> ResetConfig | None:
    if not reset:
        return None
    return ResetConfig(
        line=reset.get("line") or "",
        hold_ms=int(reset.get("hold_ms") or 0),
        command=tuple(reset.get("command") or ()),
        timeout_ms=int(reset.get("timeout_ms") or 0),
    )


def _power(power: Mapping[str, Any] | None) -> PowerConfig | None:
    if not power:
        return None
    commands: dict[str, list[str]] = power.get("command") or {}
    return PowerConfig(
        line=power.get("line") or "",
        on_command=tuple(commands.get("on") or ()),
        off_command=tuple(commands.get("off") or ()),
        off_ms=int(power["off_ms"]),
        timeout_ms=int(power.get("timeout_ms") or 0),
    )


def _serves(serves: Mapping[str, Any] | None) -> ServesConfig | None:
    if serves is None:
        return None
    return ServesConfig(
        address=serves["address"] or "",
        plain_port=int(serves["plain_port"]),
        tls_port=int(serves["tls_port"]),
        one_at_a_time=serves["one_at_a_time"],
        keep_open=serves["keep_open"],
        client_identity=serves.get("client_identity") or "",
    )


def _app(target: Mapping[str, Any]) -> App | None:
    folder = target.get("app")
    if not folder:
        return None
    settings: dict[str, str] = target.get("app_settings") or {}
    return App(
        Path(folder),
        settings,
        lab_names=bool(target.get("app_lab_names")),
        ready=target.get("ready") or "",
    )
