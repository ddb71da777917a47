#!/bin/bash
# One script over many files: words.sh FILE... prints the twenty most frequent words of all of them.
# One job, a task for each file: task {} finds its file as `text`, and what it counts comes back as
# counts-{}.json. The script knows nothing of FastGPU; it runs by itself as well.
# FASTGPU_CREDENTIALS names the key to the cluster; `fastgpu` is taken from PATH, or else from build/bin.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../../build/bin
if [ $# -eq 0 ]; then
  echo "usage: words.sh FILE..." >&2
  exit 2
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tasks=0
for file in "$@"; do
  cp "$file" "$folder/text-$tasks"
  tasks=$((tasks + 1))
done

cd "$folder"
fastgpu run --name words --tasks "$tasks" --in "$here/count.py" --in 'text-{}:text' \
  --out 'counts-{}.json' -- python3 count.py 'counts-{}.json'
python3 - "$tasks" <<'END'
import collections, json, sys

total = collections.Counter()
for task in range(int(sys.argv[1])):
    total.update(json.load(open(f"counts-{task}.json", encoding="utf-8")))
for word, count in sorted(total.items(), key=lambda item: (-item[1], item[0]))[:20]:
    print(f"{count:6} {word}")
END
