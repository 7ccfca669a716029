"""Projector and Profile: the source's own files, as stock TensorBoard shows them, and none but those."""

from __future__ import annotations

import os
import shutil
import socket
import string
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from tensorboard.backend import application
from tensorboard.plugins.core import core_plugin
from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
from werkzeug.test import TestResponse

from boardlake.api.service import Service
from boardlake.api.tensorboard import embeddings, projector
from boardlake.cli.main import main
from boardlake.core.settings import SourceSettings
from boardlake.ingest.fetched import Fetched
from boardlake.lake.database import open_lake
from boardlake.lake.location import locate
from boardlake.state.store import open_state
from boardlake.tests.servers import moto
from boardlake.web.app import create_app

from .asked import Board
from .embedded import (
    CAPTURE,
    CONFIG,
    add_embedding,
    capture,
    events,
    rows,
    tsv,
    visualize_embeddings,
)
from .stock import python_loader

AT = "/data/plugin/projector"
SECRET = "1.5\t2.5\nonly for those who may\n"


class House:
    """A directory of logs, its lake, and TensorBoard on selections of it."""

    def __init__(self, root: Path) -> None:
        self.logs, self.lake = root / "logs", root / "lake"
        self.services: list[Service] = []

    def run(self, path: str) -> Path:
        """The directory of a new run."""
        events(self.logs / path)
        return self.logs / path

    def board(self, query: str = "") -> Board:
        """TensorBoard on what a filter finds, once all is read anew."""
        assert main(["--lake", str(self.lake), "ingest", str(self.logs)]) == 0
        return self.open(query)

    def open(self, *queries: str, reach: Fetched | None = None) -> Any:
        """TensorBoard on what each filter finds, by a server that has a way to sources."""
        state = open_state(self.lake.parent)
        self.services.append(Service(open_lake(locate(str(self.lake))), state, reach))
        client = create_app(self.services[-1]).test_client()
        boards = []
        for query in queries:
            answer = client.post("/api/v1/tensorboard", json={"filter": query})
            assert answer.status_code == 201, answer.text
            boards.append(Board(client, answer.json["url"].rstrip("/")))
        return boards[0] if len(boards) == 1 else boards


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty directory of logs."""
    made = House(tmp_path)
    yield made
    for service in made.services:
        service.close()


def stock(logs: Path) -> Board:
    """Stock TensorBoard's projector over a directory."""
    provider = python_loader(logs).app._data_provider
    flags = SimpleNamespace(
        logdir=str(logs), logdir_spec="", path_prefix="", window_title="", samples_per_plugin={}
    )
    plugins = [core_plugin.CorePluginLoader(include_debug_info=False), ProjectorPlugin]
    return Board(
        application.TensorBoardWSGIApp(
            flags=flags, plugins=plugins, data_provider=provider, assets_zip_provider=None
        )
    )


def everything(board: Board) -> dict[tuple[str, ...], tuple[int, str, bytes]]:
    """What each route of the projector says for each argument that a page may send, and others."""
    runs = board.get(f"{AT}/runs")
    asked: list[tuple[str, dict[str, str]]] = [(route, {}) for route in ("info", *ROUTES)]
    for run in sorted(runs):
        asked.append(("info", {"run": run}))
        asked += [(route, {"run": run}) for route in ROUTES]
        for one in board.get(f"{AT}/info", run=run)["embeddings"]:
            for route in ROUTES:
                given = {"run": run, "name": one["tensorName"]}
                counts = ("", "3", "1000000", "0", "-1", "x") if route in COUNTED else ("",)
                asked += [(route, given | ({"num_rows": n} if n else {})) for n in counts]
    asked += [(route, {"run": "nobody", "name": "x"}) for route in ("info", *ROUTES)]
    asked += [(route, {"run": runs[0], "name": "nobody"}) for route in ROUTES]
    found = {("runs",): (200, "", repr(sorted(runs)).encode())}
    for route, given in asked:
        answer = board.send(f"{AT}/{route}", query_string=given)
        # Both say in words of their own what is wrong.
        data = answer.data if answer.status_code == 200 else b""
        found[route, *map(str, sorted(given.items()))] = answer.status_code, answer.mimetype, data
    return found


ROUTES = ("tensor", "metadata", "bookmarks", "sprite_image")
COUNTED = ("tensor", "metadata")


