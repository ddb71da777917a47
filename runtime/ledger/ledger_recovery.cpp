#include "runtime/ledger/ledger_recovery.hpp"

namespace fastgpu::ledger {

protocol::LedgerImage refounded(protocol::LedgerImage image, base::LogIndex at) {
  image.applied = at;
  image.next_job_sequence += job_numbers_skipped;
  if (image.members_version > 0) {
    image.members_version = at.value;
  }
  return image;
}

}  // namespace fastgpu::ledger
