"""A mapping says how columns are called, and what is wrong with it."""

import re
from pathlib import Path

import pytest
from cgrserver.rerating.mapping import Mapping, read_mapping

from cgrcore.errors import CgrError
from tests.rerating.calls import run
from tests.rerating.test_formats import read


def mapping_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    return path


def test_columns_constants_units_and_layout(plan: Path, tmp_path: Path) -> None:
    mapping = mapping_of(
        tmp_path,
        """
        timezone = "Europe/Rome"

        [columns]
        Account = "who"
        Destination = "b number"
        AnswerTime = "at"
        Usage = "seconds"
        Cost = "new cost"
        Error = "why"

        [constants]
        Tenant = "cgrates.org"
        Category = "call"

        [units]
        Usage = "s"

        [csv]
        delimiter = ";"
        header = false
        columns = ["who", "b number", "at", "seconds"]
        encoding = "latin-1"
        """,
    )
    (tmp_path / "in.txt").write_bytes(
        "ü1001;4930;02.03.2026 11:00:00;60\n1002;44;02.03.2026 11:00:00;60\n".encode("latin-1")
    )
    run(plan, tmp_path / "in.txt", output=tmp_path / "out.parquet", mapping=mapping)
    rows = read(tmp_path / "out.parquet")
    assert rows[0] == {
        "who": "ü1001",
        "b number": "4930",
        "at": "02.03.2026 11:00:00",
        "seconds": "60",
        "new cost": "0.060000000",
        "DestinationID": "DST_DE",
        "RatingPlanID": "RP",
        "why": "",
    }
    assert rows[1]["why"] == "UNAUTHORIZED_DESTINATION"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[columns]\nAccount = \n", r"mapping\.toml:2:\d+: "),
        ("[columns]\nAcount = 'a'\n", "columns has no field 'Acount'; did you mean 'Account'?"),
        ("[columnz]\n", "there is no section 'columnz'; did you mean 'columns'?"),
        ("[columns]\nAccount = 3\n", "Expected `str`, got `int`"),
        ("[units]\nUsage = 'weeks'\n", "units: Usage is in 'weeks', which is none of ns, us, ms, s, m"),
        ("[csv]\nheader = false\n", "without a header, columns must name what is in a line"),
        ("[csv]\ndelimiter = '::'\n", "the delimiter is one character"),
        ("[csv]\nencoding = 'klingon'\n", "klingon"),
        ("timezone = 'Mars/Olympus'\n", "unknown time zone Mars/Olympus"),
    ],
)
def test_a_mistake_in_a_mapping_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CgrError) as error:
        read_mapping(mapping_of(tmp_path, text))
    assert str(error.value).startswith(str(tmp_path / "mapping.toml"))
    assert re.search(sentence.replace("?", r"\?"), str(error.value))


def test_a_column_that_is_not_there_is_told(plan: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("Account,Destination,AnswerTime,Usage\n")
    mapping = mapping_of(tmp_path, "[columns]\nUsage = 'duration'\n")
    with pytest.raises(CgrError, match=r"in\.csv: there is no column 'duration', which the mapping names for Usage"):
        run(plan, tmp_path / "in.csv", output=tmp_path / "out.csv", mapping=mapping)


def test_the_columns_of_the_server_s_table_need_no_mapping() -> None:
    names = ["tenant", "account", "destination", "answer_at", "answer_offset_s", "usage_ns"]
    mapping = Mapping()
    assert mapping.missing(names) == ""
    assert mapping.column_of("AnswerTime", names) == "answer_at"
