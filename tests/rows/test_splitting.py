"""Splits: whole groups move, sizes hold, the certificate is measured, and earlier parts are kept."""

import json
import random
import shutil
from itertools import combinations

import polars as pl
import pytest

from oracles.duplicates import jaccard, shingles
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.rows import Version, read, split
from tunesmith.rows.assignment import assign
from tunesmith.rows.certificate import certify
from tunesmith.rows.strata import balance, strata
from tunesmith.rows.versions import verify

ANIMALS = ["cat", "dog", "owl", "fox", "hen", "bee", "ant", "cow", "pig", "rat", "bat", "elk", "emu", "yak"]


def prompts(count, seed=0):
    """Make prompts that share no five words in a row."""
    rng = random.Random(seed)
    return [" ".join(rng.choice(ANIMALS) for _ in range(8)) + f" number {k}" for k in range(count)]


def rows(count=200, seed=0):
    """Make rows of which every tenth has a near twin."""
    made = []
    for k, prompt in enumerate(prompts(count, seed)):
        made.append({"instruction": prompt, "output": str(k), "author": f"a{k % 50}"})
        if k % 10 == 0:
            made.append({"instruction": prompt.upper() + "!", "output": f"{k} again", "author": "twin"})
    return made


def sides(folder):
    parts = [part for part in ("train", "validation", "test") if (folder / part).is_dir()]
    return pl.concat([Version.open(folder / part).frame.select("position", "row_id", "cluster", side=pl.lit(part)) for part in parts])


def test_groups_stay_whole_and_sizes_hold(tmp_path):
    made = split(rows(), tmp_path / "s", test=0.2, validation=15)
    assert made.manifest.result["test"] == 44
    assert made.manifest.result["validation"] == 15
    table = sides(tmp_path / "s")
    assert sorted(table["position"]) == list(range(220))
    assert table.group_by("cluster").agg(pl.col("side").n_unique())["side"].max() == 1
    assert table.filter(pl.col("cluster").is_duplicated()).height == 40
    certificate = json.loads((tmp_path / "s" / "certificate.json").read_text())
    assert (certificate["leaks"], certificate["threshold"]) == (0, 0.7)
    assert certificate["rows"] == {"train": 161, "validation": 15, "test": 44}
    for part in ("train", "validation", "test"):
        Version.open(tmp_path / "s" / part).verify()


def test_a_leak_is_measured_on_the_files(tmp_path):
    split(rows(), tmp_path / "s", test=40, validation=0)
    train, test = (Version.open(tmp_path / "s" / part).frame for part in ("train", "test"))
    leaked = pl.concat([test, train.head(1).with_columns(part=pl.lit("dev"))])
    leaked.write_parquet(tmp_path / "s" / "test" / "rows.parquet")
    found = certify(tmp_path / "s", ["train", "test"], group=None, seed=0)
    assert found["leaks"] == 1
    assert found["highest_similarity"] == 1.0


def test_test_rows_have_parts_and_an_empty_part_is_left_out(tmp_path):
    split(rows(300), tmp_path / "s", test=120, validation=0)
    assert not (tmp_path / "s" / "validation").exists()
    assert "validation" not in (tmp_path / "s" / "README.md").read_text().split("---")[1]
    test = Version.open(tmp_path / "s" / "test").frame
    assert set(test["part"]) == {"dev", "gate", "confirm"}
    assert test.group_by("cluster").agg(pl.col("part").n_unique())["part"].max() == 1
    assert Version.open(tmp_path / "s" / "train").frame["part"].null_count() == 210


def test_opens_with_datasets(tmp_path):
    datasets = pytest.importorskip("datasets")
    split(rows(), tmp_path / "opens", test=30, validation=20)
    loaded = datasets.load_dataset(str(tmp_path / "opens"), cache_dir=str(tmp_path / "cache"))
    assert {name: len(part) for name, part in loaded.items()} == {"train": 170, "validation": 20, "test": 30}


def test_a_split_reads_back_as_the_union_of_its_parts(tmp_path):
    source = read(rows())
    split(source, tmp_path / "s")
    whole = read(tmp_path / "s").frame.sort("position").drop("cluster", "part")
    assert whole.equals(source.frame)
    assert read(tmp_path / "s" / "test").frame.height == 22
    assert "user_cluster" not in Version.open(split(tmp_path / "s", tmp_path / "again").folder / "train").frame.columns


