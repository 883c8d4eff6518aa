#!/usr/bin/env python3
"""Made-up questions in the fields of the data sets of lm-evaluation-harness, and what it makes of them.

    pip install lm_eval==0.4.13 datasets          # from PyPI; nothing else needs them
    Scripts/make_harness_golden.py [FOLDER]       # default: Tests/TritEvaluationTests/Fixtures/harness
    Scripts/make_harness_golden.py /tmp/x --seed 7 --times 4     # other and more records, odder ones, more examples
    TRITLAB_HARNESS_GOLDEN=/tmp/x swift test --filter HarnessGoldenTests     # the same tests on those

Runs the tasks of the installed harness on a model whose log-likelihoods are hashes of the request's
strings, so that a context that differs in one byte has another figure. Writes the data as JSONL, partly
gzip, and `expected.json`: every request, its figure, the metrics of each document, the aggregated results
and the table that the harness prints.

`Tests/TritEvaluationTests/HarnessGoldenTests.swift` asks the same model through TritLab's tasks and wants
the same to the last bit. The aggregates are those of Python below 3.12, whose `sum` adds floats one by one
(later ones compensate, which changes last digits).
"""

import argparse
import gzip
import hashlib
import json
import os
import random
import sys

os.environ["DISABLE_MULTIPROC"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

import datasets
import jinja2
import lm_eval
import lm_eval.api.task
from lm_eval.api.model import LM
from lm_eval.api.registry import get_metric, get_metric_aggregation
from lm_eval.evaluator import evaluate, simple_evaluate
from lm_eval.tasks import TaskManager
from lm_eval.utils import handle_non_serializable, make_table

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "Tests", "TritEvaluationTests", "Fixtures", "harness")
WORDS = (
    "dog ball red kind park run Zürich naïve café 東京 Привет ΟΔΟΣ İstanbul ﬁsh e\u0301tude ǆungla "
    "👩‍👧 ß it's \"so\" {a} [b] 3.14 <s> C++ x²"
).split(" ")
# With --seed: what trips readers of text, templates and patterns.
ODD = ["", " lead", "trail ", "\u200b", "\x85", "\u3000wide", "\r\n", "a\rb", "[", "]", "[[x]y]", "[a\nb]", "{{ x }}",
       "{% if %}", "\\n", "'", '"', "\t\ttab", "1", "0", "\u2028", "\u00a0nbsp\u00a0", "\x1c", "A", "no", " yes",
       "Ω", "ς", "İi", "ŉ", "\ufb03", "\U0001f1e8\U0001f1ed", "a\u0300\u0316", "\u0345", "ΑΣ.", "ΑΣ\u0301Β", "--", "\x00", "\x7f"]
CHAT = ("{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}")
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT
SEED = None


