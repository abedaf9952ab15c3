import fcntl
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.errors import IndexBusy, LibraryError, NotFound, SourceError
from knowledge.adapters import FusedRetriever, MiniLMEmbeddings
from knowledge.library import Library, fuse
from knowledge.passages import Span
from knowledge.sources import Asked, Source, article, read_source
from knowledge.vectors import Vectors
from knowledge.words import match_query, nearest_spelling, stems
from tests.hashing import HashEncoder

PETS = Source("pets", "Pets", "Cats sleep all day.\n\nDogs bark at the postman.", "2026-01-01")
FOOD = Source("food", "Food", "Soup is best hot.\n\nBread needs time.", "2026-01-02")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open_or_build(tmp_path / "index", HashEncoder(), [PETS])


def texts(library: Library, query: str) -> list[str]:
    return [hit.passage.text for hit in library.search(query)]


def test_search_finds_by_words_vectors_and_both(library: Library) -> None:
    for how in ("words", "vectors", "fused"):
        best = library.search("barking dogs", how=how)[0]
        assert best.passage.text == "Dogs bark at the postman."


def test_a_hit_says_what_each_search_gave(library: Library) -> None:
    dogs, *_ = library.search("dogs bark")
    assert dogs.cosine is not None and dogs.bm25 is not None
    cats = next(h for h in library.search("dogs bark") if "Cats" in h.passage.text)
    assert cats.bm25 is None


def test_a_passage_comes_back_by_its_id_as_it_was(library: Library) -> None:
    passage = library.search("cats")[0].passage
    assert library.passage(passage.id) == passage
    assert PETS.text[passage.start : passage.end] == passage.text
    with pytest.raises(NotFound):
        library.passage("nothing")


def test_status_before_and_after_a_build(tmp_path: Path) -> None:
    library = Library(tmp_path / "index", HashEncoder())
    assert not library.status([PETS]).exists
    with pytest.raises(LibraryError, match="rehearsal index"):
        library.search("cats")
    seen: list[tuple[int, int]] = []
    library.build([PETS], lambda done, count: seen.append((done, count)))
    status = library.status([PETS])
    assert status.exists and not status.stale and status.passages == 2
    assert status.model == "hash" and status.built_at and status.sources[0].title == "Pets"
    assert seen[-1] == (2, 2)


def test_a_changed_source_makes_the_index_stale(library: Library) -> None:
    assert "sources" in library.status([FOOD]).why_stale
    more = Source("pets", "Pets", PETS.text, asked=(Asked("who sleeps?", (Span(0, 4),)),))
    assert library.status([more]).stale
    assert not library.status().stale


def test_another_encoder_is_refused_with_the_way_out(library: Library) -> None:
    other = Library(library.folder, HashEncoder("other"))
    assert "encoder" in other.status([PETS]).why_stale
    with pytest.raises(LibraryError, match=r"built with hash .* this is other .*rehearsal index"):
        other.search("cats")
    other.build([PETS])
    assert other.search("cats")


