"""Training data made, exported and checked: pasts into tables, tables into corpora."""

from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
import orjson
from attrs import asdict, evolve, field, frozen

from adapters.files.datasets import (
    ReadTable,
    Written,
    read_lines,
    read_table,
    write_card,
    write_lines,
    write_table,
)
from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest import data_hash
from apps.wiring.backtest_params import backtest_limits, call_rule, config_of, scoped
from apps.wiring.backtest_past import Hooks, prepared_coin
from apps.wiring.code_version import code_version
from apps.wiring.training_params import collecting_params
from core.backtest.latency import Latency
from core.backtest.prepared import PreparedCoin
from core.context.sensor_values import DataSource
from core.training.card import DataFile, DatasetCard, card_of
from core.training.corpus import CorpusParams, Example, Form, Labels, corpus_of
from core.training.decision_rows import decision_rows
from core.training.leaks import Leak, prompt_leaks, table_leaks
from core.training.prompts import ScoreShown
from core.training.schema import COLUMNS, DTYPES, VERSION, Table
from core.training.splits import SplitParams
from core.usecases.collect_training import Collecting, collect
from ports.errors import StoreDamaged

CARD = ".card.json"
_STEM = "training_candidates_"
_KINDS: Mapping[str, type[np.generic]] = {each.name: DTYPES[each.kind] for each in COLUMNS}


@frozen(kw_only=True)
class CollectRequest:
    """Where a data set is written, of every how many snapshots, and how it is split."""

    folder: Path
    every: int = 1
    splits: SplitParams = field(factory=SplitParams)


@frozen(kw_only=True)
class ExportRequest:
    """What is made of the rows in *source*; None of style or coin is every one."""

    source: Path
    folder: Path
    labels: tuple[Labels, ...] = tuple(Labels)
    score: ScoreShown = ScoreShown.SHOWN
    skips_per_sell: float = 1.0
    exit_style: str | None = None
    underlying: str | None = None
    seed: int = 7


@frozen(kw_only=True)
class Exported:
    """What an export wrote, or the leaks for which it wrote nothing."""

    leaks: tuple[Leak, ...] = ()
    malformed: tuple[str, ...] = ()
    card: DatasetCard | None = None


async def collect_coin(
    settings: Settings, coin: Coin, request: CollectRequest, hooks: Hooks
) -> DatasetCard:
    """
    Write the training rows of *coin* over the past that *settings* name: Parquet, CSV, card.

    Raises:
        PortError: There is no such past.

        ValueError, StoreUnwritable: As collect_prepared.
    """
    prepared = await prepared_coin(settings, coin, hooks)
    return collect_prepared(settings, coin, prepared, request, hooks)


def collect_prepared(
    settings: Settings, coin: Coin, prepared: PreparedCoin, request: CollectRequest, hooks: Hooks
) -> DatasetCard:
    """
    The same over a past of *coin* that is ready.

    Raises:
        ValueError: The limits hold something that only the tick works out.

        StoreUnwritable: A file cannot be written.
    """
    settings = scoped(settings, coin)
    given = settings.backtest
    collected = collect(
        prepared,
        Collecting(
            params=collecting_params(settings),
            rules=tuple(call_rule(settings, style) for style in given.backtest_exit_styles),
            limits=backtest_limits(settings, coin),
            splits=request.splits,
            source=_source(settings),
            latency=Latency(given.backtest_latency).snapshots,
            every=request.every,
        ),
        lambda done, total: hooks.watch(f"{coin} decisions", done, total),
    )
    notes = [f"{each.at:%Y-%m-%d %H:%M} {each.reason}" for each in prepared.omissions]
    if not collected.boundaries.is_split:
        notes.append("too short a time to split: all of it is training")
    card = card_of(
        collected.table,
        request.splits.embargo_days,
        _made_from(settings, coin, prepared, request),
        tuple(notes),
    )
    return _write_rows(collected.table, card, request.folder)


def export_corpora(request: ExportRequest) -> Exported:
    """
    Write the conversations that *request* asks for; nothing at all if there is a leak.

    Raises:
        StoreDamaged: The rows cannot be read.

        StoreUnwritable: A file cannot be written.
    """
    read = _read(request.source)
    table = Table(read.columns)
    leaks = table_leaks(table)
    if leaks:
        return Exported(leaks=leaks, malformed=read.malformed)
    table = _chosen(table, request)
    corpora = _corpora(table, request)
    leaks = tuple(leak for name, each in corpora.items() for leak in prompt_leaks(name, each))
    if leaks:
        return Exported(leaks=leaks, malformed=read.malformed)
    files = []
    for name, examples in corpora.items():
        written = write_lines(request.folder / name, (each.messages for each in examples))
        files.append(_file(written, len(examples)))
    card = evolve(
        card_of(table, 0.0, _exported_from(request), tuple(read.malformed)), files=tuple(files)
    )
    write_card(request.folder / f"{request.source.stem}_corpora{CARD}", asdict(card))
    return Exported(malformed=read.malformed, card=card)


