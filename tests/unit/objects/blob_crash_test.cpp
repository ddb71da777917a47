/// The blob store on a disk that forgets, is full, or cannot be used.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "runtime/base/random.hpp"
#include "runtime/objects/blob_names.hpp"
#include "runtime/objects/blob_store.hpp"
#include "runtime/objects/file_folder.hpp"
#include "runtime/objects/memory_folder.hpp"

namespace fastgpu::objects {
namespace {

using base::ErrorKind;
using base::ObjectHash;

base::Bytes content(std::uint64_t number) {
  return base::Bytes::copy_of(std::string(number % 97, 'c') + std::to_string(number));
}
ObjectHash hash_of(const base::Bytes& data) {
  return base::sha256(data.span());
}

/// Cuts the power at the n-th change of the folder: what comes later never reaches it.
class PowerCut final : public BlobFolder {
 public:
  struct Off {};
  PowerCut(BlobFolder& folder, std::uint64_t changes) : folder_(folder), left_(changes) {}

  base::Result<std::vector<FileEntry>> list() const override { return folder_.list(); }
  base::Result<base::Bytes> read(std::string_view name, std::uint64_t offset,
                                 std::uint64_t length) const override {
    return folder_.read(name, offset, length);
  }
  bool write(std::string_view name, std::uint64_t offset,
             std::span<const std::uint8_t> data) override {
    change();
    return folder_.write(name, offset, data);
  }
  std::string host_path(std::string_view) const override { return {}; }
  std::uint64_t bytes_free() const override { return folder_.bytes_free(); }
  void sync_file(std::string_view name) override {
    change();
    folder_.sync_file(name);
  }
  void rename(std::string_view from, std::string_view to) override {
    change();
    folder_.rename(from, to);
  }
  void remove(std::string_view name) override {
    change();
    folder_.remove(name);
  }
  void sync_folder(std::string_view folder) override {
    change();
    folder_.sync_folder(folder);
  }

