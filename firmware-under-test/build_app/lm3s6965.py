"""The LM3S6965 port: an image for a Cortex-M3, with lwIP and wolfSSL out of Debian's sources."""

import os
from dataclasses import dataclass
from pathlib import Path

from build_app import archive
from build_app.archive import Archive
from build_app.errors import BuildFailed
from build_app.port import API_HEADERS, COMMON, FIRMWARE, REPOSITORY, Port, cache_folder, run

_PORT = FIRMWARE / "ports" / "lm3s6965"
_PREFIX = "arm-none-eabi-"
_COMPILE = (
    f"{_PREFIX}gcc",
    "-mcpu=cortex-m3",
    "-mthumb",
    "-std=gnu11",
    "-Os",
    "-g",
    "-ffunction-sections",
    "-fdata-sections",
    "--specs=nano.specs",
)
_WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wundef")

# Of each library what the port uses; the linker leaves out what an application does not.
_LWIP = (
    "core/def core/dns core/inet_chksum core/init core/ip core/mem core/memp core/netif core/pbuf "
    "core/raw core/stats core/sys core/tcp core/tcp_in core/tcp_out core/timeouts core/udp "
    "core/ipv4/dhcp core/ipv4/etharp core/ipv4/icmp core/ipv4/ip4 core/ipv4/ip4_addr "
    "core/ipv4/ip4_frag netif/ethernet apps/sntp/sntp"
).split()
_WOLFSSL = (
    "src/internal src/keys src/ssl src/tls src/tls13 src/wolfio "
    "wolfcrypt/src/aes wolfcrypt/src/asn wolfcrypt/src/coding wolfcrypt/src/ecc "
    "wolfcrypt/src/error wolfcrypt/src/hash wolfcrypt/src/hmac wolfcrypt/src/kdf "
    "wolfcrypt/src/logging wolfcrypt/src/memory wolfcrypt/src/random wolfcrypt/src/rsa "
    "wolfcrypt/src/sha wolfcrypt/src/sha256 wolfcrypt/src/sha512 wolfcrypt/src/signature "
    "wolfcrypt/src/sp_cortexm wolfcrypt/src/sp_int wolfcrypt/src/wc_encrypt "
    "wolfcrypt/src/wc_port wolfcrypt/src/wolfmath"
).split()
_COMMON = (
    "app_dct_default button dct dct_build_default linked_list network packet resource rtos "
    "rtos_queue rtos_timer rtos_worker str_to_ip stream tcp tcp_connect tcp_connection "
    "tcp_data tcp_events tcp_listen tcp_options tcp_server tls_certificates tls_context "
    "tls_result uart"
).split()


@dataclass(frozen=True)
class TlsParts:
    """What of TLS goes into an image that uses TLS; for measuring what each part costs."""

    has_1_3: bool = True
    has_1_2: bool = True
    has_server: bool = True

    def flags(self) -> tuple[str, ...]:
        """As wolfssl_settings/user_settings.h knows them."""
        left_out = {
            "PORT_WITHOUT_TLS13": not self.has_1_3,
            "PORT_WITHOUT_TLS12": not self.has_1_2,
            "PORT_WITHOUT_TLS_SERVER": not self.has_server,
        }
        return tuple(f"-D{name}" for name, is_left_out in left_out.items() if is_left_out)


ALL_OF_TLS = TlsParts()


def prepare(tls: TlsParts = ALL_OF_TLS) -> Port:
    """The port, its libraries built from what is in the cache or from their sources."""
    lwip = _sources("lwip") / "src"
    wolfssl = _sources("wolfssl")
    lwip_flags = (f"-I{_PORT / 'lwip_settings'}", f"-I{lwip / 'include'}")
    wolfssl_flags = (
        "-DWOLFSSL_USER_SETTINGS",
        *tls.flags(),
        f"-I{_PORT / 'wolfssl_settings'}",
        f"-I{wolfssl}",
    )
    api = (f"-I{API_HEADERS}", f"-I{_PORT / 'include'}", f"-I{COMMON / 'include'}")
    own_flags = (f"-I{_PORT}", f"-I{COMMON}")
    # Others' headers are not ours to warn about.
    foreign = tuple(
        flag.replace("-I", "-isystem", 1) if flag.startswith("-I") else flag
        for flag in (*lwip_flags, *wolfssl_flags)
    )
    strict = ("-Werror",) if os.environ.get("CI") else ()
    settings = (
        *_files(_PORT / "lwip_settings"),
        *_files(_PORT / "wolfssl_settings"),
        *_files(_PORT),
        *_files(_PORT / "include"),
        *_files(COMMON),
        *_files(COMMON / "include"),
        *_files(API_HEADERS),
    )
    archives = [
        Archive(
            "wiced_lm3s6965",
            (
                *(path for path in sorted(_PORT.glob("*.[cS]")) if path.name != "image.c"),
                *(COMMON / f"{name}.c" for name in _COMMON),
            ),
            settings,
            (*_WARNINGS, *strict, *own_flags, *api, *foreign),
        ),
        Archive(
            "wolfssl",
            tuple(wolfssl / f"{name}.c" for name in _WOLFSSL),
            (*_files(wolfssl / "wolfssl"), *_files(_PORT / "wolfssl_settings")),
            ("-w", *wolfssl_flags),
        ),
        Archive(
            "lwip",
            tuple(lwip / f"{name}.c" for name in _LWIP),
            (*_files(lwip / "include"), *_files(_PORT / "lwip_settings")),
            ("-w", *lwip_flags),
        ),
    ]
    libraries = [str(archive.build(each, _COMPILE, f"{_PREFIX}ar")) for each in archives]
    return Port(
        compile=_COMPILE,
        api=api,
        own_sources=(_PORT / "image.c", COMMON / "application.c"),
        own_flags=(*own_flags, f"-DWWEP_BUILD_DATE={_build_date()}"),
        link=(
            f"-T{_PORT / 'lm3s6965.ld'}",
            "-nostartfiles",
            "-Wl,--gc-sections",
            "-Wl,--no-warn-rwx-segments",
            "-Wl,--undefined=start_up",
            *libraries,
        ),
    )


def _sources(package: str) -> Path:
    folder = cache_folder() / "sources" / package
    if not folder.is_dir():
        raise BuildFailed(f"{folder}: no such folder; ci/setup --emulator fetches {package}")
    return folder


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.h"))


def _build_date() -> int:
    """Seconds since 1970: SOURCE_DATE_EPOCH, else the last commit, else the newest source."""
    settled = os.environ.get("SOURCE_DATE_EPOCH", "")
    if settled:
        if not settled.isdecimal():
            raise BuildFailed(f"SOURCE_DATE_EPOCH: {settled!r} is not a number of seconds")
        return int(settled)
    is_done, said = run(["git", "log", "-1", "--format=%ct"], REPOSITORY)
    if is_done and said.strip().isdecimal():
        return int(said)
    return int(max(path.stat().st_mtime for path in _PORT.glob("*.c")))