class Maker:
    """Texts from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed if SEED is None else f"{SEED}/{seed}")

    def words(self, least=2, most=5):
        words = WORDS if SEED is None else WORDS + ODD
        return " ".join(self.random.choice(words) for _ in range(self.random.randint(least, most)))

    def number(self, count):
        return self.random.randrange(count)


def hellaswag(make, i):
    first = make.words()
    second = ["", "she goes", "ΟΔΟΣ ΣΑΣ", "ǆUNGLA [title] UP", "  İ A", "ßA. BC", "ﬁSH AΣ'B Σ"][i % 7]
    endings = [make.words(), "[header] " + make.words() + " [title] x", " a  b   c ", make.words(1, 2)]
    return {"ind": i, "activity_label": make.words(1, 2), "ctx_a": first, "ctx_b": second,
            "ctx": first + " " + second, "endings": endings, "source_id": f"s~{i}", "split": "val",
            "split_type": "indomain", "label": str(make.number(4))}


def piqa(make, i):
    return {"goal": make.words() + ["", "\n", " "][i % 3], "sol1": make.words(), "sol2": make.words(1, 3),
            "label": make.number(2)}


def arc(make, i):
    count = [4, 4, 3, 5][i % 4]
    labels = (["A", "B", "C", "D", "E"] if i % 3 else ["1", "2", "3", "4", "5"])[:count]
    return {"id": f"q{i}", "question": make.words() + "?",
            "choices": {"text": [make.words(1, 3) for _ in labels], "label": labels},
            "answerKey": labels[make.number(count)]}


def openbookqa(make, i):
    doc = arc(make, i)
    labels = ["A", "B", "C", "D"]
    return {"id": doc["id"], "question_stem": make.words() + [" ", ""][i % 2],
            "choices": {"text": [make.words(1, 3) for _ in labels], "label": labels},
            "answerKey": [" ", "", "\u3000"][i % 3] + labels[make.number(4)]}


def winogrande(make, i):
    return {"sentence": make.words() + " _ " + make.words() + ["  ", ".", "", " _ x"][i % 4],
            "option1": make.words(1, 1), "option2": make.words(1, 2), "answer": str(1 + make.number(2))}


def boolq(make, i):
    return {"question": make.words(), "passage": make.words(3, 6), "idx": i, "label": make.number(2)}


def sciq(make, i):
    return {"question": make.words() + "?", "distractor3": make.words(1, 1),
            "distractor1": make.words(1, 2), "distractor2": make.words(1, 2),
            "correct_answer": make.words(1, 2), "support": [" \n\x1c\u00a0", "", "\t"][i % 3] + make.words(0, 4)}


def lambada(make, i):
    return {"text": make.words(2, 6) + ["", "\n", " ", "  "][i % 4] if i % 9 else "Alone", "domain": None}


def wikitext(make, i):
    parts = [
        " = " + make.words(1, 2) + " = \n", " the dogs ' ball , red @-@ blue 1 @,@ 000 3 @.@ 5 : a ; b . c ! d ? \n",
        " ( one  two ) ( ( three ) [ four ] { five\n } ( )\n", ' " quoted \n text " and " open ( never closed \n',
        " ' single  ' don 't 's it 's /' 7/ x /'8/ \n", " = = " + make.words() + " = = \n = = = a = = = = b \n",
        " 5 ° C N apples N N pears \n\n\u00a0" + make.words() + "\x1c\u2028" + make.words() + "\n",
    ]
    make.random.shuffle(parts)
    return {"page": ("" if i % 3 else "\n") + "".join(parts[: 3 + i % 5])}


def mmlu(subject):
    def one(make, i):
        return {"question": [" ", "", "\n"][i % 3] + make.words() + [" \u2003", ""][i % 2], "subject": subject,
                "choices": [make.words(1, 2) for _ in range(4)], "answer": make.number(4)}
    return one


# Name of the task, its data set, its makers by split with the number of documents, few-shot counts.
PLAN = [
    ("hellaswag", "Rowan/hellaswag", None, hellaswag, {"train": 8, "validation": 14}, [0, 3]),
    ("piqa", "baber/piqa", None, piqa, {"train": 30, "validation": 9}, [0, 5]),
    ("arc_easy", "allenai/ai2_arc", "ARC-Easy", arc, {"train": 90, "test": 8}, [0, 6]),
    ("arc_challenge", "allenai/ai2_arc", "ARC-Challenge", arc, {"train": 9, "test": 5}, [0, 1]),
    ("winogrande", "allenai/winogrande", "winogrande_xl", winogrande, {"train": 12, "validation": 8}, [0, 5]),
    ("boolq", "aps/super_glue", "boolq", boolq, {"train": 22, "validation": 6}, [0, 2]),
    ("openbookqa", "allenai/openbookqa", "main", openbookqa, {"train": 25, "test": 6}, [0, 2]),
    ("sciq", "allenai/sciq", None, sciq, {"train": 25, "test": 6}, [0, 2]),
    ("lambada_openai", "EleutherAI/lambada_openai", "default", lambada, {"test": 12}, [0, 2]),
    ("lambada_standard", "cimec/lambada", None, lambada, {"validation": 10, "test": 7}, [0, 1]),
    ("wikitext", "EleutherAI/wikitext_document_level", "wikitext-2-raw-v1", wikitext, {"test": 8}, [0]),
]
ZIPPED = {"piqa", "sciq", "mmlu"}
# Splits that examples come from where they are not "train".
SHOWN = {"lambada_openai": ["test"], "lambada_standard": ["validation"]}
# Runs in other forms: tasks, examples, and how they are asked.
FORMS = [
    (["hellaswag"], 1, {"chat": CHAT}), (["hellaswag"], 2, {"chat": CHAT, "multiturn": False, "system": "Be brief."}),
    (["mmlu_anatomy"], 0, {"chat": CHAT}), (["mmlu_anatomy"], 2, {"chat": CHAT, "system": "Choose."}),
    (["mmlu_anatomy"], 1, {"chat": NO_SYSTEM, "multiturn": False}), (["winogrande"], 2, {"chat": CHAT}),
    (["lambada_openai"], 1, {"chat": CHAT}), (["lambada_standard"], 1, {"chat": CHAT, "multiturn": False, "limit": 3}),
    (["piqa"], 1, {"limit": 0.4}), (["mmlu_stem"], 0, {"limit": 1}), (["wikitext"], 0, {"limit": 0.3}),
    (["boolq", "piqa"], 0, {"limit": 4}),
]


def subjects(manager):
    names = [name for name in manager.all_tasks if name.startswith("mmlu_")]
    found = {}
    for name in names:
        config = manager.task_index[name].cfg or {}
        if config.get("dataset_name") and str(config.get("task", "")) == name and "default" in str(
                manager.task_index[name].yaml_path):
            found[name] = config["dataset_name"]
    return found


def made(subject_names):
    """Documents by (path, name, split)."""
    data = {}
    files = {}
    for task, path, name, maker, splits, _ in PLAN:
        for split, count in splits.items():
            make = Maker(f"{task}/{split}")
            docs = [maker(make, i) for i in range(count)]
            if task in ("hellaswag", "winogrande") and split == "train":
                # The question itself among the examples, twice or thrice: the sampler must not show it.
                twin = data_of(files, task, "validation")
                docs[1] = docs[4] = twin[0]
                docs[2] = twin[1]
            files[(task, split)] = docs
            data[(path, name, split)] = docs
    for split, count in (("test", 2), ("dev", 3)):
        rows = []
        for number, subject in enumerate(subject_names):
            make = Maker(f"{subject}/{split}")
            docs = [mmlu(subject)(make, i) for i in range(count + (number % 3 if split == "test" else 0))]
            data[("cais/mmlu", subject, split)] = docs
            rows += docs
        files[("mmlu", split)] = rows
    return data, files


def data_of(files, task, split):
    """The documents of a split that is made before it is asked for, else made now."""
    if (task, split) not in files:
        maker, splits = next((p[3], p[4]) for p in PLAN if p[0] == task)
        make = Maker(f"{task}/{split}")
        files[(task, split)] = [maker(make, i) for i in range(splits[split])]
    return files[(task, split)]


class Hashed(LM):
    """Log-likelihoods are hashes of strings: some coarse, so that choices tie."""

    tokenizer_name = "made-up"

    def __init__(self, chat=None):
        super().__init__()
        self.chat = chat

    def chat_template(self, _=False):
        return self.chat

    def apply_chat_template(self, messages, add_generation_prompt=True):
        """As HFLM does it, where a template refuses a system message too."""
        def refuse(text):
            raise jinja2.exceptions.TemplateError(text)

        def render(messages):
            environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
            environment.globals["raise_exception"] = refuse
            return environment.from_string(self.chat).render(
                messages=messages, add_generation_prompt=add_generation_prompt)
        try:
            return render(messages)
        except jinja2.exceptions.TemplateError:
            return render([message for message in messages if message["role"] != "system"])

    @staticmethod
    def digest(*texts):
        return hashlib.sha256("\0".join(texts).encode("utf-8")).digest()

    @classmethod
    def value(cls, digest, length):
        share = (int.from_bytes(digest[:8], "big") >> 11) / 2.0**53
        return -share * (1 + length)

    def loglikelihood(self, requests, **_):
        answers = []
        for context, continuation in [request.args for request in requests]:
            digest = self.digest(context, continuation)
            coarse = digest[8] % 2 == 0
            value = -float(1 + digest[9] % 3) if coarse else self.value(digest, len(continuation.encode()))
            answers.append((value, digest[10] % 3 == 0))
        return answers

    def loglikelihood_rolling(self, requests, **_):
        return [self.value(self.digest(r.args[0]), len(r.args[0].encode())) for r in requests]

    def generate_until(self, requests, **_):
        raise NotImplementedError


def plain(results):
    """A results document without what depends on the machine."""
    keys = ["results", "groups", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better", "n-samples"]
    return {key: results[key] for key in keys if key in results}


def run(names, shots, form=None):
    form = form or {}
    if SEED is not None:
        form = {**form, "resamples": 2000}
    results = simple_evaluate(
        model=Hashed(form.get("chat")), tasks=names, num_fewshot=shots, log_samples=True,
        bootstrap_iters=form.get("resamples", 100000),
        task_manager=MANAGER, limit=form.get("limit"), apply_chat_template="chat" in form,
        fewshot_as_multiturn=form.get("multiturn", "chat" in form), system_instruction=form.get("system"))
    samples = {}
    for task, rows in results["samples"].items():
        rows = sorted(rows, key=lambda row: row["doc_id"])
        short = task.startswith("mmlu") and task != "mmlu_anatomy"
        samples[task] = [
            {
                # The figure is a hash of the strings: for most subjects it stands for them.
                "requests": [] if short else [list(arguments) for arguments in row["arguments"]],
                "answers": [answer if isinstance(answer, (list, tuple)) else [answer, None]
                            for answer in row["filtered_resps"]],
                "metrics": {name: row[name] for name in row["metrics"]},
            }
            for row in rows
        ]
    document = plain(results)
    for config in document["configs"].values():
        for key in list(config):
            # Functions are written as their source, which is the harness's and stays there.
            if not isinstance(config[key], (str, int, float, list)) or str(config[key]).startswith("def "):
                del config[key]
    table = make_table(results)
    if "groups" in results:
        table += "\n" + make_table(results, "groups")
    return {"tasks": names, "shots": shots, "form": form, "samples": samples, "document": document, "table": table}


def main():
    global MANAGER, SEED, PLAN
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default=FOLDER)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    folder, SEED = options.folder, options.seed
    if SEED is not None:
        PLAN = [
            (task, path, name, maker, {split: max(count * options.times, 40 if split in SHOWN.get(task, ["train"]) else 0)
                                       for split, count in splits.items()},
             shots if shots == [0] else [0, 1, 5, 10, 25])
            for task, path, name, maker, splits, shots in PLAN
        ]
    MANAGER = TaskManager()
    subject_of = subjects(MANAGER)
    assert len(subject_of) == 57, sorted(subject_of)
    data, files = made(sorted(subject_of.values()))
    for (task, split), docs in files.items():
        text = "".join(json.dumps(doc, ensure_ascii=len(docs) % 2 == 0) + "\n" for doc in docs).encode()
        path = os.path.join(folder, task, f"{split}.jsonl")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if task in ZIPPED:
            with open(path + ".gz", "wb") as file:
                file.write(gzip.compress(text, mtime=0))
        else:
            with open(path, "wb") as file:
                file.write(text)

    def load_dataset(path=None, name=None, **_):
        rows = {split: docs for (p, n, split), docs in data.items() if (p, n) == (path, name)}
        assert rows, (path, name)
        # Splits that a task names and does not read.
        for split in ("train", "validation"):
            rows.setdefault(split, next(iter(rows.values()))[:1])
        return datasets.DatasetDict({split: datasets.Dataset.from_list(docs) for split, docs in rows.items()})

    lm_eval.api.task.datasets.load_dataset = load_dataset
    runs = []
    for task, _, _, _, _, shots in PLAN:
        runs += [run([task], count) for count in shots]
    runs += [run(["mmlu"], count) for count in (0, 2)]
    runs += [run(*form) for form in FORMS]
    # acc_bytes is no metric of these tasks: the harness knows it, and is asked for it.
    by_byte = {}
    for task in ("hellaswag", "arc_easy", "openbookqa"):
        loaded = MANAGER.load([task])
        one = loaded["tasks"][task]
        one._metric_fn_list["acc_bytes"] = get_metric("acc_bytes")
        one._aggregation_list["acc_bytes"] = get_metric_aggregation("acc_bytes")
        one._higher_is_better["acc_bytes"] = True
        figures = evaluate(lm=Hashed(), task_dict=loaded)["results"][task]
        by_byte[task] = {key: figures[key + ",none"] for key in ("acc_bytes", "acc_bytes_stderr")}
    expected = {"harness": "0.4.13", "python": sys.version.split()[0], "runs": runs, "acc_bytes": by_byte}
    with open(os.path.join(folder, "expected.json.gz"), "wb") as file:
        text = json.dumps(expected, ensure_ascii=False, indent=1, default=handle_non_serializable)
        file.write(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