def test_every_route_answers_as_stock_does(house: House) -> None:
    """Configs, vectors, labels, sprites and bookmarks of each way to write them."""
    torch, plain = house.run("torch"), house.run("deep/plain")
    house.run("nothing")
    add_embedding(torch, 0)
    add_embedding(torch, 100, "some%%2ftag", header=True)
    visualize_embeddings(house.run("flow/train"))
    add_embedding(house.run("both"), 5)
    visualize_embeddings(house.logs / "both")
    # Lines without end, blank lines, one column, and a path that is whole.
    (plain / "t.tsv").write_text("1\n\n-2e-3\n\ninf\n0.1", "utf-8")
    (plain / "empty.tsv").write_text("", "utf-8")
    (plain / CONFIG).write_text(
        f'embeddings {{ tensor_path: "{plain}/t.tsv" metadata_path: "empty.tsv" }}\n'
        'embeddings { tensor_name: "gone" tensor_path: "gone.tsv" tensor_shape: [3, 1]'
        ' metadata_path: "gone.tsv" }\n',
        "utf-8",
    )
    theirs = stock(house.logs)
    # What is not there stops TensorBoard's whole plugin: it is put there for it alone.
    (plain / "gone.tsv").write_text("1\n2\n3\n", "utf-8")
    theirs.get(f"{AT}/runs")
    (plain / "gone.tsv").unlink()
    expected = everything(theirs)
    ours = everything(house.board())
    assert ours == expected
    good = [key for key, (status, *_) in ours.items() if status == 200]
    assert {key[0] for key in good} == {"runs", "info", *ROUTES}
    for name in ("projector_binary.html", "projector_binary.js"):
        assert house.open("").send(f"{AT}/{name}").data == theirs.send(f"{AT}/{name}").data


def text(response: TestResponse) -> str:
    """A refusal in words."""
    assert response.status_code == 400, response.status
    assert response.mimetype == "text/plain"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return response.text


OUT = [
    "../secret.tsv",
    "../../secret.tsv",
    "sub/../../secret.tsv",
    "{root}/secret.tsv",
    "/proc/self/environ",
    "link.tsv",
    "folder/secret.tsv",
    "~/secret.tsv",
    "sub",
    ".",
    "pipe",
    "socket",
    "gone.tsv",
    "a\\000b",
    "x" * 5_000,
]


def test_no_path_leads_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a path nor a link, nor what is no ordinary file, is read by any route."""
    run = house.run("a/run")
    root = house.logs.parent
    monkeypatch.setenv("HOME", str(root))
    for place in (root, house.logs, house.logs / "a"):
        (place / "secret.tsv").write_text(SECRET, "utf-8")
    (run / "sub").mkdir()
    (run / "link.tsv").symlink_to(root / "secret.tsv")
    (run / "folder").symlink_to(house.logs)
    os.mkfifo(run / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(run / "socket"))
    named = [path.replace("{root}", str(root)) for path in OUT]
    (run / CONFIG).write_text(
        "".join(
            f'embeddings {{ tensor_name: "t{i}" tensor_path: "{path}" metadata_path: "{path}"'
            f' bookmarks_path: "{path}" sprite {{ image_path: "{path}" }} }}\n'
            for i, path in enumerate(named)
        ),
        "utf-8",
    )
    board = house.board()
    assert board.get(f"{AT}/runs") == ["run"]
    found = board.get(f"{AT}/info", run="run")["embeddings"]
    assert len(found) == len(OUT) and not any("tensorShape" in one for one in found)
    for i in range(len(OUT)):
        for route in ROUTES:
            said = text(board.send(f"{AT}/{route}", query_string={"run": "run", "name": f"t{i}"}))
            assert "only for" not in said and said, OUT[i]


def test_a_link_within_the_directory_is_followed(house: House) -> None:
    """What lies below the config's own directory may have several names."""
    run = house.run("run")
    (run / "real.tsv").write_text("1\t2\n", "utf-8")
    (run / "link.tsv").symlink_to("real.tsv")
    (run / CONFIG).write_text('embeddings { tensor_name: "t" tensor_path: "link.tsv" }', "utf-8")
    board = house.board()
    answer = board.send(f"{AT}/tensor", query_string={"run": "run", "name": "t"})
    assert answer.status_code == 200 and len(answer.data) == 8


