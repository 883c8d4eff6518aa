#!/usr/bin/env python3
"""Runs tasks on a model folder with lm-evaluation-harness and with `trit tasks`, and compares them.

    pip install lm_eval==0.4.13 datasets torch transformers accelerate     # from PyPI; nothing else needs them
    Scripts/check_tasks_with_harness.py FOLDER [--data SETS] [--trit .build/release/trit] [--max-length 256]

The harness runs the folder through transformers in float32; ours runs the stages `--quantizer none
--activations none`, unless `--stages` says others. Data: the makers of `make_harness_golden.py` with plain words, since the
harness stops at a continuation that has no token of its own, or the JSONL below `--data`.
Ends with code 1 where a choice, a greedy flag or a number of questions differs, or a perplexity by more than
1e-5 of it. Choices whose two best log-likelihoods are closer than 1e-4 nats are told apart: float32 sums in
another order decide them.
"""

import argparse
import gzip
import json
import math
import os
import subprocess
import sys
import tempfile

os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["DISABLE_MULTIPROC"] = "1"

import datasets
import lm_eval.api.task
from lm_eval.evaluator import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.utils import make_table

import make_harness_golden as golden

TASKS = ("hellaswag piqa arc_easy arc_challenge winogrande boolq openbookqa sciq lambada_openai lambada_standard "
         "wikitext mmlu").split()
PATHS = {
    "Rowan/hellaswag": "hellaswag", "baber/piqa": "piqa", "allenai/winogrande": "winogrande", "aps/super_glue": "boolq",
    "allenai/openbookqa": "openbookqa", "allenai/sciq": "sciq", "EleutherAI/lambada_openai": "lambada_openai",
    "cimec/lambada": "lambada_standard", "EleutherAI/wikitext_document_level": "wikitext", "cais/mmlu": "mmlu",
}


def rows(path):
    opened = gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb")
    with opened as file:
        return [json.loads(line) for line in file if line.strip()]


def loader(folder):
    def load_dataset(path=None, name=None, **_):
        place = {"ARC-Easy": "arc_easy", "ARC-Challenge": "arc_challenge"}.get(name) or PATHS[path]
        found = {}
        for split in ("train", "validation", "test", "dev"):
            file = os.path.join(folder, place, split + ".jsonl")
            if os.path.exists(file) or os.path.exists(file + ".gz"):
                found[split] = [row for row in rows(file) if path != "cais/mmlu" or row["subject"] == name]
        for split in ("train", "validation"):
            found.setdefault(split, next(iter(found.values()))[:1])
        return datasets.DatasetDict({split: datasets.Dataset.from_list(docs) for split, docs in found.items()})
    return load_dataset


def plain(folder, count):
    """Writes records of plain words, `count` of them to be asked for each task."""
    golden.WORDS = ("the dog and a cat went to big red park with Tom Lily was happy small ball said mom saw "
                    "tree they played day time friend house water one two café").split(" ")
    names = sorted(golden.subjects(golden.TaskManager()).values())
    golden.PLAN = [
        (task, path, name, maker, {split: size if split == "train" else count for split, size in splits.items()}, shots)
        for task, path, name, maker, splits, shots in golden.PLAN
    ]
    _, files = golden.made(names)
    for (task, split), docs in files.items():
        if task.startswith("lambada"):
            docs = [{**doc, "text": doc["text"].strip()} for doc in docs]
        path = os.path.join(folder, task, split + ".jsonl")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.writelines(json.dumps(doc) + "\n" for doc in docs)


def margin(answers):
    best = sorted((answer[0] for answer in answers), reverse=True)
    return best[0] - best[1] if len(best) > 1 else math.inf


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--data")
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--trit", default=os.path.join(here, "..", ".build/release/trit"))
    parser.add_argument("--max-length", type=int, default=256)
    parser.add_argument("--shots", type=int, default=1)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--stages", default="--quantizer none --activations none")
    options = parser.parse_args()
    made = tempfile.TemporaryDirectory()
    if not options.data:
        plain(made.name, options.questions)
        options.data = made.name
    lm_eval.api.task.datasets.load_dataset = loader(options.data)
    model = HFLM(pretrained=options.folder, dtype="float32", device="cpu", batch_size=1,
                 max_length=options.max_length)
    theirs = simple_evaluate(model=model, tasks=options.tasks.split(","), num_fewshot=options.shots, log_samples=True,
                             bootstrap_iters=1000)
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "results.json")
        subprocess.run(
            [options.trit, "tasks", "-m", options.folder, "--tasks", options.tasks, "--data", options.data,
             "--num-fewshot", str(options.shots), "-c", str(options.max_length), "--bootstrap-iters", "1000",
             "--log-samples", "-o", "lm-eval", path] + options.stages.split(), check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(path) as file:
            ours = json.load(file)
    for column in ("results", "groups"):
        if column in ours:
            make_table(ours, column)
    bad = 0
    print("| task | n | metric | TritLab | harness | difference | largest difference of ln p |")
    print("|---|--:|---|--:|--:|--:|--:|")
    for task in sorted(theirs["samples"]):
        mine = ours["samples"][task]
        reference = sorted(theirs["samples"][task], key=lambda row: row["doc_id"])
        bad += len(mine) != len(reference)
        worst = 0.0
        for a, b in zip(mine, reference):
            x = [r if isinstance(r, list) else [r, None] for r in a["filtered_resps"]]
            y = [list(r) if isinstance(r, (list, tuple)) else [r, None] for r in b["filtered_resps"]]
            worst = max([worst] + [abs(p[0] - q[0]) for p, q in zip(x, y)])
            bad += len(x) != len(y)
            if [p[1] for p in x] != [q[1] for q in y]:
                bad += 1
                print(f"{task} {a['doc_id']}: greedy differs", file=sys.stderr)
            choices = [max(range(len(z)), key=lambda i: z[i][0]) for z in (x, y)]
            if choices[0] != choices[1]:
                close = margin(y) < 1e-4
                bad += not close
                print(f"{task} {a['doc_id']}: choices {choices}, margin {margin(y):.2g}", file=sys.stderr)
        for key, value in theirs["results"][task].items():
            if not key.endswith(",none") or "_stderr" in key or not isinstance(value, float):
                continue
            own = ours["results"][task][key]
            bad += abs(own - value) > (1e-5 * value if "perplexity" in key or "bits" in key else 0)
            if not task.startswith("mmlu_") or task == "mmlu_anatomy":
                print(f"| {task} | {len(mine)} | {key[:-5]} | {own:.8g} | {value:.8g} | {own - value:.2g} | {worst:.2g} |")
    for group, figures in theirs.get("groups", {}).items():
        own = ours["groups"][group]
        bad += own["acc,none"] != figures["acc,none"]
        print(f"| {group} | {own['sample_len']} | acc | {own['acc,none']:.8g} | {figures['acc,none']:.8g} | "
              f"{own['acc,none'] - figures['acc,none']:.2g} | |")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
