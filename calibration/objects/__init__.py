"""The built-in stimulus set: 72 everyday categories of 10 procedural objects each."""
