# SPDX-License-Identifier: LGPL-2.1-or-later
"""What MkDocs does not know of pages that are read in the repository too."""

import re

from mkdocs.structure.files import Files

PAGES_AND_WHAT_THEY_SHOW = (".md", ".png", ".svg", ".json")


def on_files(files, config):
    """Leave out what pages are made with."""
    return Files([file for file in files if file.src_path.endswith(PAGES_AND_WHAT_THEY_SHOW)])


def on_page_markdown(markdown, page, config, files):
    """Links to what is in the repository alone become text."""
    return re.sub(r"\[([^]]+)\]\(\.\./[^)]*\)", r"\1", markdown)


def on_post_template(output_content, template_name, config):
    """No map for search engines, which would have the day in it."""
    return "" if template_name == "sitemap.xml" else output_content
