"""A rerating on a real Dask cluster of processes gives what threads give, to the last bit."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest
from cgrserver.rerating.dask import Cluster
from cgrserver.rerating.encoding import as_it_is
from cgrserver.rerating.mapping import BY_DEFAULT
from cgrserver.rerating.rating import Plan, key_of, rater_of
from cgrserver.rerating.reading import open_inputs
from cgrserver.rerating.running import Work
from cgrserver.tariffs import read_folder

from cgrcore.errors import CgrError
from tests.rerating.calls import ROWS, run, write_csv, write_parquet


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, protocol="tcp"
    ) as found:
        yield found


def many(count: int) -> list[dict[str, Any]]:
    return [{**ROWS[place % len(ROWS)], "Usage": f"{place % 4000}s"} for place in range(count)]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_output_is_that_of_threads_bit_for_bit(plan: Path, tmp_path: Path, cluster: Any, suffix: str) -> None:
    rows = many(3000)
    sources = [write_csv(tmp_path / f"{place}.csv", rows[place * 500 : place * 500 + 500]) for place in range(6)]
    alone = run(plan, *sources, output=tmp_path / f"alone.{suffix}", threads=1)
    spread = run(
        plan, *sources, output=tmp_path / f"spread.{suffix}", engine="dask", scheduler=cluster.scheduler_address
    )
    assert spread.printed.splitlines()[:3] == alone.printed.replace("alone", "spread").splitlines()[:3]
    for name in (suffix, f"rejected.{suffix}"):
        assert (tmp_path / f"spread.{name}").read_bytes() == (tmp_path / f"alone.{name}").read_bytes()


def test_the_tariff_is_on_every_worker_and_in_no_task(plan: Path, tmp_path: Path, cluster: Any) -> None:
    (plan / "Destinations.csv").write_text(
        "#Id,Prefix\n" + "".join(f"DST_DE,49{number}\n" for number in range(30_000, 99_000)) + "DST_MOBILE,4915\n"
    )
    travelling = Plan(read_folder(plan))
    inputs = open_inputs([str(write_csv(tmp_path / "in.csv"))], BY_DEFAULT)
    with Cluster(travelling, BY_DEFAULT, address=cluster.scheduler_address) as engine:
        key = key_of(travelling, BY_DEFAULT, False)
        with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
            assert list(client.run(is_here, key).values()) == [True, True]
        work = Work(inputs.schema, as_it_is, as_it_is)
        (piece, _), *_ = inputs.pieces()
        assert len(pickle.dumps((key, work, piece))) < 3000 < len(pickle.dumps(travelling)) // 100
        (done, fraction), *_ = engine.rated(work, inputs.pieces())
        assert (done.row_count, done.rejected_count, fraction) == (4, 1, 1.0)


def is_here(key: bytes) -> bool:
    return rater_of(key) is rater_of(key)


def test_what_is_wrong_with_the_input_is_told_as_by_threads(plan: Path, tmp_path: Path, cluster: Any) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(write_csv(tmp_path / "good").read_bytes().replace(b"4915222", b"49\xfc15"))
    with pytest.raises(CgrError, match=r"in\.csv:3: column Destination is not UTF-8"):
        run(plan, path, output=tmp_path / "out.csv", engine="dask", scheduler=cluster.scheduler_address)


def test_a_scheduler_that_is_not_there_is_one_sentence(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgrserver.rerating.dask.CONNECT_TIMEOUT_S", 1)
    source = write_parquet(tmp_path / "in.parquet")
    with pytest.raises(CgrError, match=r"^Dask: tcp://127\.0\.0\.1:1: "):
        run(plan, source, output=tmp_path / "out.csv", engine="dask", scheduler="tcp://127.0.0.1:1")


def test_without_a_scheduler_a_cluster_of_processes_is_started(plan: Path, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv")
    run(plan, source, output=tmp_path / "alone.csv")
    command = [sys.executable, "-m", "cgrserver.cli", "rerate", "--tariff", str(plan), "--input", str(source)]
    command += ["--output", str(tmp_path / "spread.csv"), "--engine", "dask", "--threads", "2"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "spread.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()