def test_a_second_writer_is_told_so_and_the_index_stays_in_use(library: Library) -> None:
    with (library.folder / "writer.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(IndexBusy, match="try again"):
            library.build([FOOD])
        assert texts(library, "cats")[0] == "Cats sleep all day."
    library.build([FOOD])
    assert texts(library, "soup")[0] == "Soup is best hot."


def test_a_reader_sees_what_another_process_wrote(library: Library) -> None:
    assert "Soup is best hot." not in texts(library, "soup")
    script = (
        "import sys; from pathlib import Path; from knowledge.library import Library;"
        "from tests.hashing import HashEncoder; from tests.test_library import FOOD, PETS;"
        "Library(Path(sys.argv[1]), HashEncoder()).build([PETS, FOOD])"
    )
    subprocess.run([sys.executable, "-c", script, str(library.folder)], check=True)
    assert texts(library, "hot soup")[0] == "Soup is best hot."
    assert library.search("hot soup", how="vectors")[0].passage.text == "Soup is best hot."


def test_a_build_killed_half_way_leaves_the_old_index_whole(library: Library) -> None:
    script = (
        "import os, sys; from pathlib import Path; from knowledge.library import Library;"
        "from tests.hashing import HashEncoder; from tests.test_library import FOOD;"
        "Library(Path(sys.argv[1]), HashEncoder()).build([FOOD], lambda a, b: os._exit(9))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(library.folder)], check=False)
    assert done.returncode == 9
    left = {p.name for p in (library.folder / "indexes").iterdir()}
    assert len(left) == 2
    assert texts(library, "cats")[0] == "Cats sleep all day."
    library.build([PETS])
    now = {p.name for p in (library.folder / "indexes").iterdir()}
    current = (library.folder / "current").read_text().split()
    assert now == set(current)


def test_old_indexes_do_not_pile_up(library: Library) -> None:
    for _ in range(4):
        library.build([PETS])
    assert len(list((library.folder / "indexes").iterdir())) <= 3


def test_an_encoder_that_fails_leaves_the_old_index(library: Library) -> None:
    class Broken(HashEncoder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            raise OSError("no space left on device")

    with pytest.raises(LibraryError, match="The old one is unchanged"):
        Library(library.folder, Broken()).build([FOOD])
    assert texts(library, "cats")[0] == "Cats sleep all day."


def test_a_damaged_index_is_said_to_be_damaged(library: Library) -> None:
    library.close()
    name = (library.folder / "current").read_text().split()[0]
    (library.folder / "indexes" / name / "words.sqlite3").write_bytes(b"not a database" * 100)
    assert library.status([PETS]).why_stale == "the index cannot be read"
    with pytest.raises(LibraryError, match="cannot be read"):
        library.search("cats")
    library.build([PETS])
    assert texts(library, "cats")[0] == "Cats sleep all day."


def test_unchanged_texts_are_not_encoded_again(library: Library) -> None:
    encoder = HashEncoder()
    again = Library(library.folder, encoder)
    again.build([PETS, FOOD])
    assert not any("Cats" in text for text in encoder.encoded)
    assert any("Soup" in text for text in encoder.encoded)
    assert [s.text for s in again.sources()] == [PETS.text, FOOD.text]


def test_sources_are_added_replaced_and_removed(library: Library) -> None:
    library.add(FOOD)
    library.add(Source("pets", "Pets", "Parrots talk."))
    assert [s.id for s in library.sources()] == ["food", "pets"]
    assert texts(library, "parrots")[0] == "Parrots talk."
    assert "Cats sleep all day." not in texts(library, "cats")
    library.remove("pets")
    assert [s.id for s in library.sources()] == ["food"]


def test_sources_that_cannot_be_kept_are_refused(library: Library) -> None:
    for bad in ([PETS, PETS], [Source("n", "N", "nul \0")], [Source("s", "S", "half \ud800")]):
        with pytest.raises(SourceError, match="not changed"):
            library.build(bad)
    assert texts(library, "cats")[0] == "Cats sleep all day."


def test_an_empty_library_finds_nothing(tmp_path: Path) -> None:
    library = Library.open_or_build(tmp_path, HashEncoder(), [Source("e", "Empty", "")])
    assert library.search("anything") == []


def test_a_written_question_finds_its_passage(tmp_path: Path) -> None:
    asked = Asked("zebra quagga okapi", (Span(21, 25),))
    source = Source("pets", "Pets", PETS.text, asked=(asked,))
    library = Library.open_or_build(tmp_path, HashEncoder(), [source])
    assert texts(library, "zebra quagga okapi")[0] == "Dogs bark at the postman."


@pytest.mark.parametrize("query", ['" OR 1', "NEAR(a b)", "*", "x AND", "", "col:val", "don't"])
def test_a_query_is_words_and_never_an_operator(library: Library, query: str) -> None:
    library.search(query)


def test_fusion_is_reciprocal_rank() -> None:
    assert fuse(["a", "b"], ["b"]) == {"a": 1 / 61, "b": 1 / 62 + 1 / 61}


def test_written_questions_must_quote_exactly(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("Some words.", "utf-8")
    (tmp_path / "q.yaml").write_text("said: [{words: Other words, asked: [what]}]", "utf-8")
    with pytest.raises(SourceError, match="not an exact run"):
        read_source(tmp_path / "t.txt", tmp_path / "q.yaml")


def test_the_article_is_stored_byte_for_byte_with_its_questions() -> None:
    source = article()
    assert source.title.startswith("The Manager to Executive Transition")
    assert len(source.text.encode()) == 9273
    assert len(source.asked) > 500 and len(source.not_said) > 300


def test_stems_and_spellings() -> None:
    assert stems("Executives leading") == stems("executive lead")
    vocabulary = {"executive", "manager", "trust", "thrust"}
    assert nearest_spelling("exectuive", vocabulary) == "executive"
    assert nearest_spelling("manger", vocabulary) == "manager"
    assert nearest_spelling("banana", vocabulary) is None
    assert match_query("what is it") == ""


def test_importing_the_library_loads_no_heavy_module() -> None:
    script = (
        "import sys, knowledge.library, knowledge.answer;"
        "print([m for m in ('chromadb', 'langchain_core', 'onnxruntime') if m in sys.modules])"
    )
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env
    )
    assert done.stdout.strip() == "[]"


def test_langchain_can_retrieve_and_embed(library: Library) -> None:
    retriever = FusedRetriever(library=library, k=1)
    (found,) = retriever.invoke("barking dogs")
    assert found.page_content == "Dogs bark at the postman."
    start, end = found.metadata["start"], found.metadata["end"]
    assert PETS.text[start:end] == found.page_content
    embeddings = MiniLMEmbeddings(HashEncoder())
    assert embeddings.embed_query("cats") == embeddings.embed_documents(["dogs", "cats"])[1]


def test_langchain_embeddings_use_the_shipped_encoder() -> None:
    assert len(MiniLMEmbeddings().embed_query("a promise")) == 384