def test_order_of_rows_does_not_decide(tmp_path):
    records = rows()
    split(records, tmp_path / "a", test=30)
    split(records[::-1], tmp_path / "b", test=30)
    first, second = (sides(tmp_path / name).select("row_id", "side").sort("row_id") for name in "ab")
    assert first.equals(second)
    split(records, tmp_path / "c", test=30)
    assert sides(tmp_path / "c").equals(sides(tmp_path / "a"))
    split(records, tmp_path / "d", test=30, seed=1)
    assert not sides(tmp_path / "d").equals(sides(tmp_path / "a"))


def test_equal_values_of_a_column_stay_together(tmp_path):
    records = [record for record in rows(400) if record["author"] != "twin"]
    made = split(records, tmp_path / "s", test=80, validation=40, group="author")
    frame = read(tmp_path / "s").frame.join(sides(tmp_path / "s").select("position", "side"), on="position")
    assert frame.group_by("author").agg(pl.col("side").n_unique())["side"].max() == 1
    assert (made.manifest.result["test"], made.certificate["leaks"]) == (80, 0)
    assert "equal values of author" in made.certificate["rule"]


def test_a_giant_group_is_named(tmp_path):
    records = rows() + [{"instruction": "Tell me one more joke please", "output": str(k)} for k in range(30)]
    with pytest.raises(OptionError, match=r"30 of 250 rows \(12%\) are one group, that of position 220 \('Tell me one more joke please'\)"):
        split(records, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_earlier_rows_keep_their_part_and_new_ones_join_their_group(tmp_path):
    old = rows()
    split(old, tmp_path / "a", test=40, validation=20)
    before = sides(tmp_path / "a")
    text = read(tmp_path / "a").frame.join(before.select("position", "side"), on="position")
    mine = text.filter(~pl.col("cluster").is_duplicated())
    trained, tested = (mine.filter(side=side)["instruction"][0] for side in ("train", "test"))
    new = [
        {"instruction": trained + "!", "output": "joins train"},
        {"instruction": tested.upper(), "output": "joins test"},
        *({"instruction": prompt, "output": "new"} for prompt in prompts(30, seed=5)),
    ]
    made = split(new + old[::-1], tmp_path / "b", test=60, validation=20, previous=tmp_path / "a")
    after = sides(tmp_path / "b")
    kept = before.join(after, on="row_id", suffix="_now")
    assert kept.height >= 220
    assert (kept["side"] == kept["side_now"]).all()
    answers = read(tmp_path / "b").frame.join(after.select("position", "side"), on="position")
    assert answers.filter(output="joins train")["side"].to_list() == ["train"]
    assert answers.filter(output="joins test")["side"].to_list() == ["test"]
    assert (made.manifest.result["test"], made.manifest.result["leaks"], made.manifest.result["set_aside"]) == (60, 0, 0)
    assert "previous" in made.manifest.inputs


def test_a_row_that_would_join_two_parts_is_set_aside(tmp_path):
    words = [f"w{k}" for k in range(40)]
    # 29 shingles each: left and right share 23 of 35 (.66), each shares 26 of 32 (.81) with the middle.
    left, middle, right = (" ".join(words[k : k + 33]) for k in (0, 3, 6))
    filler = [{"instruction": prompt, "output": "x"} for prompt in prompts(100)]
    ends = [{"instruction": left, "output": "l"}, {"instruction": right, "output": "r"}]
    for seed in range(50):
        out = tmp_path / f"a{seed}"
        split([*filler, *ends], out, test=50, validation=0, seed=seed)
        whole = read(out).frame.join(sides(out).select("position", "side"), on="position")
        if whole.filter(pl.col("output").is_in(["l", "r"]))["side"].n_unique() == 2:
            break
    between = {"instruction": middle, "output": "m"}
    made = split([*filler, between, *ends], tmp_path / "b", test=50, validation=0, previous=out)
    assert (made.manifest.result["set_aside"], made.manifest.result["leaks"]) == (1, 0)
    assert pl.read_parquet(tmp_path / "b" / "set_aside.parquet")["output"].to_list() == ["m"]
    assert made.manifest.result["train"] + made.manifest.result["test"] == 102


def test_rejected_rows_are_kept_beside(tmp_path):
    made = split([*rows(), {"instruction": 3}], tmp_path / "s")
    assert made.manifest.result["rejected"] == 1
    assert json.loads((tmp_path / "s" / "rejects.jsonl").read_text())["instruction"] == 3


def test_a_users_columns_of_these_names_are_kept(tmp_path):
    records = [{**record, "cluster": k % 110, "part": "p"} for k, record in enumerate(rows())]
    split(records, tmp_path / "s", group="cluster", test=40)
    frame = read(tmp_path / "s").frame
    assert frame["user_part"].unique().to_list() == ["p"]
    assert frame.group_by("user_cluster").agg(pl.col("cluster").n_unique())["cluster"].max() == 1


def test_reuse_and_refusal(tmp_path):
    first = split(rows(), tmp_path / "s", test=20)
    again = split(rows(), tmp_path / "s", test=20)
    assert (first.reused, again.reused, again.manifest, again.certificate) == (False, True, first.manifest, first.certificate)
    with pytest.raises(ArtefactError, match="--force"):
        split(rows(), tmp_path / "s", test=21)
    assert split(rows(), tmp_path / "s", test=21, force=True).manifest.result["test"] == 21
    assert not list(tmp_path.glob("*.work"))


def test_a_changed_split_is_noticed(tmp_path):
    split(rows(), tmp_path / "s", test=20)
    verify(tmp_path / "s")
    for name, content, message in (
        ("certificate.json", '{"leaks": 0}', "certificate.json is not what its manifest states"),
        ("certificate.json", None, "certificate.json cannot be read"),
        ("test", None, r"its parts \(train, validation\) are not those that its manifest states"),
        ("manifest.json", '{"format": 1, "tool": "tunesmith', "expected JSON"),
    ):
        shutil.copytree(tmp_path / "s", tmp_path / "t")
        place = tmp_path / "t" / name
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        if content:
            place.write_text(content)
        with pytest.raises(ArtefactError, match=message):
            verify(tmp_path / "t")
        shutil.rmtree(tmp_path / "t")
    shutil.rmtree(tmp_path / "s" / "test")
    shutil.copytree(tmp_path / "s" / "validation", tmp_path / "s" / "test")
    with pytest.raises(ArtefactError, match="are not those that its manifest states"):
        verify(tmp_path / "s")


@pytest.mark.parametrize(("options", "message"), [
    ({"test": 220}, "leave none of 220 rows"),
    ({"test": -1}, "expected a share below 1 or a whole count"),
    ({"test": 1.5}, "expected a share below 1 or a whole count"),
    ({"group": "autor"}, 'did you mean "author"'),
])  # fmt: skip
def test_wrong_options(tmp_path, options, message):
    with pytest.raises(OptionError, match=message):
        split(rows(), tmp_path / "s", **options)


def test_nothing_to_split(tmp_path):
    with pytest.raises(InputError, match="no record of the source is a row"):
        split([{"instruction": 3}], tmp_path / "s")


def talks(count=40, starts=8):
    """Conversations of which some open alike: the same first question after the same greeting, then each their own way."""
    opening = prompts(starts, seed=1)
    ways = prompts(3 * count, seed=2)
    return [
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"},
                      {"role": "user", "content": opening[k % starts].upper() if k % 2 else opening[k % starts]},
                      {"role": "assistant", "content": ways[3 * k]}, {"role": "user", "content": ways[3 * k + 1]},
                      {"role": "assistant", "content": ways[3 * k + 2]}]}
        for k in range(count)
    ]  # fmt: skip


