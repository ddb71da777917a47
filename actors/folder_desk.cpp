#include "actors/folder_desk.hpp"

#include <utility>

namespace fastgpu::actors {

using objects::FolderWorkId;

FolderWorkId FolderDesk::take(const protocol::PrepareFolder& prepare,
                              std::vector<protocol::ObjectRef>& absent) {
  const FolderWorkId work{++last_work_.value};
  Preparation& preparation = preparations_[work];
  preparation.asked = prepare;
  for (const protocol::FolderFile& file : prepare.files) {
    const auto* object = std::get_if<protocol::ObjectRef>(&file.data);
    if (object == nullptr) {
      continue;
    }
    store_.touch(object->hash);
    if (!store_.has(object->hash) && preparation.absent.insert(object->hash).second) {
      absent.push_back(*object);
    }
  }
  if (absent.empty()) {
    begin(work, preparation);
  }
  return work;
}

void FolderDesk::take(const protocol::CollectFolder& collect) {
  const FolderWorkId work{++last_work_.value};
  collections_[work] = collect;
  folders_.collect(work, collect.folder, collect.outputs, collect.partial);
}

void FolderDesk::drop(const protocol::DropFolder& drop) {
  folders_.drop(drop.folder);
  // What has begun ends as a work of the folders; what waits for inputs is known here alone.
  std::erase_if(preparations_, [&](const auto& entry) {
    const Preparation& waiting = entry.second;
    if (waiting.absent.empty() || waiting.asked.folder != drop.folder) {
      return false;
    }
    answers_.push_back(
        protocol::FolderReady{waiting.asked.device,
                              waiting.asked.token,
                              false,
                              {},
                              {base::ErrorKind::rejected, base::ErrorCode::conflict,
                               "the job folder " + drop.folder + " was dropped", ""}});
    return true;
  });
}

void FolderDesk::brought(FolderWorkId work, const base::ObjectHash& hash,
                         const base::Status& status) {
  const auto found = preparations_.find(work);
  if (found == preparations_.end()) {
    return;  // another of its objects did not come, or its folder was dropped
  }
  Preparation& preparation = found->second;
  if (!status.ok()) {
    answers_.push_back(protocol::FolderReady{
        preparation.asked.device, preparation.asked.token, false, {}, status.error()});
    preparations_.erase(found);
    return;
  }
  preparation.absent.erase(hash);
  if (preparation.absent.empty()) {
    begin(work, preparation);
  }
}

void FolderDesk::begin(FolderWorkId work, const Preparation& preparation) {
  std::vector<objects::JobFile> files;
  for (const protocol::FolderFile& file : preparation.asked.files) {
    objects::JobFile& made = files.emplace_back(objects::JobFile{file.path, file.executable, {}});
    if (const auto* object = std::get_if<protocol::ObjectRef>(&file.data)) {
      made.data = objects::StoredBytes{object->hash, object->size_bytes};
    } else {
      made.data = std::get<base::Bytes>(file.data);
    }
  }
  folders_.prepare(work, preparation.asked.folder, std::move(files));
}

std::vector<FolderAnswer> FolderDesk::advance(base::Time now) {
  if (auto end = folders_.advance()) {
    answers_.push_back(answer_of(std::move(*end), now));
  }
  return std::exchange(answers_, {});
}

FolderAnswer FolderDesk::answer_of(objects::FolderEnd end, base::Time now) {
  if (auto* prepared = std::get_if<objects::FolderPrepared>(&end)) {
    const auto asked = preparations_.extract(prepared->work).mapped().asked;
    protocol::FolderReady ready{asked.device, asked.token, prepared->path.ok(), {}, {}};
    (ready.ok ? void(ready.path = prepared->path.value())
              : void(ready.error = prepared->path.error()));
    return ready;
  }
  return collected_of(std::get<objects::FolderKept>(std::move(end)), now);
}

protocol::FolderCollected FolderDesk::collected_of(objects::FolderKept kept, base::Time now) {
  const auto asked = collections_.extract(kept.work).mapped();
  protocol::FolderCollected collected{asked.device, asked.token, false, {}, {}};
  if (!kept.files.ok()) {
    collected.error = kept.files.error();
    return collected;
  }
  std::vector<base::ObjectHash> hashes;
  for (objects::JobFile& file : kept.files.value()) {
    protocol::OutputFile& output = collected.outputs.emplace_back();
    output.path = std::move(file.path);
    if (const auto* stored = std::get_if<objects::StoredBytes>(&file.data)) {
      output.data = protocol::ObjectRef{stored->hash, stored->size_bytes, self_};
      hashes.push_back(stored->hash);
    } else {
      output.data = std::get<base::Bytes>(file.data);
    }
  }
  const base::Status pinned = pins_.pin(asked.job, hashes, now);
  collected.ok = pinned.ok();
  if (!pinned.ok()) {
    collected.error = pinned.error();
    collected.outputs.clear();
  }
  return collected;
}

}  // namespace fastgpu::actors
