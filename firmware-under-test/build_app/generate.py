"""The C files that a build makes: resources, and the first contents of the DCT."""

from pathlib import Path

from build_app.application import Application
from build_app.errors import BuildFailed

_HEADER = """\
/* Made by the build from the resources of the application. */
#pragma once

#include "wiced_resource.h"

"""


def c_string(data: bytes) -> str:
    """A C string literal over several lines. Octal escapes end after three digits."""
    if not data:
        return '""'
    plain = {ord(letter) for letter in "-_=+/ :.,;()<>[]{}*&%$#@!|~^'"}
    lines = []
    for start in range(0, len(data), 64):
        line = "".join(
            chr(byte) if byte in plain or (byte < 128 and chr(byte).isalnum()) else f"\\{byte:03o}"
            for byte in data[start : start + 64]
        )
        lines.append(f'    "{line}"')
    return "\n".join(lines)


def resources_h(application: Application) -> str:
    """The header that the SDK's build makes, and applications include."""
    return _HEADER + "".join(
        f"extern const resource_hnd_t {each.name};\n" for each in application.resources
    )


def resources_c(application: Application) -> str:
    """The files themselves. A text is followed by a NUL that its size does not count."""
    parts = ['#include "resources.h"\n']
    for each in application.resources:
        try:
            data = each.path.read_bytes()
        except OSError as error:
            raise BuildFailed(f"{each.path}: {error.strerror}") from error
        parts.append(
            f"\n/* {each.path.name} */\n"
            f"static const char {each.name}_data[] =\n{c_string(data)};\n"
            f"const resource_hnd_t {each.name} = {{\n"
            f"    .location = RESOURCE_IN_MEMORY,\n    .size = {len(data)},\n"
            f"    .val.mem.data = {each.name}_data,\n}};\n"
        )
    return "".join(parts)


def dct_c(application: Application) -> str:
    """What CERTIFICATE, PRIVATE_KEY and WIFI_CONFIG_DCT_H put into the DCT."""
    text = '#include "wiced.h"\n#include "dct_build.h"\n'
    ssid = passphrase = '""'
    interface = "WICED_STA_INTERFACE"
    if application.wifi_config is not None:
        text += f'#include "{application.wifi_config.name}"\n'
        ssid, passphrase = "CLIENT_AP_SSID", "CLIENT_AP_PASSPHRASE"
        text += f"#ifndef WICED_NETWORK_INTERFACE\n#define WICED_NETWORK_INTERFACE {interface}\n"
        text += "#endif\n"
        interface = "WICED_NETWORK_INTERFACE"
    return (
        f"{text}\nconst dct_build_t dct_build = {{\n"
        f"    .security.certificate =\n{c_string(application.certificate)},\n"
        f"    .security.private_key =\n{c_string(application.private_key)},\n"
        f"    .ssid = {ssid},\n    .passphrase = {passphrase},\n"
        f"    .interface = {interface},\n}};\n"
    )


def write_sources(application: Application, folder: Path) -> list[Path]:
    """Writes all of them into `folder` and gives those to compile."""
    (folder / "resources.h").write_text(resources_h(application))
    (folder / "wwep_resources.c").write_text(resources_c(application))
    (folder / "wwep_dct.c").write_text(dct_c(application))
    return [folder / "wwep_resources.c", folder / "wwep_dct.c"]
