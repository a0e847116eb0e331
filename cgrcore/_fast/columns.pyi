from typing import Any

from numpy import int32
from numpy.typing import NDArray

def code_texts(texts: Any, codes: NDArray[int32]) -> NDArray[int32]: ...
