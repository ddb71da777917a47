/// How FileJobs gets rid of job folders. Whatever a job has left, each call is short, and a crash
/// in between loses nothing: the trash is all the state there is.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/objects/jobs/file_jobs.hpp"

namespace fastgpu::objects {
namespace {

bool is_dots(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

}  // namespace

void FileJobs::drop(const std::string& folder) {
  trash_entry(root_.get(), folder.c_str());
}

void FileJobs::drop_all() {
  const OpenFolder all(::fdopendir(::openat(root_.get(), ".", O_RDONLY | O_CLOEXEC)));
  while (const dirent* entry = all ? ::readdir(all.get()) : nullptr) {
    if (entry->d_name[0] != '.') {  // the trash, and what is not ours
      trash_entry(root_.get(), entry->d_name);
    }
  }
}

/// Moves a folder into the trash under a number. Moving needs the right to write into it, which the
/// job may have taken away.
bool FileJobs::trash_entry(int folder, const char* name) {
  const std::string number = std::to_string(++last_trash_);
  ::fchmodat(folder, name, 0700, AT_SYMLINK_NOFOLLOW);
  return ::renameat(folder, name, trash_.get(), number.c_str()) == 0;
}

bool FileJobs::sweep(std::size_t entries_max) {
  for (std::size_t done = 0; done < entries_max; ++done) {
    if (!sweeping_ && !begin_folder()) {
      return false;
    }
    if (!sweeping_) {
      continue;
    }
    const dirent* entry = ::readdir(sweeping_.get());
    if (entry == nullptr) {
      end_folder();
      continue;
    }
    const int folder = ::dirfd(sweeping_.get());
    if (!is_dots(entry->d_name)) {
      const bool gone = ::unlinkat(folder, entry->d_name, 0) == 0 ||
                        ((errno == EISDIR || errno == EPERM) && trash_entry(folder, entry->d_name));
      sweeping_went_on_ = sweeping_went_on_ || gone;
    }
  }
  return true;
}

/// Opens the next thing in the trash, or removes it at once if it is no folder; false if there is
/// none but those that are stuck.
bool FileJobs::begin_folder() {
  const OpenFolder all(::fdopendir(::openat(trash_.get(), ".", O_RDONLY | O_CLOEXEC)));
  while (const dirent* entry = all ? ::readdir(all.get()) : nullptr) {
    if (is_dots(entry->d_name) || stuck_.contains(entry->d_name)) {
      continue;
    }
    sweeping_name_ = entry->d_name;
    ::fchmodat(trash_.get(), entry->d_name, 0700, AT_SYMLINK_NOFOLLOW);
    OwnedFile file(::openat(trash_.get(), entry->d_name,
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    sweeping_.reset(file ? ::fdopendir(file.get()) : nullptr);
    if (sweeping_) {
      file.release();
      sweeping_went_on_ = false;
    } else if (::unlinkat(trash_.get(), entry->d_name, 0) != 0) {
      stuck_.insert(entry->d_name);
    }
    return true;
  }
  return false;
}

/// The end of the listing. What a listing that ran beside removals has missed is found by the next.
void FileJobs::end_folder() {
  if (::unlinkat(trash_.get(), sweeping_name_.c_str(), AT_REMOVEDIR) != 0) {
    if (sweeping_went_on_) {
      ::rewinddir(sweeping_.get());
      sweeping_went_on_ = false;
      return;
    }
    stuck_.insert(sweeping_name_);
  }
  sweeping_.reset();
}

}  // namespace fastgpu::objects
