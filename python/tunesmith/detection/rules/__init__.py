"""One file a family of defects; each exports its detectors, `registry.py` puts them in order."""
