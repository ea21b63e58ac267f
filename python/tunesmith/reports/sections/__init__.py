"""One file a kind of artefact: reads its files with Polars and returns its `Section`s. Nothing is computed that they do not hold."""