 private:
  void change() {
    if (left_-- == 0) {
      throw Off{};
    }
  }
  BlobFolder& folder_;
  std::uint64_t left_;
};

/// What was reported done before the power went.
struct Known {
  std::set<ObjectHash> stored;
  std::set<Pin> pinned;
};

/// The first two blobs go to packs, and a pack is full with two; the others get files.
constexpr BlobStoreOptions options{
    .packed_bytes_max = 3, .pin_entries_min = 8, .pack_bytes_full = 90};

PinOwner job(std::uint64_t number) {
  return owner_of({3}, base::JobId{number});
}

/// Puts, uploads, pins, removes; true if it came to the end.
bool work(BlobFolder& folder, Known& known) {
  try {
    auto store = BlobStore::open(folder, options);
    BlobStore& blobs = *store.value();
    for (std::uint64_t number = 1; number <= 4; ++number) {
      const auto data = content(number);
      const auto hash = hash_of(data);
      if (number % 2 == 0) {
        EXPECT_TRUE(blobs.put(hash, data).ok());
      } else {
        const auto here = blobs.begin(hash, data.size());
        EXPECT_TRUE(blobs.append(hash, here.value(), data.span().subspan(here.value())).ok());
        if (!blobs.commit(hash).ok()) {  // the part of an earlier life was damaged: from the start
          EXPECT_TRUE(blobs.begin(hash, data.size()).ok());
          EXPECT_TRUE(blobs.append(hash, 0, data.span()).ok());
          EXPECT_TRUE(blobs.commit(hash).ok());
        }
      }
      known.stored.insert(hash);
      EXPECT_TRUE(blobs.pin(hash, job(number)).ok());
      known.pinned.insert({hash, job(number)});
    }
    for (std::uint64_t number = 12; number < 18; ++number) {  // come and go, so that packs do, too
      const auto data = base::Bytes::copy_of(std::to_string(number));
      EXPECT_TRUE(blobs.put(hash_of(data), data).ok());
      EXPECT_TRUE(blobs.pin(hash_of(data), job(number)).ok());
      blobs.unpin(std::vector{job(number)});
      EXPECT_TRUE(blobs.remove(hash_of(data)).ok());
    }
    return true;
  } catch (const PowerCut::Off&) {
    return false;
  }
}

void check_kept(MemoryFolder& folder, const Known& known) {
  const auto opened = BlobStore::open(folder, options);
  ASSERT_TRUE(opened.ok());
  const BlobStore& blobs = *opened.value();
  for (const auto& hash : known.stored) {
    ASSERT_TRUE(blobs.has(hash)) << "stored, then lost";
  }
  for (const auto& hash : blobs.list()) {
    const auto data = blobs.read(hash, 0, 1000);
    ASSERT_TRUE(data.ok());
    ASSERT_EQ(hash_of(data.value()), hash) << "a name means whole bytes";
  }
  const auto entries = folder.list();
  for (const auto& entry : entries.value()) {
    const auto name = parse_name(entry.name);
    ASSERT_FALSE(name.folder == upload_folder && blobs.has(*name.hash)) << "left behind";
    ASSERT_NE(name.folder, fresh_folder) << "left behind";
  }
  for (const auto& pin : known.pinned) {
    ASSERT_TRUE(blobs.pins().has(pin)) << "pinned, then lost";
  }
}

TEST(BlobCrash, KeepsWhatItReportedWhereverThePowerGoes) {
  std::uint64_t changes = 0;
  for (bool whole = false; !whole; ++changes) {
    ASSERT_LT(changes, 1000u);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      SCOPED_TRACE("change " + std::to_string(changes) + ", seed " + std::to_string(seed));
      base::Random random(seed);
      MemoryFolder disk;
      Known known;
      PowerCut folder(disk, changes);
      whole = work(folder, known);
      disk.crash(random);
      ASSERT_NO_FATAL_FAILURE(check_kept(disk, known));
      Known again;
      ASSERT_TRUE(work(disk, again)) << "the next life stores all of it";
      disk.crash(random);
      ASSERT_NO_FATAL_FAILURE(check_kept(disk, again));
    }
  }
  EXPECT_GT(changes, 20u);
}

TEST(BlobCrash, KeepsWhatALifeFoundThatADeadProcessHadNotSynced) {
  for (std::uint64_t changes = 0; changes < 30; ++changes) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      base::Random random(seed);
      MemoryFolder disk;
      Known known;
      PowerCut folder(disk, changes);
      work(folder, known);
      auto next = BlobStore::open(disk, options);  // the process died, the machine did not
      for (const auto& hash : next.value()->list()) {
        known.stored.insert(hash);
      }
      disk.crash(random);
      ASSERT_NO_FATAL_FAILURE(check_kept(disk, known)) << changes << " " << seed;
    }
  }
}

TEST(BlobCrash, TellsThatTheDiskIsFullAndGoesOnWhenThereIsRoom) {
  MemoryFolder disk;
  auto store = BlobStore::open(disk);
  const auto data = content(96);
  const auto hash = hash_of(data);
  disk.set_capacity(10);
  EXPECT_EQ(store.value()->put(hash, data).error().kind, ErrorKind::overloaded);
  EXPECT_EQ(store.value()->begin(hash, data.size()).error().code, base::ErrorCode::disk_full);
  disk.set_capacity(1000);
  ASSERT_TRUE(store.value()->begin(hash, data.size()).ok());
  disk.set_capacity(10);  // others were faster
  EXPECT_EQ(store.value()->append(hash, 0, data.span()).error().code, base::ErrorCode::disk_full);
  disk.set_capacity(1000);
  ASSERT_EQ(store.value()->append(hash, 0, data.span()).value(), data.size());
  EXPECT_TRUE(store.value()->commit(hash).ok());
  EXPECT_EQ(disk.list().value().size(), 1u) << "nothing of the failed put is left";
}