def test_a_config_behind_a_link_out_of_the_source_is_told(house: House) -> None:
    """Nothing of it is read; the page says so."""
    run = house.run("run")
    elsewhere = house.logs.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "t.tsv").write_text("1\t2\n", "utf-8")
    (elsewhere / CONFIG).write_text('embeddings { tensor_name: "t" tensor_path: "t.tsv" }', "utf-8")
    (run / CONFIG).symlink_to(elsewhere / CONFIG)
    board = house.board()
    assert board.get(f"{AT}/runs") == []
    (told,) = board.get(f"{AT}/where")["files"]
    assert "leads out of the source" in told["why"]
    assert told["uri"] == str(run / CONFIG)
    text(board.send(f"{AT}/info", query_string={"run": "run"}))


def test_what_is_too_large_is_refused(house: House) -> None:
    """A tensor of 2 GB, told with its size and what to do; nothing of it is read."""
    run = house.run("run")
    for name, size in (("t.tsv", 2 << 30), ("m.tsv", 1 << 30), ("s.png", 1 << 30)):
        with (run / name).open("wb") as file:
            file.write(b"1\t2\n")
            file.truncate(size)
    (run / CONFIG).write_text(
        'embeddings { tensor_name: "t" tensor_path: "t.tsv" metadata_path: "m.tsv"'
        ' bookmarks_path: "m.tsv" sprite { image_path: "s.png" } }',
        "utf-8",
    )
    board = house.board()
    assert board.get(f"{AT}/info", run="run")["embeddings"][0]["tensorName"] == "t"
    for route in ROUTES:
        said = text(board.send(f"{AT}/{route}", query_string={"run": "run", "name": "t"}))
        assert " MB" in said and f"tensorboard --logdir where it lies, in {run}" in said


def test_a_config_that_is_too_large_or_damaged_is_told(house: House) -> None:
    """It hides no other run's."""
    add_embedding(house.run("good"), 0)
    (house.run("large") / CONFIG).write_text("#" * (2 << 20), "utf-8")
    (house.run("damaged") / CONFIG).write_text("embeddings { tensor_path: ", "utf-8")
    (house.run("binary") / CONFIG).write_bytes(b"\xff\xfe\x00")
    (house.run("empty") / CONFIG).write_text("", "utf-8")
    (house.run("many") / CONFIG).write_text('embeddings{tensor_path:"x"}' * 2_000, "utf-8")
    board = house.board()
    assert board.get(f"{AT}/runs") == ["good"]
    why = {one["run"]: one["why"] for one in board.get(f"{AT}/where")["files"]}
    assert why.pop("good") == ""
    assert sorted(why) == ["binary", "damaged", "empty", "large", "many"] and all(why.values())


BAD = {"1\t2\n3\n": "row 2", "1\t2\nthree\t4\n": "row 2", "1,2\n": "row 1"}


def test_tensors_that_are_none(house: House) -> None:
    """A row that does not fit is named, and a shape that binary numbers do not have."""
    run = house.run("run")
    config = ""
    for i, content in enumerate(BAD):
        (run / f"{i}.tsv").write_text(content, "utf-8")
        config += f'embeddings {{ tensor_name: "t{i}" tensor_path: "{i}.tsv" }}\n'
    (run / "t.bytes").write_bytes(bytes(range(256)) * 4)
    for i, shape in enumerate(("", "tensor_shape: 3", "tensor_shape: [1000, 1000]")):
        config += f'embeddings {{ tensor_name: "b{i}" tensor_path: "t.bytes" {shape} }}\n'
    (run / CONFIG).write_text(config, "utf-8")
    board = house.board()

    def said(name: str) -> str:
        return text(board.send(f"{AT}/tensor", query_string={"run": "run", "name": name}))

    for i, words in enumerate(BAD.values()):
        assert words in said(f"t{i}")
    for i in range(3):
        assert "tensor_shape" in said(f"b{i}")


def test_a_tensor_in_a_checkpoint_is_told(house: House) -> None:
    """Only TensorFlow reads it, where it lies."""
    run = house.run("run")
    (run / CONFIG).write_text(
        'model_checkpoint_path: "model.ckpt"\nembeddings { tensor_name: "t" }', "utf-8"
    )
    board = house.board()
    assert board.get(f"{AT}/runs") == stock(house.logs).get(f"{AT}/runs") == ["run"]
    said = text(board.send(f"{AT}/tensor", query_string={"run": "run", "name": "t"}))
    assert "checkpoint" in said and f"--logdir {run}" in said


