#!/bin/bash
# Finds the edges in a photograph with the command line alone: photo.sh [PHOTO.pgm [RESULT.pgm]]
# Three jobs, one after the other: blur along the rows, blur along the columns, edges. Each is an
# array of tasks; task {} writes its rows to a file of its own, and `cat` makes them a picture again.
# FASTGPU_CREDENTIALS names the key to the cluster; `fastgpu` is taken from PATH, or else from build/bin.
set -euo pipefail
here=$(dirname "$0")
photo=${1:-$here/data/camera.pgm}
result=${2:-edges.pgm}
tasks=6
PATH=$PATH:$here/../../build/bin

magic='' width='' height='' white=''
{ read -r magic && read -r width height && read -r white; } <"$photo" || true
if [[ "$magic $white" != "P5 255" || ! "$width$height" =~ ^[0-9]+$ ]]; then
  echo "photo.sh: $photo is no PGM of one byte a pixel; convert PHOTO -depth 8 $photo makes one" >&2
  exit 2
fi
rows=$(((height + tasks - 1) / tasks))  # of each task; the last one may have fewer

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tail -c $((width * height)) "$photo" >"$folder/picture"

# filter KERNEL: runs it over the picture, and puts the rows of all tasks in the picture's place.
filter() {
  fastgpu run --name "$1" --kernel "$1" --source "$here/photo.cu" --tasks "$tasks" \
    --grid $(((width + 31) / 32)),$(((rows + 7) / 8)) --block 32,8 \
    --arg "in:$folder/picture" --arg "out:$folder/rows-{}=$((width * rows))" \
    --arg "i32:$width" --arg "i32:$height" --arg i32:{} --arg "i32:$rows"
  local task
  for ((task = 0; task < tasks; ++task)); do
    cat "$folder/rows-$task"
  done | head -c $((width * height)) >"$folder/filtered"
  mv "$folder/filtered" "$folder/picture"
}

filter 'blur<1, 0>'
filter 'blur<0, 1>'
filter edges
{ printf 'P5\n%d %d\n255\n' "$width" "$height" && cat "$folder/picture"; } >"$result"
echo "the edges of $photo, $width x $height pixels, are in $result"
