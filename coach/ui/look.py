"""The look of the page: our colours and type over gradio's theme, one style sheet, one script, no outside address."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

SANS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def launch_look() -> dict[str, Any]:
    """The look as arguments of ``Blocks.launch``."""
    assets = files("coach.ui") / "assets"
    mark = (assets / "mark.svg").read_text(encoding="utf-8").strip()
    script = (assets / "unheard.js").read_text(encoding="utf-8")
    return {
        "theme": _theme(),
        "css": (assets / "unheard.css").read_text(encoding="utf-8"),
        "head": f"<script>{script}</script>",
        "favicon_path": str(assets / "mark.svg") if mark else None,
    }


def _theme() -> Any:
    from gradio.themes import Base, colors, sizes

    ink = colors.Color(
        name="ink",
        c50="#f2f5f7",
        c100="#e3e9ee",
        c200="#c7d3dc",
        c300="#a2b5c3",
        c400="#7791a5",
        c500="#53708a",
        c600="#3d586f",
        c700="#30475b",
        c800="#24374a",
        c900="#1a2937",
        c950="#111c26",
    )
    return Base(
        primary_hue=ink,
        secondary_hue=ink,
        neutral_hue=colors.stone,
        font=SANS,
        font_mono=MONO,
        text_size=sizes.text_md,
        radius_size=sizes.radius_md,
        spacing_size=sizes.spacing_md,
    ).set(
        body_background_fill="#fbfaf7",
        body_background_fill_dark="#15181d",
        body_text_color="#1d2126",
        body_text_color_dark="#e9e6e0",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_shadow="none",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_title_text_weight="600",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1d2128",
        input_border_color="#c9c4ba",
        input_border_color_dark="#4a515e",
        input_border_width="1px",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="#a9c7dd",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="#c4dbeb",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#10202d",
        button_secondary_background_fill="#efece6",
        button_secondary_background_fill_dark="#2a2f38",
        button_secondary_background_fill_hover="#e4e0d8",
        button_secondary_background_fill_hover_dark="#363c47",
        button_secondary_text_color="#1d2126",
        button_secondary_text_color_dark="#e9e6e0",
    )