def test_the_first_rows_of_a_large_tensor() -> None:
    """Only what is asked for is taken apart."""
    text = (tsv(rows(3, 4)) + "nonsense\n").encode()
    assert len(embeddings.vectors(BytesIO(text), [], 3)) == 3 * 4 * 4
    with pytest.raises(embeddings.Unreadable, match="row 4"):
        embeddings.vectors(BytesIO(text), [], None)


@pytest.mark.parametrize("numbers", [1, 3, 250_000])
def test_rows_longer_than_a_read(numbers: int) -> None:
    """They are whole, with and without an end of line behind the last."""
    row = b"\t".join([b"0.5"] * numbers)
    for text in (row, row + b"\n", row + b"\n\n" + row):
        rows = text.count(b"5") // numbers
        assert len(embeddings.vectors(BytesIO(text), [], None)) == rows * numbers * 4


def test_a_row_without_end() -> None:
    """One line of a file may be all of it: its numbers would fill the memory."""
    with pytest.raises(embeddings.Unreadable, match="more than 2 MB"):
        embeddings.vectors(BytesIO(b"1\t" * (4 << 20)), [], 1)


def test_configs_that_take_long(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking into all of them ends; what is wrong with the others is told of the one that is chosen."""
    for name in ("a", "b"):
        (house.run(name) / CONFIG).write_text("nonsense", "utf-8")
    board = house.board()
    assert board.get(f"{AT}/runs") == []
    monkeypatch.setattr(projector, "_PATIENCE_S", 0.0)
    assert board.get(f"{AT}/runs") == ["a", "b"]
    answer = board.send(f"{AT}/info", query_string={"run": "a"})
    assert answer.status_code == 400 and "damaged" in text(answer)


def test_every_embedding_has_a_name(house: House) -> None:
    """Stock names only the first by its file; another without a name could never be chosen."""
    run = house.run("run")
    (run / "a.tsv").write_text("1\t2\n", "utf-8")
    (run / "b.tsv").write_text("3\t4\n", "utf-8")
    (run / CONFIG).write_text(
        'embeddings { tensor_path: "a.tsv" } embeddings { tensor_path: "b.tsv" }', "utf-8"
    )

    def names(board: Board) -> list[str]:
        found = board.get(f"{AT}/info", run="run")["embeddings"]
        return [one.get("tensorName", "") for one in found]

    assert names(stock(house.logs)) == ["a.tsv", ""]
    assert names(house.board()) == ["a.tsv", "b.tsv"]


def test_a_config_that_grows_is_read_again(house: House) -> None:
    """What a run in training adds is there at the next look, without an ingest."""
    run = house.run("run")
    add_embedding(run, 0)
    board = house.board()
    assert len(board.get(f"{AT}/info", run="run")["embeddings"]) == 1
    add_embedding(run, 10)
    assert len(board.get(f"{AT}/info", run="run")["embeddings"]) == 2


def test_names_that_mean_something_in_addresses(house: House) -> None:
    """The front end puts names of runs into addresses as they are."""
    for name in ("a&name=b", "c#d", "e+f", "g%41", "h i", "日本"):
        add_embedding(house.run(name), 0)
    board = house.board()
    runs = board.get(f"{AT}/runs")
    assert len(runs) == 6
    for run in runs:
        assert not set("&#+") & set(run)
        # As a browser sends it.
        asked = f"run={quote(run, safe=string.punctuation)}"
        answer = board.send(f"{AT}/info", query_string=asked)
        assert answer.status_code == 200, (run, answer.text)


def test_selections_do_not_see_each_other(house: House) -> None:
    """Neither configs and captures nor files of another selection's runs, by any route."""
    for name in ("mine", "theirs"):
        run = house.run(name)
        add_embedding(run, 0)
        capture(run, host=name)
    house.board()
    mine, theirs = house.open("name = 'mine'", "name = 'theirs'")
    for board, own in ((mine, "mine"), (theirs, "theirs")):
        assert board.get(f"{AT}/runs") == [own]
        assert {one["run"] for one in board.get(f"{AT}/where")["files"]} == {own}
        files = board.get("/data/plugin/profile/captures")["files"]
        assert {one["host"] for one in files} == {own}
    for route in ("info", *ROUTES):
        given = {"run": "theirs", "name": "default:00000"}
        for headers in ({}, {"Tensorboard-Experiment-Id": theirs.prefix.split("/")[-1]}):
            text(mine.send(f"{AT}/{route}", query_string=given, headers=headers))
    for one in theirs.get("/data/plugin/profile/captures")["files"]:
        assert theirs.send(f"/data/plugin/profile/{one['url']}").status_code == 200
        assert mine.send(f"/data/plugin/profile/{one['url']}").status_code == 404


def test_dashboards_without_files_are_inactive(house: House) -> None:
    """Their tabs are there where a run of the selection has some."""
    add_embedding(house.run("embedded"), 0)
    capture(house.run("profiled"))
    house.run("plain")
    house.board()
    boards = house.open("name = 'embedded'", "name = 'profiled'", "name = 'plain'", "")
    active = [
        {
            name
            for name, told in board.get("/data/plugins_listing").items()
            if told["enabled"] and name in ("projector", "profile")
        }
        for board in boards
    ]
    assert active == [{"projector"}, {"profile"}, set(), {"projector", "profile"}]


def test_captures_are_listed_and_downloaded(house: House) -> None:
    """Run, time, host, size and place; bytes as an attachment that no browser shows."""
    run = house.run("run/train")
    capture(run)
    board = house.board()
    files = {one["file"]: one for one in board.get("/data/plugin/profile/captures")["files"]}
    assert sorted(files) == ["gpu1.trace.json.gz", "gpu1.xplane.pb"]
    one = files["gpu1.xplane.pb"]
    path = run / CAPTURE / "gpu1.xplane.pb"
    assert (one["run"], one["time"], one["host"]) == ("run/train", "2024_05_06_07_08_09", "gpu1")
    assert (one["size"], one["uri"], one["why"]) == (3_000, str(path), "")
    assert one["logdir"] == str(run) and one["machine"] == socket.gethostname()
    answer = board.send(f"/data/plugin/profile/{one['url']}")
    assert answer.status_code == 200 and answer.data == path.read_bytes()
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="gpu1.xplane.pb"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_of_captures_nothing_else_is_opened(house: House) -> None:
    """Only what the lake lists, only below the source's root, only what is still there."""
    run = house.run("run")
    secret = house.logs.parent / "secret.tsv"
    secret.write_text(SECRET, "utf-8")
    capture(run)
    (run / CAPTURE / "linked.xplane.pb").symlink_to(secret)
    (run / CAPTURE / '<b>\n".xplane.pb').write_bytes(b"odd")
    board = house.board()
    files = {one["file"]: one for one in board.get("/data/plugin/profile/captures")["files"]}
    key = files["gpu1.xplane.pb"]["url"].split("&")[0].removeprefix("file?run=")
    assert "leads out of the source" in files["linked.xplane.pb"]["why"]
    assert "url" not in files["linked.xplane.pb"]
    at = "/data/plugin/profile/file"
    for path in (
        f"run/{CAPTURE}/linked.xplane.pb",
        "../secret.tsv",
        f"run/{CAPTURE}/../../../../../secret.tsv",
        str(secret),
        "run/events.out.tfevents.1700000000.host.1.0",
        "",
        f"run/{CAPTURE}/",
        f"run/{CAPTURE}/gpu1.xplane.pb\0",
    ):
        answer = board.send(at, query_string={"run": key, "path": path})
        assert answer.status_code == 404, path
        assert b"only for" not in answer.data
    assert board.send(at).status_code == 404
    odd = next(one for name, one in files.items() if name.startswith("<b>"))
    if "url" in odd:
        disposition = board.send(f"/data/plugin/profile/{odd['url']}").headers[
            "Content-Disposition"
        ]
        assert "\n" not in disposition and disposition.count('"') == 2
    (run / CAPTURE / "gpu1.xplane.pb").unlink()
    (told,) = [
        one
        for one in board.get("/data/plugin/profile/captures")["files"]
        if one["file"] == "gpu1.xplane.pb"
    ]
    assert "No such file" in told["why"] and "url" not in told


@pytest.fixture(scope="session")
def moto_server() -> Iterator[moto.Moto]:
    """Buckets in memory."""
    with moto.moto() as running:
        yield running


@pytest.fixture
def bucket(
    house: House, moto_server: moto.Moto, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], moto.Bucket]:
    """Puts the house's logs into a bucket, and that into its lake, instead of the directory."""

    def make() -> moto.Bucket:
        found = moto_server.bucket("s3", prefix="lab")
        for name, value in found.environ.items():
            monkeypatch.setenv(name, value)
        for path in (path for path in house.logs.rglob("*") if path.is_file()):
            found.put(str(path.relative_to(house.logs)), path.read_bytes())
        ingest(house, found)
        return found

    return make


