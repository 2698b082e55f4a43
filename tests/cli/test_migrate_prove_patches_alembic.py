"""Patches of Alembic's downgrades: the author's statements stay, and what was applied is proven by running the project again."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.cli.test_migrate_prove_alembic import INI, SYNC
from tests.cli.test_migrate_prove_patches import proven, wrong
from tests.patching import GIT

HEAD = 'from alembic import op\nimport sqlalchemy as sa\nrevision = "{id}"\ndown_revision = {needs}\n'
UP = 'def upgrade():\n    op.add_column("t", sa.Column("{id}", sa.String(), server_default="a:b"))\n    op.create_index("i_{id}", "t", ["{id}"])\n'
#: id: (head, upgrade, downgrade or what stands there)
REVISIONS: dict[str, tuple[str, str, str]] = {
    "a1": (HEAD, 'def upgrade():\n    op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("gone", sa.Text))\n', 'def downgrade():\n    op.drop_table("t")\n'),
    "g7": (HEAD, 'def upgrade():\n    op.drop_column("t", "gone")\n', "def downgrade():\n    ...\n"),
    # A part is missing: the index goes with the column, which is wanted the other way round here.
    "b2": (HEAD, UP, 'def downgrade() -> None:\n    """Takes the index."""\n    if op.get_context():\n        op.drop_index("i_{id}")  # its own\n    return\n'),
    "c3": (HEAD, UP, "def downgrade():\n    pass"),
    "d4": (HEAD, UP, ""),
    "e5": (HEAD.replace("import op", "import op as o"), UP.replace("op.", "o."), "async def downgrade():\r\n    o.drop_index('i_{id}')\r\n"),
    "f6": ("\ufeff" + HEAD, UP.replace("\n", "\r\n"), "def downgrade(): op.drop_index('wrong')\r\n"),
    "h8": (HEAD.replace("from alembic import op", "import alembic"), UP.replace("op.", "alembic.op."), "def downgrade():\n    alembic.op.drop_index('i_{id}')"),
}  # fmt: skip


def test_only_what_is_missing_is_added_and_the_project_is_then_right(
    tmp_path: Path, postgres_url: str
) -> None:
    root = tmp_path / "an app"
    versions = root / "db" / "versions"
    versions.mkdir(parents=True)
    (root / "alembic.ini").write_text(INI, encoding="utf-8")
    (root / "db" / "env.py").write_text(SYNC, encoding="utf-8")
    needs = "None"
    for id, parts in REVISIONS.items():
        text = "\n".join(part.format(id=id, needs=needs) for part in parts)
        (versions / f"{id} größe.py").write_bytes(text.encode())
        needs = f'"{id}"'
    downs = {v["subject"]: v for v in proven(root, postgres_url) if v["check"] == "migrate.down"}
    assert downs.pop("migration:a1")["verdict"] == "holds"
    for subject, verdict in downs.items():
        patch = verdict["evidence"].get("patch")
        assert patch, verdict
        assert verdict["verdict"] != "holds" and patch in verdict["next"], subject
        done = subprocess.run(GIT, cwd=root, input=patch.encode(), capture_output=True)
        assert done.returncode == 0, (patch, done.stdout)
    b2, g7 = (downs[f"migration:{id}"]["evidence"]["patch"] for id in ("b2", "g7"))
    assert [line for line in b2.splitlines() if line.startswith(("+ ", "-"))][1:] == [
        "+    op.execute('ALTER TABLE public.t DROP COLUMN b2')"
    ]
    assert "+    # lossy: column t.gone\n" in g7 and "-    ...\n" in g7
    assert wrong(proven(root, postgres_url)) == []
