#pragma once

/// From a user's description to what is submitted: small data travels with the job, the rest is
/// uploaded first, equal bytes once. Called on a caller's thread; blocks until the uploads are
/// done.

#include <map>
#include <mutex>

#include "client/connection.hpp"
#include "client/input_files.hpp"
#include "client/spec_contents.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::client {

/// What was uploaded over this connection. Any thread.
class Uploads {
 public:
  /// The objects with these bytes, uploaded now or before. Of sources that are files no more is in
  /// memory than a window holds, or one file that is larger.
  base::Result<std::vector<protocol::ObjectRef>> bring(Connection& connection,
                                                       const std::vector<Source>& all,
                                                       Time deadline);
  /// Uploads again next time: some object was found missing.
  void forget();

 private:
  std::mutex mutex_;
  std::map<base::ObjectHash, protocol::ObjectRef> known_;
};

base::Result<protocol::JobSpec> prepare(Connection& connection, Uploads& uploads,
                                        const v1::JobSpec::Contents& contents, Time deadline);

}  // namespace fastgpu::client