TEST(BlobCrash, RefusesObjectsWhileTheReserveOfTheDiskIsStillFree) {
  MemoryFolder disk;
  disk.set_capacity(1000);
  auto store = std::move(BlobStore::open(disk, {.reserve_bytes = 400})).value();
  const base::Bytes some(std::vector<std::uint8_t>(500, 's'));
  ASSERT_TRUE(store->put(hash_of(some), some).ok());
  EXPECT_TRUE(store->disk_is_tight());
  const auto refused = store->put(hash_of(content(96)), content(96));
  EXPECT_EQ(refused.error().code, base::ErrorCode::disk_full);
  EXPECT_EQ(refused.error().kind, ErrorKind::overloaded);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("98 bytes are needed and"));
  EXPECT_EQ(store->begin(hash_of(content(96)), 98).error().code, base::ErrorCode::disk_full);
  const IntakeId intake = store->begin_intake();
  EXPECT_EQ(store->append(intake, some.span()).error().code, base::ErrorCode::disk_full);
  EXPECT_GE(disk.bytes_free(), 400u);
  EXPECT_TRUE(store->pin(hash_of(some), job(1)).ok()) << "what is here can be pinned";
  store->unpin(std::vector{job(1)});
  EXPECT_TRUE(store->remove(hash_of(some)).ok());
}

TEST(BlobCrash, FindsADamagedPartOfAnUploadAtItsCommit) {
  MemoryFolder disk;
  const auto data = content(50);
  const auto hash = hash_of(data);
  {
    auto store = BlobStore::open(disk);
    ASSERT_TRUE(store.value()->begin(hash, data.size()).ok());
    ASSERT_TRUE(store.value()->append(hash, 0, data.span().first(20)).ok());
  }
  disk.damage(upload_name(hash), 3);
  auto store = BlobStore::open(disk);
  const auto here = store.value()->begin(hash, data.size());
  ASSERT_EQ(here.value(), 20u);
  ASSERT_TRUE(store.value()->append(hash, 20, data.span().subspan(20)).ok());
  EXPECT_EQ(store.value()->commit(hash).error().kind, ErrorKind::invalid);
  EXPECT_FALSE(store.value()->has(hash));
}

TEST(FileFolder, IgnoresFilesOfOthersAndRefusesAFileAsItsFolder) {
  std::string path = (std::filesystem::temp_directory_path() / "fastgpu-blobs-XXXXXX").string();
  ASSERT_NE(mkdtemp(path.data()), nullptr);
  std::ofstream(path + "/file") << "x";
  std::filesystem::create_directories(path + "/ab/deep");
  std::ofstream(path + "/ab/README") << "x";
  std::ofstream(path + "/ab/" + std::string(64, 'c')) << "in a wrong folder";
  {
    const auto folder = FileFolder::open(path);
    const auto store = BlobStore::open(*folder.value());
    ASSERT_TRUE(store.ok());
    EXPECT_TRUE(store.value()->list().empty());
    EXPECT_EQ(FileFolder::open(path + "/file").error().kind, ErrorKind::invalid);
  }
  std::filesystem::remove_all(path);
}

TEST(BlobNames, ReadsWhatItWritesAndNothingElse) {
  const auto hash = hash_of(content(1));
  const auto digits = base::to_string(hash);
  EXPECT_EQ(parse_name(blob_name(hash)).hash, hash);
  EXPECT_EQ(parse_name(upload_name(hash)).hash, hash);
  EXPECT_EQ(parse_name(fresh_name(hash)).hash, hash);
  for (const std::string& name :
       {digits, "zz/" + digits, upload_name(hash) + "x", "upload/" + digits.substr(1),
        "pin/" + digits, std::string("/"), "upload/" + std::string(64, 'A')}) {
    EXPECT_FALSE(parse_name(name).hash.has_value()) << name;
  }
}

}  // namespace
}  // namespace fastgpu::objects
