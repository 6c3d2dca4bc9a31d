"""Wrong commands: each ends in exit code 2 and one line that begins with `probing:`, and writes nothing."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from probing.cli import main as cli
from probing.config.choices import groups

pytestmark = pytest.mark.slow

REFERENCES = ("a${b", "${nope}", "${nope:1}", "${oc.env:NO_SUCH_VARIABLE}", "${oc.decode:[}")
REFERRING = ("paths.root", "hydra.run.dir", "model.name", "model.label")
NUMBERS = ("nan", "-inf", "1e400", "-5", "abc", "true", "[]", "1,2")
COUNTED = ("seed", "task.limit")

WORDS = """
overwrite=sometimes
overwrite=
overwrite=null
overwrite=1
overwrite=a=b
figure.order=best
figure.order=null
figure=3
pooling.how=median
pooling.how=false
baseline.kind=nothing
baseline.by=letters
granularity.unit=heads
granularity.layers=3
granularity.layers=[]
granularity.layers=[a]
granularity.layers=[1.5]
granularity.layers=[-2]
granularity.n=[0]
granularity.n=[]
task.balance=3
task.balance=null
task.limit=many
task.metric=points
task.kind=no_such_kind
task.n_train=1
task=table task.classes=x
task=table task.classes=[,a]
task=table task.low=3 task.high=2
task=table task.shares=[1,2]
task=table task.kind=null
task=table task.selection=best
task=treebank/tense
task=treebank/tense task.path=
task=treebank/upos task.label=words
task=glue/cola task.config=colas
model=hf
model=hf model.name=
model=hf model.name=null
model=hf model.name=no/such/folder/at/all
model=hf model.name=./nowhere
model=hf model.name=~no_such_user/model
model.pretrained=maybe
model.trust_remote_code=maybe
extract.device=tpu9
extract.device=meta
extract.device=
extract.dtype=int8
extract.threads=0
extract.threads=100000000
extract.max_length=3
probe.l2=[a]
probe.l2=[]
probe.l2=[0]
probe.l2=[nan]
probe.l2=[1,1]
probe.l2=1
probe=sklearn probe.solver=abc
probe=sklearn probe.tolerance=0
probe=mlp probe.nhid=0
probe=mlp probe.dropout=1
probe=senteval probe.scores=[3,2]
probe=senteval probe.optimizer=adamw
analysis=gates analysis.lambdas=[]
analysis=gates analysis.lambdas=[-1]
analysis=gates analysis.rate=0
analysis=masking analysis.rankings=[worst]
analysis=masking analysis.step=0
analysis=prune analysis.share=2
analysis=prune analysis.rounds=0
analysis=importance analysis.part=0
analysis=ablation analysis.kinds=[]
analysis=ablation analysis.how=twice
objective=lm objective.share=1
probe._target_=x
probe._target_=os.path
probe._target_=
probe._target_=..
probe._target_=probing.datasets.table.TableTask
task._target_=probing.probes.logistic.Logistic
task._target_=pathlib.Path
analysis._target_=probing.config.run_config.PathsConfig
objective._target_=3
~probe._target_
paths.root=file
paths.root=file/below
paths.root=
paths.root=null
paths.root=[${nope}]
hydra=null
~hydra
~hydra.run
~hydra.run.dir
hydra.run=null
hydra.run.dir=null
hydra.run.dir=file/below
hydra.searchpath=3
hydra.job.chdir=maybe
hydra.mode=x
hydra.nope=3
hydra.sweeper.params=3
hydra.sweeper.params={a:b}
+hydra.sweeper.params.nope=3
hydra/launcher=nope
hydra/sweeper=nope
task
a.b
=x
==
~
~nope
~task=x
task.=x
.task=x
task@x=grammar/tense
+task=grammar/tense
++task=nope
+foo=1
+overwrit=always
nope=1
task=null
task={a:b}
task=[grammar/tense,grammar/depth]
'seed="'
'seed=[1'
'seed=(1)'
'seed=a b'
seed=a=b
'task=[a'
task.path=a.csv
task=table task.path=a,b.csv
task=table task.path=glob(*)
task=table task.text=a,b
task=table task.path=choice(a,b)
model=minilm,hf
model.name=x,y
model.name=glob(*)
task=grammar/tense,grammar/depth
task=glob(grammar/*)
seed=range(1,3)
seed=choice(1,2)
seed=interval(1,2)
experiment=anatomy
experiment=uses
-m task=glob(nope*)
-m task=glob()
-m 'task=glob('
-m task=glob(3)
-m task=glob([a,b])
-m task=table task.path=glob(*)
-m task=table task.path=a,
-m task=table task.classes=[a],[,b]
-m model.name=glob(nowhere/*)
-m model.name=glob(nowhere=1/*)
-m task=grammar/tense,nope
-m nope=1,2
-m +nope=1,2
-m seed=a,b
-m seed=1..3
-m seed=[1,2],[3]
-m 'seed=choice(1'
-m seed=choice()
-m seed=range(1,2,3,4)
-m seed=interval(1,3)
-m seed=sort(1,a)
-m task.n_train=-1,0
-m task@x=grammar/tense,grammar/depth
-m experiment=nope
-m experiment=anatomy,glue
-m hydra.sweep.dir=file/x seed=1,2
-m hydra.sweep.dir=null seed=1,2
-m hydra.sweep=null seed=1,2
-m hydra.sweeper.max_batch_size=0 seed=1,2
-m hydra.sweeper._target_=x seed=1,2
-m hydra.launcher._target_=x seed=1,2
-m ~hydra.sweep seed=1,2
-m 'hydra.sweep.dir=a${b' seed=1,2
-m 'hydra.sweep.dir=${nope}' seed=1,2
-m 'hydra.sweep.subdir=${nope}' seed=1,2
-m 'paths.root=a${b' seed=1,2
-m 'paths.root=${nope}' seed=1,2
-m 'model.label=${nope}' seed=1,2
-m 'seed=${nope},2'
--bogus
-x
--cfg seed=a=b
--cfg draw
--cfg 'paths.root=${nope}'
draw nothing
draw grids root=nowhere
draw grid
draw grid task
draw grid =x
draw grid task=
draw grid task=a task=b
draw grid paths.root=nowhere
draw grid paths.root=file
draw grid paths.root=null
draw grid paths.root=empty
draw grid root=empty paths.root=empty
draw grid 'paths.root=a${b'
draw grid 'paths.root=${nope}'
draw grid "paths.root='no where'"
draw grid paths.root=~no_such_user/out
draw grid by=task paths.root=empty
draw masking value=test paths.root=empty
draw profiles order=score paths.root=empty
agree
agree task
agree paths.root=nowhere
agree paths.root=file
agree paths.root=empty
agree 'paths.root=${nope}'
agree root=empty paths.root=empty
agree task=a task=b
report
report nowhere
report file
report a b
report nowhere out=x.html
report nope=1
report paths.root=nowhere
report paths.root=null
report 'paths.root=${oc.env:NO_SUCH_VARIABLE}'
report empty paths.root=empty
report root=empty paths.root=empty
report paths.root=empty out=empty
report paths.root=empty out=
"""


def commands() -> list[list[str]]:
    """Every wrong command, as the shell would hand it over."""
    made = [shlex.split(line) for line in WORDS.strip().splitlines()]
    for group in groups():
        made += [
            [f"{group}=nope"], [f"{group}=a,b"], [f"{group}=1e5"], [f"{group}.nope=1"], [f"+{group}.nope=1"],
        ]  # fmt: skip
    made += [[f"~{group}"] for group in groups() if group not in {"experiment", "paths"}]
    made += [[f"{key}={value}"] for key in REFERRING for value in REFERENCES]
    made += [[f"{key}={value}"] for key in COUNTED for value in NUMBERS]
    return made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file, and with a folder that has nothing in it."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "file").write_text("no folder")
    (folder / "empty").mkdir()
    return folder


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len({tuple(command) for command in commands()}) >= 300


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_a_wrong_command_is_one_line_and_writes_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    monkeypatch.chdir(place)
    assert cli.main(command) == cli.MISTAKE
    complaint = capsys.readouterr().err
    assert complaint.startswith("probing: ")
    assert complaint.count("\n") == 1
    assert sorted(path.name for path in place.rglob("*")) == ["empty", "file"]
