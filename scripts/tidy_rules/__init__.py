"""The rules of scripts/tidy: RULES maps the name of each to its check, a generator of findings."""

from . import builds, edges, purity, sizes, texts

RULES = {
    "edges": edges.check_edges,
    "edge_table": edges.check_edge_table,
    "third_party": edges.check_third_party,
    "own_header_first": edges.check_own_header_first,
    "pure": purity.check_pure,
    "unordered_iteration": purity.check_unordered_iteration,
    "keyed_links": purity.check_keyed_links,
    "sleepless_tests": purity.check_sleepless_tests,
    "file_size": sizes.check_file_size,
    "function_size": sizes.check_function_size,
    "folder_size": sizes.check_folder_size,
    "leftovers": texts.check_leftovers,
    "words": texts.check_words,
    "text": texts.check_text,
    "pragma_once": texts.check_pragma_once,
    "readmes": texts.check_readmes,
    "error_table": texts.check_error_table,
    "format": builds.check_format,
    "registered": builds.check_registered,
}