def test_conversations_that_open_alike_stay_together(tmp_path):
    single = [{"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": "!"}]} for prompt in prompts(240, seed=1)]
    made = split(talks(24) + single, tmp_path / "s", test=60, validation=30)
    frame = read(tmp_path / "s").frame.join(sides(tmp_path / "s").select("position", "side"), on="position")
    start = pl.col("messages").list.get(2, null_on_oob=True).struct.field("content").fill_null(pl.col("instruction")).str.to_lowercase()
    assert frame.filter(pl.col("messages").list.len() > 2).group_by(start).agg(pl.col("side").n_unique())["side"].to_list() == [1] * 8
    assert (made.certificate["leaks"], made.manifest.result["test"]) == (0, 60)
    assert "same opening turns" in made.certificate["rule"]
    # The greeting alone joins nothing; a lone question that is another's opening goes where that one is.
    assert frame["cluster"].n_unique() > 200


def test_an_opening_across_the_border_is_a_leak(tmp_path):
    rows = talks(24, starts=24) + [{"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": "!"}]}
                                   for prompt in prompts(100)]  # fmt: skip
    split(rows, tmp_path / "s", test=40, validation=0)
    train, test = (Version.open(tmp_path / "s" / part).frame for part in ("train", "test"))
    talk = train.filter(pl.col("messages").list.len() > 2).head(1)
    other = talk.with_columns(messages=pl.col("messages").list.head(4), position=pl.lit(9999, pl.UInt64), part=pl.lit("dev"))
    pl.concat([test, other]).write_parquet(tmp_path / "s" / "test" / "rows.parquet")
    assert certify(tmp_path / "s", ["train", "test"], group=None, seed=0)["leaks"] == 1


