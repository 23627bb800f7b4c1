"""An app with nothing but one more migration: what a deploy that changes every account costs."""
