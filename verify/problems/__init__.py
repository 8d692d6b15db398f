"""Problem files that come with the package, each a question with a known answer."""