def test_shares_of_a_column_hold_about(tmp_path):
    rng = random.Random(3)
    records = [{**record, "topic": rng.choices(["a", "b", None, "rare"], [60, 30, 8, 2])[0], "score": rng.random()} for record in rows(400)]
    made = split(records, tmp_path / "s", test=80, validation=40, stratify="topic")
    report = made.certificate["strata"]
    assert (report["column"], set(report["rows"])) == ("topic", {"a", "b", "(none)", "rare"})
    assert {part: sum(held[part] for held in report["rows"].values()) for part in ("train", "validation", "test")} == made.certificate[
        "rows"
    ]
    assert (made.manifest.result["test"], made.manifest.result["validation"], made.manifest.result["leaks"]) == (80, 40, 0)
    assert made.manifest.result["largest_deviation"] == report["largest_deviation"] < 0.03
    plain = split(records, tmp_path / "plain", test=80, validation=40).folder
    frames = {part: Version.open(plain / part).frame for part in ("train", "validation", "test")}
    assert balance(frames, "topic")["largest_deviation"] > report["largest_deviation"]
    scored = split(records, tmp_path / "scores", test=80, validation=40, stratify="score")
    assert len(scored.certificate["strata"]["rows"]) == 10
    assert scored.certificate["strata"]["largest_deviation"] < 0.03
    again = split(records[::-1], tmp_path / "again", test=80, validation=40, stratify="topic")
    assert sides(again.folder).select("row_id", "side").sort("row_id").equals(sides(made.folder).select("row_id", "side").sort("row_id"))


def test_strata_of_any_column():
    many = pl.Series("x", [f"v{k % 80}" for k in range(1000)])
    assert strata(many).n_unique() == 50
    assert strata(pl.Series("n", [1, 2, 2, None])).to_list() == ["1", "2", "2", "(none)"]
    assert strata(pl.Series("l", [["a"], ["a"], None])).to_list() == ['["a"]', '["a"]', "(none)"]
    assert strata(pl.Series("e", [], dtype=pl.String)).len() == 0
    ties = strata(pl.Series("t", [0.0] * 900 + list(range(1, 101))))
    assert ties.head(900).n_unique() == 1


def test_the_certificate_measures_every_pair_and_says_when_it_only_searches(tmp_path):
    made = split(rows(), tmp_path / "s", test=40, validation=20)
    exact = made.certificate
    assert (exact["recall"], exact["floor"], exact["search"].startswith("every pair")) == (1.0, None, True)
    frames = {part: Version.open(tmp_path / "s" / part).frame["instruction"].to_list() for part in ("train", "validation", "test")}
    twin = max(
        jaccard(shingles(a, 5, "word"), shingles(b, 5, "word")) for x, y in combinations(frames, 2) for a in frames[x] for b in frames[y]
    )
    assert exact["highest_similarity"] == (twin or None)
    searched = certify(tmp_path / "s", ["train", "validation", "test"], group=None, seed=0, exhaustive=10)
    assert (searched["recall"], searched["floor"], searched["leaks"]) == (0.999, 0.2, 0)
    assert "probability of 0.999" in searched["search"]


@pytest.mark.parametrize("stratified", [False, True])
def test_groups_are_taken_in_the_same_order_however_many_are_sorted_first(stratified, monkeypatch):
    rng = random.Random(1)
    group = pl.Series([min(k, rng.randrange(200)) for k in range(200)], dtype=pl.UInt64)
    names = pl.Series([f"{rng.getrandbits(64):032x}" for _ in range(200)])
    shares = pl.Series([rng.choice("aab") for _ in range(200)]) if stratified else None
    options = {"sizes": {"test": 30, "validation": 25}, "seed": 3, "fixed": {int(group[0]): "test"}, "strata": shares}
    at_once = assign(group, names, **options)
    for first in (1, 7, 60):
        monkeypatch.setattr("tunesmith.rows.assignment._FIRST", first)
        monkeypatch.setattr("tunesmith.rows.pieces.SIZE", 5)
        assert assign(group, names, **options).equals(at_once)
    assert at_once.filter(at_once == "test").len() <= 30
