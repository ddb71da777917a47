#include "runtime/objects/jobs/job_folders.hpp"

#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/objects/jobs/job_paths.hpp"

namespace fastgpu::objects {

namespace limits = base::limits;

void JobFolders::prepare(FolderWorkId work, std::string folder, std::vector<JobFile> files) {
  add({work, PrepareWork(std::move(folder), std::move(files)), {}});
}

void JobFolders::collect(FolderWorkId work, std::string folder, std::vector<std::string> outputs,
                         bool partial) {
  add({work, CollectWork(std::move(folder), std::move(outputs), partial), {}});
}

void JobFolders::add(Work work) {
  if (works_.size() >= limits::folder_works_max) {
    work.refused =
        base::Error{base::ErrorKind::overloaded, base::ErrorCode::overloaded,
                    std::to_string(works_.size()) + " job folders are being worked on already",
                    "try again when some are done"};
  }
  works_.push_back(std::move(work));
}

void JobFolders::drop(const std::string& folder) {
  for (Work& work : works_) {
    const bool its_own =
        std::visit([&](const auto& what) { return what.folder() == folder; }, work.what);
    if (its_own && !work.refused) {
      work.refused = base::Error{base::ErrorKind::rejected, base::ErrorCode::conflict,
                                 "the job folder " + folder + " was dropped", ""};
    }
  }
  if (check_folder_name(folder).ok()) {
    ground_.disk.drop(folder);
    sweeping_ = true;
  }
}

std::optional<FolderEnd> JobFolders::advance() {
  sweeps_next_ = !sweeps_next_;
  if (sweeping_ && (sweeps_next_ || works_.empty())) {
    sweeping_ = ground_.disk.sweep(limits::folder_sweep_entries);
    return std::nullopt;
  }
  if (works_.empty()) {
    return std::nullopt;
  }
  auto end = advance(works_.front());
  if (end) {
    works_.pop_front();
  } else {
    works_.splice(works_.end(), works_, works_.begin());
  }
  return end;
}

std::optional<FolderEnd> JobFolders::advance(Work& work) {
  if (auto* prepare = std::get_if<PrepareWork>(&work.what)) {
    auto end = work.refused ? std::optional(base::Result<std::string>(*work.refused))
                            : prepare->advance(ground_);
    if (!end) {
      return std::nullopt;
    }
    if (!end->ok() && prepare->made()) {
      ground_.disk.drop(prepare->folder());
      sweeping_ = true;
    }
    return FolderPrepared{work.id, std::move(*end)};
  }
  auto& collect = std::get<CollectWork>(work.what);
  if (work.refused) {
    collect.abandon(ground_.store);
    return FolderKept{work.id, *work.refused, 0};
  }
  auto end = collect.advance(ground_);
  if (!end) {
    return std::nullopt;
  }
  return FolderKept{work.id, std::move(*end), collect.left_out()};
}

}  // namespace fastgpu::objects
