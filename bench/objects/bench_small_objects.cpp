/// How many small objects this disk takes durably per second: a file for each, against packs.
///
/// bench_small_objects [FOLDER] [SECONDS]: works in a new folder inside FOLDER (default: the
/// current one; mind that a memory file system syncs nothing) and removes it.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/objects/blob_store.hpp"
#include "runtime/objects/file_folder.hpp"

namespace {

using namespace fastgpu;
using Clock = std::chrono::steady_clock;

constexpr std::size_t object_bytes = 4096;

objects::Blob fresh_object(base::Random& random) {
  std::vector<std::uint8_t> data(object_bytes);
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] = static_cast<std::uint8_t>(random.next());
  }
  objects::Blob blob{{}, base::Bytes(std::move(data))};
  blob.hash = base::sha256(blob.data.span());
  return blob;
}

template <class T>
T or_exit(base::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(result).value();
}

/// Puts groups of new objects for a while; making them is not counted.
void run(const std::string& folder, const char* name, std::size_t group,
         objects::BlobStoreOptions options, double seconds) {
  const auto files = or_exit(objects::FileFolder::open(folder));
  const auto store = or_exit(objects::BlobStore::open(*files, options));
  base::Random random(1);
  std::uint64_t objects = 0;
  double taken = 0;
  while (taken < seconds) {
    std::vector<objects::Blob> blobs;
    for (std::size_t i = 0; i < group; ++i) {
      blobs.push_back(fresh_object(random));
    }
    const auto begin = Clock::now();
    if (!store->put(blobs).ok()) {
      std::exit(1);
    }
    taken += std::chrono::duration<double>(Clock::now() - begin).count();
    objects += group;
  }
  std::printf("%s, groups of %zu: %.0f objects of 4 KiB/s\n", name, group,
              static_cast<double>(objects) / taken);
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = std::string(argc > 1 ? argv[1] : ".") + "/bench-small-objects-XXXXXX";
  const double seconds = argc > 2 ? std::atof(argv[2]) : 3.0;
  if (mkdtemp(folder.data()) == nullptr) {
    std::perror(folder.c_str());
    return 1;
  }
  objects::BlobStoreOptions files;
  files.packed_bytes_max = 0;
  for (const std::size_t group : {std::size_t{1}, std::size_t{64}}) {
    run(folder + "/files" + std::to_string(group), "a file each", group, files, seconds);
    run(folder + "/packs" + std::to_string(group), "in packs", group, {}, seconds);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
