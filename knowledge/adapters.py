"""The encoder and the library as LangChain parts, for those who build on them.

`MiniLMEmbeddings` goes wherever LangChain takes `Embeddings`; `FusedRetriever` is a runnable that
gives documents for a question. Nothing else in the product imports LangChain through here.
"""

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from agent.encoder import default_encoder
from knowledge.library import Hit, How, Library
from knowledge.vectors import Encoder


class MiniLMEmbeddings(Embeddings):
    """The product's sentence encoder: local, no download, vectors of length 1."""

    def __init__(self, encoder: Encoder | None = None) -> None:
        """Use an encoder; the product's own when none is given."""
        self._encoder = encoder or default_encoder()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector for each text."""
        vectors: list[list[float]] = self._encoder.encode(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of one text."""
        return self.embed_documents([text])[0]


class FusedRetriever(BaseRetriever):
    """Passages of a library for a query, by vectors and words fused; best first.

    Each document's metadata is what a citation needs: `source`, `heading`, `start` and `end`
    (offsets into the stored source), and the search's `score`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    library: Library
    k: int = 5
    how: How = "fused"

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [document(hit) for hit in self.library.search(query, self.k, self.how)]


def document(hit: Hit) -> Document:
    """Return a hit as a LangChain document."""
    passage = hit.passage
    metadata = {
        "source": passage.source,
        "heading": passage.heading,
        "start": passage.start,
        "end": passage.end,
        "score": hit.score,
    }
    return Document(id=passage.id, page_content=passage.text, metadata=metadata)
