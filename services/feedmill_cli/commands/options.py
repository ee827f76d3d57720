from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where everything is kept. Also FEEDMILL_DATA_DIR; usually ~/.local/share/feedmill.",
        show_default=False,
    ),
]
GatewayUrl = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="The gateway to talk to. Also FEEDMILL_URL; usually the one that runs here.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait until every entry has been dealt with.")
]
FeedNumber = Annotated[
    int, typer.Argument(metavar="ID", min=1, help="As `feedmill feeds` shows it.")
]
EntryNumber = Annotated[
    int, typer.Argument(metavar="ID", min=1, help="As `feedmill entries --json` shows it.")
]