def leaks_in(path: Path) -> tuple[Leak, ...]:
    """
    The leaks of the rows or conversations in *path*, or of all such files in that folder.

    Raises:
        StoreDamaged: There are none, or one cannot be read.
    """
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if _is_ours(each))
        if not files:
            raise StoreDamaged(f"{path} holds no training rows and no corpora")
        return tuple(leak for each in files for leak in leaks_in(each))
    if path.suffix == ".jsonl":
        return prompt_leaks(path.name, [_example(path, each) for each in read_lines(path)])
    return table_leaks(Table(_read(path).columns))


def _is_ours(path: Path) -> bool:
    return path.suffix == ".jsonl" or (
        path.name.startswith(_STEM) and path.suffix in (".parquet", ".csv")
    )


def _example(path: Path, record: object) -> Example:
    try:
        system, user, answer = (each["content"] for each in record["messages"])  # type: ignore[index]
        return Example(str(system), str(user), str(answer))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreDamaged(f"{path}: a line is no conversation of three messages") from error


def _read(path: Path) -> ReadTable:
    read = read_table(path, _KINDS, VERSION)
    if "decision_ms" not in read.columns or not len(read.columns["decision_ms"]):
        raise StoreDamaged(f"{path} holds no training rows")
    return read


def _chosen(table: Table, request: ExportRequest) -> Table:
    mask = np.ones(len(table), dtype=np.bool_)
    for name in ("exit_style", "underlying"):
        wanted = getattr(request, name)
        if wanted is not None:
            mask &= table[name] == wanted
    if not mask.any():
        raise StoreDamaged(
            f"{request.source} has no row of {request.exit_style or 'any style'} and "
            f"{request.underlying or 'any coin'}"
        )
    return table.where(mask)


def _corpora(table: Table, request: ExportRequest) -> dict[str, tuple[Example, ...]]:
    """The conversations by the file they go to; empty ones are left out."""
    found: dict[str, tuple[Example, ...]] = {}
    mask = "" if request.score is ScoreShown.SHOWN else "_score_masked"
    for style in np.unique(table["exit_style"]).tolist():
        rows = table.where(table["exit_style"] == style)
        for labels in request.labels:
            for form in Form:
                params = CorpusParams(
                    form=form,
                    labels=labels,
                    score=request.score,
                    skips_per_sell=request.skips_per_sell,
                    seed=request.seed,
                )
                for part, examples in corpus_of(rows, params).items():
                    stem = f"{request.source.stem}_{style}_{labels}{mask}_{part}"
                    if examples:
                        found[f"{stem}_{form}.jsonl"] = examples
    return found


def _write_rows(table: Table, card: DatasetCard, folder: Path) -> DatasetCard:
    days = f"{card.first[:10]}_{card.last[:10]}".replace("-", "")
    stem = f"{card.underlying}_{days}_{card.made_from['hash']}"
    decisions = decision_rows(table)
    files = []
    for name, rows in ((_STEM, table), ("training_dataset_", decisions)):
        for suffix in (".parquet", ".csv"):
            written = write_table(folder / f"{name}{stem}{suffix}", rows.columns, VERSION)
            files.append(_file(written, len(rows)))
    done = evolve(card, files=tuple(files))
    write_card(folder / f"{_STEM}{stem}{CARD}", asdict(done))
    return done


def _file(written: Written, rows: int) -> DataFile:
    return DataFile(
        name=written.name, rows=rows, size_bytes=written.size_bytes, sha256=written.sha256
    )


def _source(settings: Settings) -> DataSource:
    return DataSource.RECORDED if settings.venue.market == "replay" else DataSource.SYNTHETIC


def _made_from(
    settings: Settings, coin: Coin, prepared: PreparedCoin, request: CollectRequest
) -> dict[str, str]:
    config = dict(config_of(settings, coin)) | {
        "policy": str(collecting_params(settings)),
        "every": request.every,
        "splits": str(request.splits),
        "chains": data_hash(prepared),
    }
    text = orjson.dumps(config, option=orjson.OPT_SORT_KEYS)
    return {
        "hash": sha256(text).hexdigest()[:8],
        "program": version("options-agent"),
        "code": code_version(),
        "market": settings.venue.market,
        "seed": str(settings.venue.seed),
        **{name: str(value) for name, value in config.items()},
    }


def _exported_from(request: ExportRequest) -> dict[str, str]:
    return {
        "rows": request.source.name,
        "program": version("options-agent"),
        "labels": ", ".join(request.labels),
        "score": request.score,
        "skips_per_sell": f"{request.skips_per_sell:g}",
        "seed": str(request.seed),
    }
