"""The folder of a network by a path or a hub name, whatever the network is for."""

from __future__ import annotations

from pathlib import Path


def locate(
    name_or_folder: str, *, what: str, files: list[str], missing: type[ValueError]
) -> tuple[Path, str]:
    """The folder of a network, from disk or fetched from the hub, and its name.

    Raises `missing`, with a message that begins with `what`, when there is none.
    """
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir():
        return folder, folder.resolve().name
    if folder.is_absolute() or name_or_folder.startswith((".", "~")):
        raise missing(
            f"{what}: there is no folder {name_or_folder!r}. Name a folder that exists, or a hub model."
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name_or_folder, allow_patterns=files)), name_or_folder
    except (OSError, ValueError) as error:
        raise missing(
            f"{what}: {name_or_folder!r} is neither a folder nor a hub model that can be reached "
            f"({type(error).__name__}). Check the name and the network, or name a local folder."
        ) from error