def test_what_is_out_of_reach_is_told(house: House, bucket: Callable[[], moto.Bucket]) -> None:
    """Of a bucket the page says where its files lie; nothing is asked of it, and nothing drawn."""
    run = house.run("run")
    add_embedding(run, 0)
    capture(run)
    root = bucket().settings()["uri"]
    board = house.open("")
    listing = board.get("/data/plugins_listing")
    assert listing["projector"]["enabled"] and listing["profile"]["enabled"]
    assert board.get(f"{AT}/runs") == []
    (config,) = board.get(f"{AT}/where")["files"]
    assert config["uri"] == f"{root}/run/{CONFIG}"
    assert (config["machine"], config["place"]) == ("cloud", "s3")
    assert "out of this server's reach" in config["why"]
    for route in ("info", *ROUTES):
        given = {"run": "run", "name": "default:00000"}
        assert "out of this server's reach" in text(board.send(f"{AT}/{route}", query_string=given))
    for one in board.get("/data/plugin/profile/captures")["files"]:
        assert one["uri"] == f"{root}/run/{CAPTURE}/{one['file']}"
        assert "out of this server's reach" in one["why"] and "url" not in one


def test_remote_files_are_fetched(house: House, bucket: Callable[[], moto.Bucket]) -> None:
    """A server that is given a way to its sources answers for a bucket as for a directory."""
    torch = house.run("torch")
    add_embedding(torch, 0)
    add_embedding(torch, 100, header=True)
    capture(torch)
    visualize_embeddings(house.run("flow"))
    wild = house.run("wild")
    (wild / CONFIG).write_text(
        "".join(
            f'embeddings {{ tensor_name: "t{i}" tensor_path: "{path}" }}\n'
            for i, path in enumerate(WILD)
        ),
        "utf-8",
    )
    expected = everything(house.board("path <> 'wild'"))
    shutil.rmtree(house.lake)
    made = bucket()
    source = SourceSettings(**{**made.settings(), "machine": "cloud"})
    reach = Fetched({"bucket": source}, str(house.lake.parent))
    board = house.open("path <> 'wild'", reach=reach)
    assert everything(board) == expected
    for one in board.get("/data/plugin/profile/captures")["files"]:
        answer = board.send(f"/data/plugin/profile/{one['url']}")
        assert answer.data == (torch / CAPTURE / one["file"]).read_bytes()
    reach.most = 2_000
    large, small = board.get("/data/plugin/profile/captures")["files"][::-1]
    assert (large["size"], small["size"]) == (3_000, 1_500)
    assert "too large to be fetched" in large["why"] and "url" not in large and "url" in small
    everyone = house.open("", reach=reach)
    for i in range(len(WILD)):
        given = {"run": "wild", "name": f"t{i}"}
        assert "leads out" in text(everyone.send(f"{AT}/tensor", query_string=given)), WILD[i]
    # Of a run that was deleted no copy stays.
    assert reach._copies
    house.services[-1].delete([one["url"].split("&")[0].partition("=")[2] for one in (small,)])
    assert not reach._copies
    assert sorted(everyone.get(f"{AT}/runs")) == ["flow", "wild"]


WILD = ["../torch/00000/default/tensors.tsv", "/torch/x.tsv", "a/../../flow/x", "..", "."]


def ingest(house: House, bucket: moto.Bucket) -> None:
    """Read a bucket into the house's lake, under a config of its own."""
    lines = [f'[lake]\npath = "{house.lake}"', '[sources.bucket]\nmachine = "cloud"']
    lines += [f"{name} = {quoted(value)}" for name, value in bucket.settings().items()]
    config = house.lake.parent / "boardlake.toml"
    config.write_text("\n".join(lines) + "\n", "utf-8")
    assert main(["--config", str(config), "ingest"]) == 0


def quoted(value: object) -> str:
    """A value in TOML."""
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'
